import { expect } from 'vitest'
import {
  type ActorOptions,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type InspectionEvent,
  initialTransition,
  type Snapshot,
  transition,
} from 'xstate'
import { type CompileOptions, compile, createLightActor } from '../../src/statechart/index.ts'

/** One thing done to an actor from outside. */
export type Act =
  | { readonly do: 'start' | 'stop' | 'restore' | 'subscribe' | 'unsubscribe' }
  | { readonly do: 'send'; readonly event: AnyEventObject }

export interface Setting {
  /** A root owns its system; a child reports to a parent. */
  readonly place: 'root' | 'child'
  readonly inspected: boolean
  readonly observed: boolean
}

const settings: readonly Setting[] = [
  { place: 'root', inspected: true, observed: false },
  { place: 'child', inspected: true, observed: true },
  { place: 'child', inspected: false, observed: false },
  { place: 'root', inspected: false, observed: true },
]

/** How a machine is run; the first is XState alone, and the measure of the others. */
const runners = {
  'XState machine in an Actor': { isCompiled: false, create: createActor },
  'compiled machine in an Actor': { isCompiled: true, create: createActor },
  'compiled machine in a LightActor': { isCompiled: true, create: createLightActor },
  'XState machine in a LightActor': { isCompiled: false, create: createLightActor },
} as const

let diary: string[] = []

/** Notes something that happened, in the diary of the actor being run; actions and guards of test charts call it. */
export function note(what: string, details?: unknown): void {
  diary.push(details === undefined ? what : `${what} ${text(details)}`)
}

/**
 * Expects a machine to behave the same in all runners, for every way of sending it the given events.
 *
 * Every state that is reached within `depth` events is reached in each runner by the same events, and from there every
 * event is sent. Compared are snapshots, effects, emitted events, notifications, inspection, and what the parent hears.
 *
 * @param options.events - The events to send; with the fields which the machine reads.
 * @param options.depth - The length of the longest sequence; default 4.
 * @param options.statesMax - Stops exploring after so many states; default 300.
 * @param options.compiling - How to compile the machine.
 * @returns How many states and sequences were compared.
 */
export function expectConformance(
  machine: AnyStateMachine,
  options: {
    readonly events: readonly AnyEventObject[]
    readonly input?: unknown
    readonly depth?: number
    readonly statesMax?: number
    readonly compiling?: CompileOptions
  },
): { states: number; sequences: number } {
  const { events, input, depth = 4, statesMax = 300, compiling = {} } = options
  const noted = noteEffects(machine)
  const compiled = compile(noted, compiling)
  const paths = explore(machine, events, input, depth, statesMax)
  let sequences = 0
  for (const path of paths) {
    const acts: Act[] = [{ do: 'start' }, ...path.map((event): Act => ({ do: 'send', event }))]
    for (const event of events) {
      const setting = settings[sequences % settings.length] as Setting
      expectSameDiaries(noted, compiled, [...acts, { do: 'send', event }], { input, events, setting })
      sequences += 1
    }
    const ending: Act[] = [...acts, { do: 'restore' }, { do: 'start' }, ...acts.slice(1), { do: 'stop' }]
    expectSameDiaries(noted, compiled, ending, { input, events, setting: settings[0] as Setting })
  }
  return { states: paths.length, sequences }
}

/** Expects all runners to write the same diary, in the given setting or in all of them. */
export function expectSameDiaries(
  machine: AnyStateMachine,
  compiled: AnyStateMachine,
  acts: readonly Act[],
  options: {
    readonly input?: unknown
    readonly events?: readonly AnyEventObject[]
    readonly setting?: Setting
  } = {},
): void {
  for (const setting of options.setting ? [options.setting] : settings) {
    const [reference, ...others] = Object.entries(runners).map(([name, { isCompiled, create }]) => ({
      name,
      diary: keepDiary(isCompiled ? compiled : machine, create as typeof createActor, acts, {
        ...options,
        setting,
      }),
    }))
    for (const other of others) {
      expect(other.diary, `${other.name}, ${text(setting)}, ${text(acts)}`).toEqual(reference?.diary)
    }
  }
}

