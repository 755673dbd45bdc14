import type { AnyActorRef, AnyEventObject, AnyMachineSnapshot, AnyStateMachine, StateValue } from 'xstate'
import { getShortestPaths, getSimplePaths } from 'xstate/graph'

/** How the paths of a machine are looked for. */
export interface MachinePathsOptions {
  readonly input?: unknown
  /**
   * Events to send, by type: several payloads, or a function that makes them from the snapshot. Events that are not named
   * are sent bare; what an invoked actor answers is sent as `output: undefined`, and its failure as an error.
   */
  readonly events?: Readonly<
    Record<string, readonly object[] | ((snapshot: AnyMachineSnapshot) => readonly object[])>
  >
  /** `shortest`: one path to each state (the default); `simple`: every path that visits no state twice. */
  readonly kind?: 'shortest' | 'simple'
  /** What tells two states apart: the state's value and the context (the default), or the value alone. */
  readonly by?: 'value and context' | 'value'
  /** Steps of the search, after which it gives up. Default 10,000. */
  readonly maxSteps?: number
}

/** A way through a machine from its start. */
export interface MachinePath {
  /** The state it leads to. */
  readonly value: StateValue
  readonly context: unknown
  readonly events: readonly AnyEventObject[]
  /** The types of the events, with arrows between them. */
  readonly description: string
  /** Sends the events to an actor, one after the other. */
  run(actor: Pick<AnyActorRef, 'send'>): void
}

const DEFAULT_MAX_STEPS = 10_000

/**
 * Finds the paths through a machine, for tests of users' own machines: one to each state that can be reached.
 *
 * @throws {Error} When the search does not come to an end within `maxSteps`, as with a context that counts for ever:
 * look at states by their value then.
 */
export function machinePaths(
  machine: AnyStateMachine,
  options: MachinePathsOptions = {},
): readonly MachinePath[] {
  const { kind = 'shortest', by = 'value and context', input, maxSteps = DEFAULT_MAX_STEPS } = options
  const find = kind === 'shortest' ? getShortestPaths : getSimplePaths
  const keyOf = (snapshot: AnyMachineSnapshot) =>
    JSON.stringify(by === 'value' ? snapshot.value : [snapshot.value, snapshot.context])
  const found = find(machine, {
    input: input as never,
    events: (snapshot: AnyMachineSnapshot) => eventsOf(machine, snapshot, options),
    serializeState: keyOf as never,
    limit: maxSteps,
  })
  return found.map(({ state, steps }) => {
    const events = steps
      .map(({ event }) => event as AnyEventObject)
      .filter(({ type }) => type !== 'xstate.init')
    const { value, context } = state as unknown as AnyMachineSnapshot
    return {
      value,
      context,
      events,
      description: events.map(({ type }) => type).join(' → ') || '(start)',
      run: (actor) => {
        for (const event of events) actor.send(event)
      },
    }
  })
}

function eventsOf(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  { events = {} }: MachinePathsOptions,
): AnyEventObject[] {
  const types = machine.events as readonly string[]
  return types.flatMap((type) => {
    const given = events[type]
    if (given === undefined) return type.includes('*') ? [] : [bare(type)]
    const payloads = typeof given === 'function' ? given(snapshot) : given
    return payloads.map((payload) => ({ ...payload, type }))
  })
}

function bare(type: string): AnyEventObject {
  if (type.startsWith('xstate.done.')) return { type, output: undefined }
  if (type.startsWith('xstate.error.')) return { type, error: new Error(`Simulated: ${type}.`) }
  return { type }
}
