import {
  type AnyStateMachine,
  type AnyTransitionDefinition,
  createActor,
  type EventFrom,
  type InspectionEvent,
} from 'xstate'
import { transitionId, transitionsOf } from '../../src/statechart/index.ts'

/** The transitions a test has taken, by XState's own account. */
export class Coverage {
  readonly #taken = new Set<string>()
  readonly #all: readonly string[]

  constructor(machine: AnyStateMachine) {
    this.#all = transitionsOf(machine).map(({ id }) => id)
  }

  get missed(): string[] {
    return this.#all.filter((id) => !this.#taken.has(id))
  }

  get size(): number {
    return this.#all.length
  }

  note(event: InspectionEvent): void {
    if (event.type !== '@xstate.microstep') return
    for (const definition of event._transitions as AnyTransitionDefinition[])
      this.#taken.add(transitionId(definition))
  }
}

/** An effect as its chart named it. */
type Effect = readonly [type: string, params?: unknown]

/** Steps a chart in XState's own actor, and notes the effects that it names. */
export function createStepper<Machine extends AnyStateMachine>(
  machine: Machine,
  input: unknown,
  coverage: Coverage,
) {
  let effects: Effect[] = []
  const actor = createActor(machine as AnyStateMachine, {
    input,
    inspect: (event) => {
      coverage.note(event)
      if (event.type !== '@xstate.action' || event.action.type.startsWith('xstate.')) return
      const { type, params } = event.action
      effects.push(params === undefined ? [type] : [type, params])
    },
  }).start()
  return {
    get state(): unknown {
      return actor.getSnapshot().value
    },
    get context() {
      return actor.getSnapshot().context
    },
    get output(): unknown {
      return actor.getSnapshot().output
    },
    get snapshot() {
      return actor.getSnapshot()
    },
    /** Sends events, and returns the effects of them all. */
    step(...events: readonly EventFrom<Machine>[]): Effect[] {
      effects = []
      for (const event of events) actor.send(event)
      return effects
    },
  }
}
