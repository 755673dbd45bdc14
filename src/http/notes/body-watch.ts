import type { AnyStateMachine, Subscription } from 'xstate'
import type { JobActor } from '../../runtime/job/job-actor.ts'
import { activeStates } from './active-states.ts'
import type { RawItem } from './raw-chunk.ts'

/** States that are noted of one attempt; then one note says that there were more. */
const STATES_MAX = 1_000

interface Watched {
  /** Epoch ms. */
  readonly now: () => number
  /** The hash that names a machine. */
  readonly meet: (machine: AnyStateMachine) => string
}

interface MachineSnapshot {
  readonly machine?: AnyStateMachine
}

/** Notes where the actors are that are the bodies of attempts: each state of a machine, while the attempt runs. */
export class BodyWatch {
  readonly #pool: Watched
  readonly #note: (item: RawItem) => void
  readonly #subscriptions = new Set<Subscription>()

  constructor(pool: Watched, note: (item: RawItem) => void) {
    this.#pool = pool
    this.#note = note
  }

  /** @param at - Epoch ms: since when it is known to be where it is. */
  watch(job: JobActor, attempt: number, at: number): void {
    const { body, sequence } = job
    const snapshot = body?.getSnapshot() as MachineSnapshot | undefined
    const machine = snapshot?.machine ?? machineIn(job.execute)
    const hash = machine === undefined ? '' : this.#pool.meet(machine)
    let active = activeOf(snapshot)
    const note = (instant: number) =>
      this.#note({ type: 'body', job: sequence, at: instant, attempt, machine: hash, active })
    note(at)
    if (body === undefined || machine === undefined) return
    let noted = 1
    const subscription = body.subscribe({
      next: (next: MachineSnapshot) => {
        const reached = activeOf(next)
        if (reached === active) return
        active = ++noted > STATES_MAX ? '' : reached
        note(this.#pool.now())
        if (active === '') this.#end(subscription)
      },
      // Its job tells of it; without this, XState would report it as nobody's.
      error: () => this.#end(subscription),
      complete: () => this.#end(subscription),
    })
    this.#subscriptions.add(subscription)
  }

  close(): void {
    for (const subscription of this.#subscriptions) this.#end(subscription)
  }

  #end(subscription: Subscription): void {
    subscription.unsubscribe()
    this.#subscriptions.delete(subscription)
  }
}

/** As JSON; empty where there are none. */
function activeOf(snapshot: MachineSnapshot | undefined): string {
  const states = activeStates(snapshot)
  return states.length === 0 ? '' : JSON.stringify(states)
}

/** The machine of a body that has ended before it could be asked. */
function machineIn(execute: unknown): AnyStateMachine | undefined {
  const { logic } = (execute ?? {}) as { readonly logic?: Partial<AnyStateMachine> }
  return logic?.root === undefined ? undefined : (logic as AnyStateMachine)
}
