import { produce } from 'immer'
import {
  type AnyEventObject,
  type AnyStateMachine,
  and,
  assign,
  createMachine,
  emit,
  not,
  or,
  setup,
  stateIn,
} from 'xstate'
import { note } from './conformance.ts'

/** A chart for one feature or a few, and the events that drive it. */
export interface Chart {
  readonly machine: AnyStateMachine
  readonly events: readonly AnyEventObject[]
  readonly input?: unknown
}

const types = {
  context: {} as { n: number; log?: readonly string[]; who?: string },
  events: {} as AnyEventObject,
  input: {} as { who: string },
}
const increment = assign(({ context }: { context: { n: number } }) => ({ n: context.n + 1 })) as never
const events = (...names: string[]): AnyEventObject[] => names.map((type, index) => ({ type, index }))
const say =
  (what: string) =>
  ({ context, event }: { context: unknown; event: unknown }, params?: unknown): void =>
    note(what, { context, event, params })

/** A list of actions that tell their place. */
const told = (place: string) => [say(`${place} 1`), say(`${place} 2`)]

const everywhere = (names: readonly string[]) => ({
  entry: names.map((name) => say(`enter ${name}`)),
  exit: names.map((name) => say(`exit ${name}`)),
})

export const charts: Record<string, Chart> = {
  'flat states': {
    machine: createMachine({
      id: 'flat',
      initial: 'a',
      entry: told('root entry'),
      exit: told('root exit'),
      states: {
        a: {
          ...everywhere(['a']),
          on: { next: 'b', stay: {}, self: { target: 'a' }, again: { target: 'a', reenter: true } },
        },
        b: {
          ...everywhere(['b', 'b again']),
          on: { next: { target: 'c', actions: told('b to c') }, back: 'a' },
        },
        c: { type: 'final', ...everywhere(['c']) },
      },
    }),
    events: events('next', 'back', 'stay', 'self', 'again', 'unknown'),
  },
  'no states at all': {
    machine: createMachine({
      context: { n: 0 },
      entry: say('entry'),
      on: { add: { actions: increment }, nothing: {} },
    } as never),
    events: events('add', 'nothing', 'unknown'),
  },
  'nested states, internal and reentering transitions': {
    machine: createMachine({
      id: 'nested',
      initial: 'outer',
      on: { top: '.other', 'top.again': { target: '.other', reenter: true }, root: { actions: say('root') } },
      states: {
        outer: {
          ...everywhere(['outer']),
          initial: 'inner',
          on: {
            child: '.second',
            'child.again': { target: '.second', reenter: true },
            self: { target: 'outer' },
            'self.again': { target: 'outer', reenter: true },
            act: { actions: told('act') },
            leave: 'other',
            both: { target: 'other', actions: say('outer takes both') },
          },
          states: {
            inner: {
              ...everywhere(['inner']),
              initial: 'deep',
              states: {
                deep: { ...everywhere(['deep']), on: { both: 'deeper' } },
                deeper: { ...everywhere(['deeper']) },
              },
            },
            second: { ...everywhere(['second']), on: { up: '#nested.outer.inner.deeper', sibling: 'inner' } },
          },
        },
        other: {
          ...everywhere(['other']),
          on: { back: 'outer', deep: '#nested.outer.inner.deeper', second: 'outer.second' },
        },
      },
    }),
    events: events(
      ...['top', 'top.again', 'root', 'child', 'child.again', 'self', 'self.again', 'act'],
      ...['leave', 'both', 'up', 'sibling', 'back', 'deep', 'second'],
    ),
  },
  'parallel states': {
    machine: createMachine({
      id: 'parallel',
      type: 'parallel',
      entry: say('enter root'),
      on: {
        root: { actions: say('root') },
        only: { actions: say('nobody else') },
        both: { actions: say('root both') },
      },
      states: {
        left: {
          ...everywhere(['left']),
          tags: ['left'],
          initial: 'l1',
          on: { escape: { target: '.l2', reenter: true }, shared: { actions: say('left itself') } },
          states: {
            l1: {
              ...everywhere(['l1']),
              tags: 'one',
              on: { both: 'l2', left: 'l2', again: { target: 'l1', reenter: true } },
            },
            l2: {
              ...everywhere(['l2']),
              tags: ['two', 'left two'],
              on: { both: 'l1', shared: { actions: say('l2') } },
            },
          },
        },
        right: {
          ...everywhere(['right']),
          initial: 'r1',
          on: { restart: { target: 'right', reenter: true } },
          states: {
            r1: {
              ...everywhere(['r1']),
              tags: ['one'],
              on: { both: { target: 'r2', actions: say('r1 both') }, right: 'r2' },
            },
            r2: {
              ...everywhere(['r2']),
              type: 'parallel',
              on: { both: 'r1', cross: '#parallel.left.l2' },
              states: {
                x: { initial: 'x1', states: { x1: { on: { inner: 'x2' } }, x2: { ...everywhere(['x2']) } } },
                y: { ...everywhere(['y']), on: { inner: { actions: say('y inner') } } },
              },
            },
          },
        },
        idle: { meta: { text: 'idle' } },
      },
    }),
    events: events(
      'both',
      'left',
      'right',
      'again',
      'escape',
      'shared',
      'restart',
      'cross',
      'inner',
      'root',
      'only',
    ),
  },
  'conflicting transitions of regions': {
    machine: createMachine({
      id: 'conflict',
      initial: 'p',
      states: {
        p: {
          type: 'parallel',
          ...everywhere(['p']),
          states: {
            a: {
              ...everywhere(['a']),
              initial: 'a1',
              states: { a1: { on: { go: '#conflict.out', mixed: 'a2' } }, a2: { ...everywhere(['a2']) } },
            },
            b: {
              ...everywhere(['b']),
              initial: 'b1',
              states: {
                b1: { on: { go: { target: 'b2', actions: say('lost') }, mixed: '#conflict.out' } },
                b2: { ...everywhere(['b2']) },
              },
            },
          },
        },
        out: {
          on: {
            many: { target: ['#conflict.p.b.b2', '#conflict.p.a.a2'] },
            one: '#conflict.p.b.b2',
            back: 'p',
          },
        },
      },
    }),
    events: events('go', 'mixed', 'many', 'one', 'back'),
  },
  guards: {
    machine: setup({
      types,
      guards: {
        isSmall: ({ context }) => context.n < 2,
        isBelow: ({ context }, params: { limit: number }) => context.n < params.limit,
        isNamed: ({ event }) => event.index !== undefined,
        isBoth: and(['isSmall', 'isNamed']),
        isAlias: 'isSmall' as never,
      },
    }).createMachine({
      id: 'guards',
      context: { n: 0 },
      type: 'parallel',
      states: {
        counter: {
          initial: 'low',
          states: {
            low: {
              on: {
                add: [
                  { guard: { type: 'isBelow', params: { limit: 1 } }, actions: [increment, say('first')] },
                  {
                    guard: { type: 'isBelow', params: ({ context }) => ({ limit: context.n }) },
                    actions: say('never'),
                  },
                  { guard: ({ context }) => context.n === 1, target: 'high', actions: increment },
                ],
                named: { guard: 'isSmall', actions: increment },
                both: { guard: 'isBoth', actions: increment },
                alias: { guard: 'isAlias', actions: increment },
                missing: { guard: 'isMissing' as never, target: 'high' },
              },
            },
            high: {
              on: {
                add: { guard: not('isSmall'), actions: [increment, say('high')] },
                not: { guard: not(({ context }) => context.n > 2), target: 'low' },
                or: { guard: or(['isSmall', { type: 'isBelow', params: { limit: 3 } }]), target: 'low' },
                back: [
                  { guard: 'isSmall', target: 'low' },
                  { guard: and([not('isSmall'), stateIn({ other: 'on' })]), target: 'low' },
                ],
              },
            },
          },
        },
        other: {
          initial: 'off',
          states: {
            off: { id: 'off', on: { toggle: { guard: stateIn('#guards.counter.high'), target: 'on' } } },
            on: {
              on: {
                toggle: { guard: stateIn({ counter: 'high' }), target: 'off' },
                bad: { guard: stateIn('#nowhere'), target: 'off' },
              },
            },
          },
        },
      },
    }),
    events: events('add', 'named', 'both', 'alias', 'missing', 'not', 'or', 'back', 'toggle', 'bad'),
  },
  'assign in all forms': {
    machine: setup({
      types,
      actions: {
        add: assign(({ context }, params: { by: number }) => ({ n: context.n + params.by })),
        reset: assign({ n: 0, log: ({ context }, params: string) => [...(context.log ?? []), params] }),
        edit: assign(({ context }) =>
          produce(context, (draft) => {
            draft.n *= 2
          }),
        ),
      },
    }).createMachine({
      id: 'assign',
      context: ({ input }) => ({ n: 1, who: input.who }),
      initial: 'a',
      entry: { type: 'add', params: { by: 1 } },
      states: {
        a: {
          entry: [{ type: 'add', params: ({ context }) => ({ by: context.n }) }, say('a sees')],
          on: {
            edit: { actions: 'edit' },
            several: {
              actions: ['edit', say('between'), { type: 'add', params: { by: 5 } }, say('after')],
              target: 'b',
            },
            same: { actions: assign(({ context }) => context) },
            nothing: { actions: assign(() => undefined as never) },
            extra: { actions: assign(() => ({ who: 'else', more: [1] }) as never) },
          },
        },
        b: {
          exit: { type: 'reset', params: 'left b' },
          on: { back: 'a', edit: { actions: 'edit', target: 'b', reenter: true } },
        },
      },
    }),
    events: events('edit', 'several', 'same', 'nothing', 'extra', 'back'),
    input: { who: 'me' },
  },
  'effects with parameters': {
    machine: setup({
      types,
      actions: {
        tell: ({ context }, params: { text: string }) => note('tell', { params, n: context.n }),
        shout: ({ event }) => note('shout', event),
        missing: undefined as never,
      },
    }).createMachine({
      id: 'effects',
      context: { n: 0 },
      initial: 'a',
      entry: { type: 'tell', params: { text: 'root' } },
      states: {
        a: {
          entry: [
            { type: 'tell', params: ({ context, event }) => ({ text: `${event.type} ${context.n}` }) },
            'shout',
          ],
          exit: ['shout', { type: 'shout' } as never],
          on: {
            go: {
              target: 'b',
              actions: [
                increment,
                { type: 'tell', params: ({ context }) => ({ text: `${context.n}` }) },
                increment,
              ],
            },
            missing: {
              actions: ['missing', 'unheard' as never, { type: 'unheard too', params: { a: 1 } } as never],
            },
            anonymous: { actions: [() => note('arrow'), function named() {}] },
          },
        },
        b: { entry: ['shout', increment], on: { go: 'a' } },
      },
    }),
    events: events('go', 'missing', 'anonymous'),
  },
  'wildcards and forbidden transitions': {
    machine: createMachine({
      id: 'wild',
      initial: 'a',
      on: {
        '*': { actions: say('any') },
        'mouse.*': { actions: say('any mouse') },
        'mouse.move': { actions: say('move') },
      },
      states: {
        a: {
          on: {
            'mouse.click.*': { target: 'b', actions: say('clicked') },
            'mouse.move': undefined,
            forbidden: {},
            quiet: undefined,
            toggle: 'c',
          },
        },
        b: {
          on: {
            '*': 'a',
            'mouse.*': [{ guard: ({ event }) => event.index === 4, target: 'a' }],
            'mouse.move': [],
          },
        },
        c: { on: { '*': {}, 'a*': 'a', 'key.*.down': 'a', 'key.*': 'b', toggle: 'a' } },
      },
    }),
    events: events(
      ...[
        'mouse',
        'mouse.move',
        'mouse.click',
        'mouse.click.left',
        'mouse.click.left.twice',
        'forbidden',
        'quiet',
        'toggle',
      ],
      ...[
        'other',
        'a*',
        'ab',
        'key.x.down',
        'key',
        'mouse.*',
        '*',
        '',
        'xstate.init',
        'xstate.done.state.wild.a',
      ],
    ),
  },
  'initial states with actions': {
    machine: createMachine({
      id: 'initial',
      initial: { target: 'a', actions: told('initial of root') },
      states: {
        a: {
          ...everywhere(['a']),
          initial: { target: 'a1', actions: [say('initial of a')] },
          states: {
            a1: {
              ...everywhere(['a1']),
              initial: { target: 'a11', actions: say('initial of a1') },
              states: { a11: {}, a12: {} },
            },
            a2: {},
          },
          on: { out: 'b', again: { target: 'a', reenter: true }, deep: '.a1.a12', parent: '.a1' },
        },
        b: {
          type: 'parallel',
          initial: { target: 'x', actions: say('initial of parallel b') } as never,
          states: {
            x: { initial: { target: 'x1', actions: say('initial of x') }, states: { x1: {}, x2: {} } },
            y: {},
          },
          on: { back: 'a', deep: '#initial.a.a1.a12', x2: '.x.x2', middle: '#initial.a.a1' },
        },
      },
    }),
    events: events('out', 'again', 'deep', 'parent', 'back', 'x2', 'middle'),
  },
  'tags, metadata and descriptions': {
    machine: createMachine({
      id: 'tags',
      tags: ['root'],
      meta: { title: 'root' },
      initial: 'a',
      states: {
        a: {
          tags: 'single',
          meta: { title: 'a' },
          on: { next: { target: 'b', meta: { why: 'because' }, description: 'goes on' } },
        },
        b: {
          tags: ['x', 'y', 'root'],
          initial: 'c',
          states: { c: { meta: { title: 'c' }, tags: ['y', 'z'] } },
          on: { next: 'a' },
        },
      },
    }),
    events: events('next'),
  },
  'final states, done states and output': {
    machine: setup({ types }).createMachine({
      id: 'final',
      context: { n: 0 },
      initial: 'work',
      exit: say('exit root'),
      output: ({ context, event }) => ({ n: context.n, from: event }),
      states: {
        work: {
          ...everywhere(['work']),
          initial: 'step',
          onDone: [
            { guard: ({ context }) => context.n > 3, target: 'over' },
            {
              target: 'both',
              actions: [
                assign({ n: ({ context, event }) => context.n + Number(event.output ?? 0) }),
                say('work done'),
              ],
            },
          ],
          states: {
            step: { on: { finish: 'end', plain: 'plainEnd', add: { actions: increment } } },
            end: {
              type: 'final',
              ...everywhere(['end']),
              entry: increment,
              output: ({ context }) => context.n,
            },
            plainEnd: { type: 'final', output: 7 },
          },
        },
        both: {
          type: 'parallel',
          ...everywhere(['both']),
          onDone: { target: 'over', actions: say('both done') },
          on: { retry: 'work' },
          states: {
            a: {
              ...everywhere(['a']),
              initial: 'a1',
              states: { a1: { on: { finish: 'a2', left: 'a2' } }, a2: { type: 'final', output: 'a' } },
              onDone: { actions: say('a done') },
            },
            b: {
              initial: 'b1',
              states: { b1: { on: { finish: 'b2', right: 'b2' } }, b2: { type: 'final' } },
              onDone: { actions: increment },
            },
          },
        },
        over: {
          type: 'final',
          ...everywhere(['over']),
          output: ({ context }) => ({ last: context.n }),
        },
      },
    }),
    events: events('finish', 'plain', 'add', 'left', 'right', 'retry'),
  },
  'a parallel machine that ends': {
    machine: createMachine({
      id: 'parallelEnd',
      type: 'parallel',
      output: ({ event }: { event: unknown }) => ({ event }),
      exit: say('exit root'),
      states: {
        a: {
          ...everywhere(['a']),
          initial: 'x',
          states: { x: { on: { a: 'y', both: 'y' } }, y: { type: 'final', ...everywhere(['a.y']) } },
        },
        b: {
          type: 'parallel',
          ...everywhere(['b']),
          onDone: { actions: say('b done') },
          states: {
            c: { initial: 'x', states: { x: { on: { c: 'y', both: 'y' } }, y: { type: 'final' } } },
            d: {
              initial: 'x',
              states: {
                x: { on: { d: 'y', both: 'y', back: 'x' } },
                y: { type: 'final', on: { back: 'x' } as never },
              },
            },
          },
        },
      },
    } as never),
    events: events('a', 'both', 'c', 'd', 'back'),
  },
  'a machine that is done from the start': {
    machine: createMachine({
      id: 'born',
      initial: 'end',
      entry: say('entry'),
      exit: say('exit'),
      states: { end: { type: 'final', output: 1 } },
      output: 2,
    }),
    events: events('any'),
  },
  'a chain of done states from the start': {
    machine: createMachine({
      id: 'chain',
      initial: 'a',
      states: {
        a: {
          initial: 'x',
          states: { x: { type: 'final' } },
          onDone: { target: 'b', actions: say('a done') },
        },
        b: { initial: 'x', states: { x: { on: { go: 'y' } }, y: { type: 'final' } }, onDone: 'a' },
      },
    }),
    events: events('go'),
  },
  'a loop of done states': {
    machine: createMachine({
      id: 'loop',
      initial: 'idle',
      options: { maxIterations: 7 },
      states: {
        idle: { on: { go: 'a' } },
        a: {
          initial: 'x',
          entry: say('a'),
          states: { x: { type: 'final' } },
          onDone: { target: 'a', reenter: true },
        },
      },
    } as never),
    events: events('go'),
  },
  'emitted events': {
    machine: setup({
      types: { ...types, emitted: {} as AnyEventObject },
      actions: {
        report: emit(({ context }, params: { a: number }) => ({ type: 'report', n: context.n, ...params })),
      },
    }).createMachine({
      id: 'emits',
      context: { n: 0 },
      initial: 'a',
      entry: emit({ type: 'born' }),
      states: {
        a: {
          exit: emit(({ event }) => ({ type: 'leaving', event })),
          on: {
            go: {
              target: 'b',
              actions: [
                emit({ type: 'going' }),
                increment,
                emit(({ context }) => ({ type: 'gone', n: context.n })),
              ],
            },
            stay: { actions: emit({ type: 'stays' }) },
            report: { actions: { type: 'report', params: { a: 1 } } },
          },
        },
        b: { entry: emit({ type: 'in b' }), on: { end: 'c' } },
        c: { type: 'final', entry: emit({ type: 'last' }) },
      },
    }),
    events: events('go', 'stay', 'report', 'end'),
  },
  'errors thrown everywhere': {
    machine: setup({
      types,
      guards: { explode: (_, params: string) => explode(`guard ${params}`) },
      actions: { explode: (_, params: string) => explode(`action ${params}`) },
    }).createMachine({
      id: 'errors',
      context: { n: 0 },
      initial: 'a',
      exit: say('exit root'),
      states: {
        a: {
          exit: say('exit a'),
          on: {
            inlineGuard: { guard: () => explode('inline guard'), target: 'b' },
            namedGuard: { guard: { type: 'explode', params: 'named' }, target: 'b' },
            notError: { guard: () => throwText('text'), target: 'b' },
            guardParams: {
              guard: { type: 'explode', params: () => explode('guard params') as never },
              target: 'b',
            },
            notGuard: { guard: not(() => explode('inside not')), target: 'b' },
            action: {
              actions: [say('before'), { type: 'explode', params: 'one' }, say('after')],
              target: 'b',
            },
            actionParams: { actions: { type: 'explode', params: () => explode('params') as never } },
            assign: { actions: [increment, assign(() => explode('assign') as never)] },
            property: { actions: assign({ n: () => explode('property') as never }) },
            output: 'c',
            ending: 'd',
            spawnless: { actions: emit(() => explode('emit') as never) },
            next: 'b',
          },
        },
        b: { entry: () => explode('entry b'), on: { next: 'a' } },
        c: { initial: 'x', states: { x: { type: 'final', output: () => explode('output') } } },
        d: { type: 'final', exit: () => explode('exit d') },
      },
    }),
    events: events(
      ...['inlineGuard', 'namedGuard', 'notError', 'guardParams', 'notGuard', 'action', 'actionParams'],
      ...['assign', 'property', 'output', 'ending', 'spawnless', 'next'],
    ),
  },
  'an error while entering': {
    machine: createMachine({
      id: 'entry',
      context: { n: 1 },
      tags: 'root',
      initial: 'a',
      states: {
        a: {
          initial: 'b',
          tags: 'a',
          entry: [say('a'), () => explode('entry'), say('never')],
          states: { b: {} },
        },
      },
    } as never),
    events: events('any'),
  },
  'an error in an initial assign': {
    machine: createMachine({
      id: 'initialAssign',
      context: { n: 1 },
      tags: 'root',
      meta: { m: 1 },
      initial: 'a',
      states: {
        a: {
          type: 'parallel',
          tags: 'a',
          entry: assign(() => explode('initial assign')),
          states: { b: {}, c: { initial: 'd', states: { d: {} } } },
        },
      },
    } as never),
    events: events('any'),
  },
  'an error in the context factory': {
    machine: createMachine({
      id: 'context',
      context: () => explode('context') as never,
      initial: 'a',
      states: { a: {} },
    }),
    events: events('any'),
  },
  'errors of other actors': {
    machine: createMachine({
      id: 'others',
      initial: 'a',
      states: {
        a: { on: { next: 'b' } },
        b: { on: { 'xstate.error.actor.known': 'a', 'xstate.done.*': 'a', next: 'c' } },
        c: { on: { '*': 'a' } },
      },
    }),
    events: [
      ...events('next', 'xstate.done.actor.x', 'xstate.error.other'),
      { type: 'xstate.error.actor.known', error: new Error('known'), actorId: 'known' },
      { type: 'xstate.error.actor.unknown', error: 'unknown', actorId: 'unknown' },
    ],
  },
  routes: {
    machine: createMachine({
      id: 'routes',
      initial: 'a',
      states: {
        a: { id: 'a', route: {} as never },
        b: {
          id: 'b',
          entry: say('b'),
          route: { guard: ({ event }: never) => (event as AnyEventObject).index === 1 } as never,
        },
      },
    } as never),
    events: [
      { type: 'xstate.route', to: '#a', index: 0 },
      { type: 'xstate.route', to: '#b', index: 1 },
      { type: 'xstate.route', to: '#b', index: 2 },
    ],
  },
  'an effect that throws in a step which the initial states raise': {
    machine: createMachine({
      id: 'stumbling',
      context: { n: 1 },
      initial: 'a',
      states: {
        a: {
          initial: 'done',
          exit: () => explode('leaving a'),
          states: { done: { type: 'final', tags: 'over' } },
          onDone: 'b',
        },
        b: {},
      },
    }),
    events: events('go'),
  },
  'ids with dots, states with odd names': {
    machine: createMachine({
      id: 'odd.machine',
      initial: 'a.b',
      states: {
        'a.b': { id: 'given.id', on: { go: { target: '#other\\.id' } } },
        '10': {
          id: 'other.id',
          type: 'parallel',
          states: { '2': { initial: 'z', states: { z: {} } }, '1': {} },
          on: { go: '#given\\.id' },
        },
      },
    } as never),
    events: events('go'),
  },
}

function explode(what: string): boolean {
  throw new Error(`exploded: ${what}`)
}

function throwText(text: string): boolean {
  throw text
}