/** Runs one actor through the acts and writes down everything that can be seen of it. */
function keepDiary(
  machine: AnyStateMachine,
  create: (logic: AnyStateMachine, options: ActorOptions<AnyStateMachine>) => AnyActorRef,
  acts: readonly Act[],
  options: {
    readonly input?: unknown
    readonly events?: readonly AnyEventObject[]
    readonly setting: Setting
  },
): readonly string[] {
  diary = []
  const { place, inspected, observed } = options.setting
  const names = new Map<string, string>()
  const inspect = (event: InspectionEvent) => note('inspect', describeInspection(event, names))
  const timer = globalThis.setTimeout
  const { warn } = console
  console.warn = () => {}
  globalThis.setTimeout = reportAtOnce as unknown as typeof setTimeout
  try {
    const parent =
      place === 'child' ? createActor(parentLogic, inspected ? { inspect } : {}).start() : undefined
    const make = (snapshot?: Snapshot<unknown>): AnyActorRef => {
      const actor = create(machine, {
        id: 'subject',
        input: options.input,
        ...(parent ? { parent } : inspected && { inspect }),
        ...(snapshot && { snapshot }),
      } as ActorOptions<AnyStateMachine>)
      actor.on('*', (event: AnyEventObject) => note('emitted', event))
      if (observed) actor.subscribe(observer('first'))
      return actor
    }
    let actor = make()
    let subscription: { unsubscribe(): void } | undefined
    let before: AnyMachineSnapshot | undefined
    for (const act of acts) {
      note('act', act)
      attempt(() => {
        if (act.do === 'send') actor.send(act.event)
        else if (act.do === 'start') actor.start()
        else if (act.do === 'stop') stop(actor, parent)
        else if (act.do === 'restore') actor = make(JSON.parse(JSON.stringify(actor.getPersistedSnapshot())))
        else if (act.do === 'subscribe') subscription = actor.subscribe(observer('second'))
        else subscription?.unsubscribe()
      })
      const snapshot: AnyMachineSnapshot = actor.getSnapshot()
      note('snapshot', describeSnapshot(snapshot, options.events ?? []))
      note('persisted', JSON.stringify(actor.getPersistedSnapshot()))
      note('same', { snapshot: snapshot === before, context: snapshot.context === before?.context })
      before = snapshot
    }
    return diary
  } finally {
    globalThis.setTimeout = timer
    console.warn = warn
  }
}

const parentLogic: AnyActorLogic = {
  getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }),
  getPersistedSnapshot: (snapshot) => snapshot,
  transition(snapshot, event, scope) {
    if (event.type === 'stop') scope.stopChild(event.child)
    else note('parent hears', event)
    return snapshot
  },
}

const stop = (actor: AnyActorRef, parent: AnyActorRef | undefined): void => {
  if (parent) parent.send({ type: 'stop', child: actor })
  else actor.stop()
}

const observer = (name: string) => ({
  next: (snapshot: AnyMachineSnapshot) =>
    note(`${name} next`, [snapshot.status, snapshot.value, snapshot.context]),
  error: (error: unknown) => note(`${name} error`, error),
  complete: () => note(`${name} complete`),
})

/** XState throws unhandled errors from a timer. */
function reportAtOnce(report: () => void): number {
  attempt(report, 'unhandled')
  return 0
}

function attempt(act: () => void, what = 'thrown'): void {
  try {
    act()
  } catch (error) {
    note(what, error)
  }
}

