import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  Actor,
  type ActorOptions,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  assign,
  createActor,
  createMachine,
  emit,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  fromTransition,
  type InspectionEvent,
  SimulatedClock,
  sendParent,
  setup,
  spawnChild,
  toPromise,
  waitFor,
} from 'xstate'
import { compile, createLightActor, LightActor } from '../../src/statechart/index.ts'

type Create = (logic: AnyActorLogic, options?: ActorOptions<AnyActorLogic>) => AnyActorRef

/** Runs a scenario with XState's actors and with light ones; both must tell the same story. */
async function expectSame(
  scenario: (create: Create, tell: (...words: unknown[]) => void) => unknown,
): Promise<unknown[]> {
  const [expected, actual] = [
    await play(createActor as Create, scenario),
    await play(createLightActor as Create, scenario),
  ]
  expect(actual).toEqual(expected)
  return actual
}

async function play(create: Create, scenario: Parameters<typeof expectSame>[0]): Promise<unknown[]> {
  const story: unknown[] = []
  const timer = globalThis.setTimeout
  const { warn } = console
  console.warn = () => {}
  globalThis.setTimeout = ((task: () => void, ms?: number) => {
    if (ms !== undefined) return timer(task, ms)
    try {
      task()
    } catch (error) {
      story.push(['unhandled', String(error)])
    }
    return 0
  }) as unknown as typeof setTimeout
  try {
    await scenario(create, (...words) => story.push(words))
  } catch (error) {
    story.push(['thrown', String(error)])
  } finally {
    globalThis.setTimeout = timer
    console.warn = warn
  }
  return story
}

const counter = fromTransition(
  (count: number, event: AnyEventObject) => (event.type === 'add' ? count + 1 : count),
  0,
)

const toggle = createMachine({
  id: 'toggle',
  context: { n: 0 },
  initial: 'off',
  states: {
    off: {
      on: {
        go: { target: 'on', actions: [assign({ n: ({ context }) => context.n + 1 }), emit({ type: 'lit' })] },
      },
    },
    on: { on: { go: 'off', end: 'over' } },
    over: { type: 'final' },
  },
  output: ({ context }) => context.n,
})

const watch = (actor: AnyActorRef, tell: (...words: unknown[]) => void, name = 'watch') =>
  actor.subscribe({
    next: (snapshot) => tell(name, 'next', snapshot.status, snapshot.context ?? snapshot.output),
    error: (error) => tell(name, 'error', String(error)),
    complete: () => tell(name, 'complete'),
  })

/** An actor that hears its children and can stop them. */
const parentOf = (
  create: Create,
  tell: (...words: unknown[]) => void,
  options?: ActorOptions<AnyActorLogic>,
) =>
  create(
    {
      getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }),
      getPersistedSnapshot: (snapshot) => snapshot,
      transition: (snapshot, event, scope) => {
        if (event.type === 'stop') scope.stopChild(event.child)
        else tell('parent hears', event)
        return snapshot
      },
    },
    options,
  ).start() as unknown as AnyActorRef

