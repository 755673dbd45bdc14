import { describePressure } from '../domain/pressure.ts'
import type { PoolStreamEvent } from './events.ts'
import type { Supervisor } from './supervisor.ts'

/** Carries out what the pool's chart asks for. */
export class PoolEffects {
  /** Resolves when the pool is closed. */
  readonly closed: Promise<void>
  readonly #supervisor: Supervisor
  #resolveClosed: () => void = () => {}

  constructor(supervisor: Supervisor) {
    this.#supervisor = supervisor
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
  }

  carryOut(type: string, params: unknown): void {
    const { meter, slots, limit, deadlines } = this.#supervisor
    switch (type) {
      case 'dispatch':
        // Granting slots is what follows when no effect is left.
        meter.slotsChanged(this.#supervisor.now(), slots.busy, limit)
        return
      case 'cancelJobs':
        this.#cancelAll((params as { reason: string }).reason)
        return
      case 'wakeAt':
        deadlines.wish(this.#supervisor, (params as { at: number }).at)
        return
      case 'notify':
        this.#notify({ ...(params as PoolStreamEvent), at: this.#supervisor.now() })
        return
      case 'close':
        this.#close()
        return
      default:
        throw new Error(`The pool chart asks for an effect "${type}" that the runtime does not know.`)
    }
  }

  #cancelAll(reason: string): void {
    for (const job of this.#supervisor.jobs.values()) this.#supervisor.cancel(job, 'shutdown', reason)
  }

  #notify(event: PoolStreamEvent): void {
    const { logger } = this.#supervisor.settings
    if (event.type === 'pool.throttled') {
      const why = event.reasons.map(describePressure).join('; ')
      logger.warn(`The pool is throttled: jobs start one at a time, since ${why}.`)
    } else if (event.type === 'pool.unthrottled') logger.info('The pool is not throttled any more.')
    this.#supervisor.announcer.tell(event)
  }

  #close(): void {
    this.#supervisor.deadlines.remove(this.#supervisor)
    this.#supervisor.announcer.events.close()
    this.#resolveClosed()
  }
}
