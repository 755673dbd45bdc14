import fc from 'fast-check'
import { type AnyEventObject, type AnyStateMachine, and, assign, emit, not, or, setup, stateIn } from 'xstate'
import type { Act } from './conformance.ts'
import { note } from './conformance.ts'

interface Transition {
  /** Picks the target among all states; absent for none. */
  readonly target?: number | undefined
  /** Picks two regions of one parallel state instead. */
  readonly isMultiple: boolean
  readonly reenter: boolean
  readonly guard: Guard
  readonly actions: readonly Action[]
}
type Guard = { readonly kind: (typeof guardKinds)[number]; readonly limit: number }
type Action = { readonly kind: (typeof actionKinds)[number]; readonly amount: number }

/** A state as generated: what it may use depends on its type, which its children decide. */
interface State {
  readonly isParallel: boolean
  readonly isFinal: boolean
  readonly children: readonly State[]
  readonly entry: readonly Action[]
  readonly exit: readonly Action[]
  readonly initial: readonly Action[]
  readonly on: readonly (readonly [string, readonly Transition[] | 'forbidden' | 'empty'])[]
  readonly onDone: readonly Transition[]
  readonly tags: readonly string[]
  readonly hasMeta: boolean
  readonly output: number | undefined
}

const guardKinds = [
  'none',
  'none',
  'none',
  'below',
  'named',
  'dynamic',
  'not',
  'and',
  'or',
  'in',
  'throws',
] as const
const actionKinds = ['tell', 'tell', 'dynamic', 'inline', 'increment', 'set', 'emit', 'throws'] as const
const eventTypes = ['e0', 'e1', 'e2', 'a', 'a.b', 'a.b.c', 'unknown']
const descriptors = ['e0', 'e1', 'e2', 'a.b', 'a.*', 'a.b.*', '*']
const contextMax = 9