describe('a light actor does what an Actor does', () => {
  it('keeps events sent before the start, and processes those sent meanwhile in turn', async () => {
    const story = await expectSame((create, tell) => {
      const actor = create(counter)
      actor.send({ type: 'add' })
      actor.send({ type: 'add' })
      let more = 3
      actor.subscribe((snapshot) => {
        tell(snapshot.context)
        if (more-- > 0) actor.send({ type: 'add' })
        tell('sent', actor.getSnapshot().context)
      })
      tell(actor.getSnapshot().context)
      actor.start()
      actor.start()
      tell('end', actor.getSnapshot().context)
    })
    expect(story.at(-1)).toEqual(['end', 5])
  })

  it('stops at once, before its start, while it starts, and while it works', async () => {
    await expectSame((create, tell) => {
      const stops = {
        'before the start': (actor: AnyActorRef) => void actor.stop(),
        'while it starts': (actor: AnyActorRef) => {
          actor.send({ type: 'add' })
          actor.send({ type: 'add' })
          actor.subscribe(() => void actor.stop())
        },
        'in an observer': (actor: AnyActorRef) => {
          actor.subscribe((snapshot) => {
            if (snapshot.context !== 2) return
            actor.send({ type: 'add' })
            actor.stop()
            actor.send({ type: 'add' })
          })
        },
      }
      for (const [when, arrange] of Object.entries(stops)) {
        tell(when)
        const actor = create(counter)
        arrange(actor)
        watch(actor, tell)
        actor.start()
        for (let sent = 0; sent < 4; sent++) actor.send({ type: 'add' })
        actor.stop()
        tell(actor.getSnapshot())
        watch(actor, tell, 'late')
        actor.start()
        actor.send({ type: 'add' })
        tell('again', actor.getSnapshot())
      }
    })
  })

  it('is stopped by its parent only', async () => {
    const story = await expectSame((create, tell) => {
      const parent = parentOf(create, tell, { id: 'parent' })
      const child = create(counter, { parent, id: 'child' })
      const stranger = create(counter, { id: 'stranger' })
      watch(child, tell)
      watch(parent, tell, 'parent')
      child.start()
      try {
        child.stop()
      } catch (error) {
        tell(String(error))
      }
      parent.send({ type: 'stop', child })
      tell(child.getSnapshot())
      parent.send({ type: 'stop', child: stranger })
    })
    expect(story).toContainEqual(['Error: A non-root actor cannot be stopped directly.'])
  })

  it('tells its parent of its end and of its failure, once', async () => {
    const broken = createMachine({ on: { go: { actions: () => explode() } } })
    for (const machine of [toggle, compile(toggle), broken, compile(broken)]) {
      await expectSame((create, tell) => {
        const parent = parentOf(create, tell)
        const child = create(machine, { parent, id: 'child' })
        watch(child, tell)
        child.start()
        for (const type of ['go', 'end', 'go']) child.send({ type })
        tell(child.getSnapshot().status, child.getSnapshot().output)
        watch(child, tell, 'late')
        child.subscribe(() => tell('never'))
      })
    }
  })

  it('reports errors that nobody handles, and those of its observers', async () => {
    const story = await expectSame((create, tell) => {
      const broken = create(createMachine({ on: { go: { actions: () => explode() } } }))
      broken.start()
      broken.send({ type: 'go' })
      broken.subscribe({ next() {} })
      const half = create(createMachine({ on: { go: { actions: () => explode() } } }))
      half.subscribe({ next: () => {} })
      half.subscribe({ error: () => explode() })
      half.start()
      half.send({ type: 'go' })
      const actor = create(toggle)
      actor.subscribe({ next: () => explode(), complete: () => explode() })
      actor.on('lit', () => explode())
      watch(actor, tell)
      actor.start()
      for (const type of ['go', 'end']) actor.send({ type })
      actor.subscribe({ complete: () => explode() })
    })
    expect(story.filter((words) => (words as string[])[0] === 'unhandled').length).toBeGreaterThan(6)
  })

  it('emits to listeners of a type and of all', async () => {
    for (const machine of [toggle, compile(toggle)]) {
      await expectSame((create, tell) => {
        const actor = create(machine)
        const all = actor.on('*', (event: AnyEventObject) => tell('all', event))
        actor.on('lit', (event: AnyEventObject) => tell('lit', event))
        const unheard = actor.on('lit', () => tell('unheard'))
        unheard.unsubscribe()
        actor.start()
        actor.send({ type: 'go' })
        all.unsubscribe()
        for (const type of ['go', 'go', 'end']) actor.send({ type })
        actor.on('lit', () => tell('late'))
      })
    }
  })

  it('selects', async () => {
    await expectSame((create, tell) => {
      const actor = create(counter)
      const parity = actor.select((snapshot) => snapshot.context % 3 === 0)
      const subscription = parity.subscribe((is) => tell('changed', is))
      actor
        .select(
          (snapshot) => ({ n: snapshot.context }),
          (a, b) => a.n >> 1 === b.n >> 1,
        )
        .subscribe((half) => tell(half))
      actor.start()
      for (let sent = 0; sent < 5; sent++) actor.send({ type: 'add' })
      subscription.unsubscribe()
      actor.send({ type: 'add' })
      tell(parity.get())
    })
  })

  it('is known to its system by its `systemId`', async () => {
    await expectSame((create, tell) => {
      const parent = parentOf(create, tell)
      const { system } = parent
      const child = create(counter, { parent, systemId: 'known' })
      tell(
        system.get('known') === child,
        Object.keys(system.getAll()),
        (child as never as { systemId: string }).systemId,
      )
      child.start()
      parent.send({ type: 'stop', child })
      tell(system.get('known'))
      const done = create(createMachine({ initial: 'a', states: { a: { type: 'final' } } }), {
        parent,
        systemId: 'known',
      })
      tell(system.get('known'), done.getSnapshot().status)
      create(counter, { parent, systemId: 'twice' })
      create(counter, { parent, systemId: 'twice' })
    })
  })

  it('tells its parent of each snapshot when asked to', async () => {
    await expectSame((create, tell) => {
      const parent = parentOf(create, tell)
      const child = create(counter, { parent, id: 'child', syncSnapshot: true } as never)
      child.start()
      child.send({ type: 'add' })
    })
  })

  it('runs other logics: promises, callbacks, observables', async () => {
    await expectSame(async (create, tell) => {
      const promise = create(
        fromPromise(async ({ input }: { input: number }) => input * 2),
        { input: 21 },
      )
      watch(promise, tell)
      promise.start()
      tell(await toPromise(promise))
      const failing = create(fromPromise(async () => explode()))
      failing.start()
      await toPromise(failing).catch((error) => tell(String(error)))
      const parent = parentOf(create, tell)
      const callback = create(
        fromCallback(({ sendBack, receive, emit: emitEvent, self }) => {
          receive((event) => sendBack({ type: 'echo', of: event.type }))
          emitEvent({ type: 'ready', id: self.id } as never)
          return () => tell('cleaned up')
        }),
        { parent, id: 'callback' },
      )
      callback.on('*', (event: AnyEventObject) => tell('emitted', event))
      callback.start()
      callback.send({ type: 'hello' })
      parent.send({ type: 'stop', child: callback })
      const values = {
        subscribe(observer: { next(value: number): void; complete(): void }) {
          for (const value of [1, 2]) observer.next(value)
          observer.complete()
          return { unsubscribe() {} }
        },
      }
      for (const logic of [
        fromObservable(() => values as never),
        fromEventObservable(() => values as never),
      ]) {
        const observable = create(logic as AnyActorLogic, { parent, id: 'observable' })
        watch(observable, tell)
        observable.start()
      }
      const starting = create({ ...counter, start: () => explode() } as AnyActorLogic)
      watch(starting, tell)
      starting.start()
      const stillborn = create({ ...counter, getInitialSnapshot: () => explode() as never } as AnyActorLogic)
      watch(stillborn, tell)
      stillborn.start()
    })
  })

  it('runs a machine with children, delays and messages, uncompiled', async () => {
    const machine = setup({
      actors: {
        counter,
        waiter: createMachine({ after: { 20: { actions: sendParent({ type: 'waited' }) } } }),
      },
    }).createMachine({
      id: 'family',
      initial: 'a',
      entry: [spawnChild('counter', { id: 'one' }), spawnChild('waiter', { id: 'two' })],
      states: {
        a: { after: { 10: 'b' }, on: { waited: 'c' } },
        b: { on: { waited: 'c' } },
        c: { after: { 50: 'd' }, invoke: { src: 'counter', id: 'three' } },
        d: { type: 'final' },
      },
    })
    await expectSame((create, tell) => {
      const clock = new SimulatedClock()
      const seen: string[] = []
      const inspect = (event: InspectionEvent) =>
        void seen.push(`${event.type} ${'event' in event ? event.event.type : ''}`)
      const actor = create(machine, { clock, inspect, logger: tell })
      const step = (ms: number) => {
        clock.increment(ms)
        tell(ms, actor.getSnapshot().value, Object.keys(actor.getSnapshot().children))
      }
      actor.start()
      for (const ms of [5, 5, 5, 5]) step(ms)
      tell(JSON.stringify(actor.getPersistedSnapshot()))
      step(49)
      actor.stop()
      step(10)
      tell(seen.length, seen)
    })
  })

  it('lives among actors of both kinds', async () => {
    await expectSame((create, tell) => {
      const seen: unknown[] = []
      const names = new Map<string, number>()
      const name = (ref: { sessionId: string } | undefined) => {
        if (ref === undefined) return 'outside'
        if (!names.has(ref.sessionId)) names.set(ref.sessionId, names.size)
        return names.get(ref.sessionId)
      }
      const root = parentOf(create, tell, {
        inspect: (event: InspectionEvent) => {
          const { type, actorRef, rootId } = event
          seen.push([
            type,
            name(actorRef),
            name({ sessionId: rootId }),
            'sourceRef' in event ? name(event.sourceRef) : '',
          ])
        },
      } as never)
      const middle = parentOf(createActor as Create, tell, { parent: root } as never)
      const low = parentOf(create, tell, { parent: middle } as never)
      const leaf = create(compile(toggle), { parent: low, id: 'leaf' })
      leaf.start()
      for (const type of ['go', 'go', 'nothing', 'go', 'end']) leaf.send({ type })
      tell(seen)
      tell(leaf.system === root.system, leaf._parent === low, leaf.src === toggle)
    })
  })
})