function describeSnapshot(snapshot: AnyMachineSnapshot, events: readonly AnyEventObject[]): unknown {
  const { status, value, context, output, error } = snapshot
  return {
    ...{ status, value, context, output, error },
    tags: ask(() => [...snapshot.tags]),
    hasTag: ask(() => [...snapshot.tags].every((tag) => snapshot.hasTag(tag as never))),
    meta: ask(() => snapshot.getMeta()),
    nodes: ask(() => snapshot._nodes.map((node) => node.id)),
    children: snapshot.children,
    historyValue: snapshot.historyValue,
    json: JSON.stringify(snapshot),
    matches: ask(() => snapshot.matches(value as never)),
    can: events.map((event) => ask(() => snapshot.can(event))),
    keys: ['machine' in snapshot, 'value' in snapshot],
  }
}

function ask(question: () => unknown): unknown {
  try {
    return question()
  } catch (error) {
    return error
  }
}

function describeInspection(event: InspectionEvent, names: Map<string, string>): unknown {
  const name = (ref: { sessionId: string } | undefined): string | undefined => {
    if (ref === undefined) return undefined
    if (!names.has(ref.sessionId)) names.set(ref.sessionId, `actor ${names.size}`)
    return names.get(ref.sessionId)
  }
  const { type, actorRef, rootId, ...rest } = event as InspectionEvent & Record<string, unknown>
  const details: Record<string, unknown> = { type, actor: name(actorRef), root: name({ sessionId: rootId }) }
  if ('sourceRef' in rest) details.source = name(rest.sourceRef as AnyActorRef | undefined)
  if ('event' in rest) details.event = rest.event
  if ('action' in rest) details.action = rest.action
  if ('_transitions' in rest) details.transitions = JSON.stringify(rest._transitions)
  if ('snapshot' in rest) {
    const { status, value, context, output, error } = rest.snapshot as AnyMachineSnapshot
    details.snapshot = { status, value, context, output, error }
  }
  return details
}

/** Text in which different things differ: the order of keys, `undefined`, errors. */
function text(details: unknown): string {
  return JSON.stringify(details, (_key, value) => {
    if (value === undefined) return '(undefined)'
    if (typeof value === 'function') return `(function ${value.name})`
    if (value instanceof Error) return `(${value.name}: ${value.message})`
    if (typeof value?.getSnapshot === 'function') return '(actor)'
    return value
  })
}

/** The same machine, whose named effects are noted. */
function noteEffects(machine: AnyStateMachine): AnyStateMachine {
  const actions = Object.entries(machine.implementations.actions as Record<string, unknown>)
  const custom = actions.filter(([, action]) => typeof action === 'function' && !('resolve' in action))
  const noted = custom.map(([name]) => [
    name,
    ({ context, event }: { context: unknown; event: unknown }, params: unknown) =>
      note('effect', { name, params, context, event }),
  ])
  return machine.provide({ actions: Object.fromEntries(noted) } as never)
}

/** Finds the states within reach and the shortest events to each. */
function explore(
  machine: AnyStateMachine,
  events: readonly AnyEventObject[],
  input: unknown,
  depth: number,
  statesMax: number,
): AnyEventObject[][] {
  const [initial] = initialTransition(machine, input as never)
  const key = ({ status, value, context, output }: AnyMachineSnapshot) =>
    text({ status, value, context, output })
  const seen = new Set([key(initial)])
  const found: AnyEventObject[][] = [[]]
  let edge: { snapshot: AnyMachineSnapshot; path: AnyEventObject[] }[] = [{ snapshot: initial, path: [] }]
  for (let length = 1; length < depth && edge.length > 0; length++) {
    const next: typeof edge = []
    for (const { snapshot, path } of edge) {
      for (const event of events) {
        const reached = after(machine, snapshot, event)
        if (reached === undefined || seen.has(key(reached)) || seen.size >= statesMax) continue
        seen.add(key(reached))
        next.push({ snapshot: reached, path: [...path, event] })
        found.push([...path, event])
      }
    }
    edge = next.filter(({ snapshot }) => snapshot.status === 'active')
  }
  return found
}

function after(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: AnyEventObject,
): AnyMachineSnapshot | undefined {
  try {
    return transition(machine, snapshot, event as never)[0]
  } catch {
    return undefined
  }
}