const guard = fc.record({ kind: fc.constantFrom(...guardKinds), limit: fc.integer({ min: 0, max: 4 }) })
const action = fc.record({ kind: fc.constantFrom(...actionKinds), amount: fc.integer({ min: 0, max: 3 }) })
const actions = fc.array(action, { maxLength: 2 })
const transition = fc.record({
  target: fc.option(fc.nat(50), { nil: undefined }),
  isMultiple: fc.integer({ min: 0, max: 7 }).map((draw) => draw === 0),
  reenter: fc.boolean(),
  guard,
  actions,
})
const reaction = fc.oneof(
  { weight: 8, arbitrary: fc.array(transition, { minLength: 1, maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constant('forbidden' as const) },
  { weight: 1, arbitrary: fc.constant('empty' as const) },
)

const states: fc.Memo<State> = fc.memo((depth) =>
  fc.record({
    isParallel: fc.boolean(),
    isFinal: fc.integer({ min: 0, max: 2 }).map((draw) => draw === 0),
    children: depth > 1 ? fc.array(states(depth - 1), { maxLength: 3 }) : fc.constant([]),
    entry: actions,
    exit: actions,
    initial: fc.array(action, { maxLength: 1 }),
    on: fc.array(fc.tuple(fc.constantFrom(...descriptors), reaction), { maxLength: 4 }),
    onDone: fc.array(transition, { maxLength: 2 }),
    tags: fc.array(fc.constantFrom('t0', 't1', 't2'), { maxLength: 2 }),
    hasMeta: fc.boolean(),
    output: fc.option(fc.nat(3), { nil: undefined }),
  }),
)

/** Machines of any shape, over a small counter. */
export const machines: fc.Arbitrary<AnyStateMachine> = fc
  .tuple(fc.array(states(3), { minLength: 1, maxLength: 3 }), states(1))
  .map(([children, root]) => build({ ...root, isFinal: false, children }))

/** Ways of treating an actor; most of them start it first. */
export const treatments: fc.Arbitrary<readonly Act[]> = fc
  .tuple(
    fc.boolean(),
    fc.array(
      fc.oneof(
        {
          weight: 20,
          arbitrary: fc
            .record({ type: fc.constantFrom(...eventTypes), x: fc.nat(3) })
            .map((event): Act => ({ do: 'send', event })),
        },
        {
          weight: 2,
          arbitrary: fc.constantFrom<Act>({ do: 'subscribe' }, { do: 'unsubscribe' }, { do: 'start' }),
        },
        { weight: 1, arbitrary: fc.constant<Act>({ do: 'restore' }) },
        { weight: 1, arbitrary: fc.constant<Act>({ do: 'stop' }) },
      ),
      { minLength: 3, maxLength: 12 },
    ),
  )
  .map(([isLate, acts]) => {
    const restarted = acts.flatMap((act): Act[] => (act.do === 'restore' ? [act, { do: 'start' }] : [act]))
    return isLate ? restarted : [{ do: 'start' }, ...restarted]
  })

/** The events whose possibility is asked for. */
export const questions: readonly AnyEventObject[] = eventTypes.map((type) => ({ type, x: 1 }))

type Context = { n: number }
type Args = { context: Context; event: AnyEventObject }

const machineSetup = setup({
  types: { context: {} as Context, events: {} as AnyEventObject, emitted: {} as AnyEventObject },
  guards: { isBelow: ({ context }, params: { limit: number }) => context.n < params.limit },
  actions: {
    tell: ({ context, event }, params: unknown) => note('tell', { context, event, params }),
    set: assign((_, params: { amount: number }) => ({ n: params.amount })),
  },
})

function build(root: State): AnyStateMachine {
  const all: { id: string; path: readonly number[]; state: State }[] = []
  const collect = (state: State, path: readonly number[]): void => {
    all.push({ id: `n${all.length}`, path, state })
    for (const [index, child] of state.children.entries()) collect(child, [...path, index])
  }
  collect(root, [])
  const others = all.slice(1)
  const parallels = all.filter(({ state }) => state.isParallel && state.children.length > 1)

  const targetsOf = ({ target, isMultiple }: Transition): string[] | undefined => {
    if (target === undefined) return undefined
    const parallel = isMultiple ? parallels[target % parallels.length] : undefined
    if (parallel === undefined) return [`#${(others[target % others.length] as { id: string }).id}`]
    return [0, 1].map((region) => {
      const path = [...parallel.path, region]
      const inside = all.filter((other) => path.every((index, depth) => other.path[depth] === index))
      return `#${(inside[target % inside.length] as { id: string }).id}`
    })
  }
  const configure = (each: Transition): object => ({
    ...(each.target !== undefined && { target: targetsOf(each) }),
    ...(each.reenter && { reenter: true }),
    ...(each.guard.kind !== 'none' && {
      guard: guardOf(
        each.guard,
        all.map(({ id }) => id),
      ),
    }),
    actions: each.actions.map((action) => actionOf(action)),
  })
  let count = 0
  const config = (state: State): object => {
    const id = `n${count++}`
    const children = Object.fromEntries(state.children.map((child, index) => [`s${index}`, config(child)]))
    const type =
      state.children.length === 0
        ? state.isFinal
          ? 'final'
          : 'atomic'
        : state.isParallel
          ? 'parallel'
          : 'compound'
    const place = (list: string) => (each: Action, index: number) => actionOf(each, index, `${list} ${id}`)
    return {
      id,
      type,
      entry: state.entry.map(place('entry')),
      exit: state.exit.map(place('exit')),
      tags: state.tags,
      on: Object.fromEntries(
        state.on.map(([descriptor, reactions]) => [
          descriptor,
          reactions === 'forbidden' ? undefined : reactions === 'empty' ? [] : reactions.map(configure),
        ]),
      ),
      ...(state.hasMeta && { meta: { of: id } }),
      ...(state.onDone.length > 0 &&
        type !== 'final' &&
        type !== 'atomic' &&
        id !== 'n0' && { onDone: state.onDone.map(configure) }),
      ...(state.output !== undefined &&
        (type === 'final' || id === 'n0') && { output: outputOf(state.output, id) }),
      ...(state.children.length > 0 && { states: children }),
      ...(type === 'compound' && {
        initial: {
          target: `s${(state.output ?? 0) % state.children.length}`,
          actions: state.initial.map(place('initial')),
        },
      }),
    }
  }
  const machine = { ...config(root), context: { n: 0 }, options: { maxIterations: 20 } }
  return Object.assign(machineSetup.createMachine(machine as never) as never, {
    [fc.toStringMethod]: () =>
      JSON.stringify(machine, (_key, value) => (typeof value === 'function' ? `${value}` : value), 1),
  })
}

function guardOf({ kind, limit }: Guard, ids: readonly string[]): unknown {
  const below = ({ context }: Args) => context.n < limit
  switch (kind) {
    case 'named':
      return { type: 'isBelow', params: { limit } }
    case 'dynamic':
      return { type: 'isBelow', params: ({ event }: Args) => ({ limit: Number(event.x ?? 2) }) }
    case 'not':
      return not(below as never)
    case 'and':
      return and([below as never, { type: 'isBelow', params: { limit: limit + 1 } } as never])
    case 'or':
      return or([below as never, ({ event }: Args) => event.x === limit] as never)
    case 'in':
      return stateIn(`#${ids[limit % ids.length]}`)
    case 'throws':
      return ({ context }: Args) => {
        if (context.n === limit + 3) throw new Error(`guard at ${context.n}`)
        return context.n % 2 === 0
      }
    default:
      return below
  }
}

function actionOf({ kind, amount }: Action, index = 0, place = 'transition'): unknown {
  switch (kind) {
    case 'dynamic':
      return {
        type: 'tell',
        params: ({ context, event }: Args) => ({ place, index, n: context.n, type: event.type }),
      }
    case 'inline':
      return ({ context, event }: Args) => note(`inline ${place}`, { context, event })
    case 'increment':
      return assign({ n: ({ context }: Args) => (context.n + amount) % contextMax } as never)
    case 'set':
      return { type: 'set', params: { amount } }
    case 'emit':
      return emit((({ context }: Args) => ({ type: 'emitted', place, n: context.n })) as never)
    case 'throws':
      return ({ context }: Args) => {
        if (context.n === amount + 4) throw new Error(`${place} at ${context.n}`)
      }
    default:
      return { type: 'tell', params: { place, amount } }
  }
}

function outputOf(output: number, id: string): unknown {
  if (output === 0) return { of: id }
  return ({ context, event }: Args) => {
    return { n: context.n, type: event.type }
  }
}