describe('inspectors of a system', () => {
  it('are all told the same event, in the order in which they came, until they leave', async () => {
    await expectSame((create, tell) => {
      const inspector = (who: string, seen: InspectionEvent[]) => (event: InspectionEvent) => {
        seen.push(event)
        tell(who, event.type, Object.keys(event), event.rootId === root.system.get('root')?.sessionId)
      }
      const [early, late] = [[], []] as [InspectionEvent[], InspectionEvent[]]
      const root = create(compile(toggle), { systemId: 'root' })
      root.system.inspect(inspector('early', early))
      root.start()
      const leaf = create(compile(toggle), { parent: root })
      const { unsubscribe } = root.system.inspect({ next: inspector('late', late) })
      leaf.start()
      leaf.send({ type: 'go' })
      tell(late.every((event) => early.includes(event)))
      unsubscribe()
      for (const type of ['nothing', 'end']) leaf.send({ type })
      tell(early.length, late.length)
    })
  })

  it('that throw break the sender’s step as they break XState’s', async () => {
    await expectSame((create, tell) => {
      for (const broken of ['@xstate.action', '@xstate.microstep']) {
        const root = create(compile(toggle), {
          inspect: ({ type }: InspectionEvent) => {
            if (type === broken && root.getSnapshot().status === 'active')
              throw new Error(`broken at ${type}`)
          },
        })
        root.subscribe({ error: (error) => tell(String(error)) })
        root.start()
        root.send({ type: 'go' })
        tell(root.getSnapshot().status, root.getSnapshot().value)
      }
    })
  })
})

describe('a light actor', () => {
  it('works with `waitFor` and `toPromise`', async () => {
    const actor = createLightActor(compile(toggle)).start()
    const isOn = waitFor(actor, (snapshot) => snapshot.matches('on'))
    const output = toPromise(actor)
    actor.send({ type: 'go' })
    expect((await isOn).context).toEqual({ n: 1 })
    actor.send({ type: 'end' })
    expect(await output).toBe(1)
  })

  it('is an observable to others, and itself in JSON', () => {
    const actor = createLightActor(compile(toggle), { id: 'me' })
    const asObservable = Reflect.get(actor, Symbol.observable ?? '@@observable') as () => unknown
    expect(asObservable.call(actor)).toBe(actor)
    expect(JSON.stringify({ actor })).toBe('{"actor":{"xstate$$type":1,"id":"me"}}')
    expect([actor.ref, actor.src, actor.logic]).toEqual([actor, actor.logic, actor.logic])
  })

  it('has a session id of its own that stays, which is its id when it was given none', () => {
    const parent = createActor(counter)
    const actors = [1, 2, 3].map(() => createLightActor(compile(toggle), { parent }))
    const ids = actors.map(({ sessionId }) => sessionId)
    expect(new Set(ids).size).toBe(3)
    expect(actors.map(({ sessionId }) => sessionId)).toEqual(ids)
    expect(actors.map(({ id }) => id)).toEqual(ids)
    expect(createLightActor(compile(toggle), { parent, id: 'given' }).id).toBe('given')
  })

  it('can be the base of a class, exchangeable with an Actor', () => {
    for (const Base of [Actor as unknown as typeof LightActor, LightActor]) {
      class Job extends Base<typeof toggle> {
        readonly #name: string
        constructor(name: string) {
          super(toggle, { id: name })
          this.#name = name
        }
        turn(): string {
          this.send({ type: 'go' })
          return `${this.#name} ${this.getSnapshot().value}`
        }
      }
      const job = new Job('lamp').start()
      expect([job.turn(), job.turn(), job.id]).toEqual(['lamp on', 'lamp off', 'lamp'])
    }
  })

  it('uses the clock and the logger it was given', () => {
    const clock = new SimulatedClock()
    const lines: unknown[] = []
    const logger = (...words: unknown[]) => void lines.push(words)
    const root = createLightActor(compile(toggle), { clock, logger })
    const child = createLightActor(compile(toggle), { parent: root })
    expect([root.clock, root.logger, child.clock, child.logger]).toEqual([clock, logger, clock, logger])
  })

  it('asks for input where its logic needs it', () => {
    const machine = setup({
      types: { input: {} as { who: string }, context: {} as { who: string } },
    }).createMachine({
      context: ({ input }) => ({ who: input.who }),
    })
    const actor = createLightActor(compile(machine), { input: { who: 'me' } })
    expectTypeOf(actor.getSnapshot().context).toEqualTypeOf<{ who: string }>()
    // @ts-expect-error input is missing
    expect(createLightActor(compile(machine)).getSnapshot().status).toBe('error')
    expect(actor.getSnapshot().context.who).toBe('me')
  })

  it('leaves the delayed events of others alone when it ends', () => {
    const clock = new SimulatedClock()
    const root = createActor(createMachine({ initial: 'a', states: { a: { after: { 10: 'b' } }, b: {} } }), {
      clock,
    }).start()
    const child = createLightActor(compile(toggle), { parent: root }).start()
    for (const type of ['go', 'end']) child.send({ type })
    clock.increment(10)
    expect(root.getSnapshot().value).toBe('b')
  })
})

function explode(): never {
  throw new Error('exploded')
}
