import { describePressure } from '../../domain/pressure.ts'
import type { PoolStreamEvent } from '../events/events.ts'
import type { Loop } from './loop.ts'

/** Carries out what the pool's chart asks for. */
export class PoolEffects {
  /** Resolves when the pool is closed. */
  readonly closed: Promise<void>
  readonly #loop: Loop
  #resolveClosed: () => void = () => {}

  constructor(loop: Loop) {
    this.#loop = loop
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
  }

  carryOut(type: string, params: unknown): void {
    const { meter, slots, limit, deadlines } = this.#loop
    switch (type) {
      case 'dispatch':
        // Granting slots is what follows when no effect is left.
        meter.slotsChanged(this.#loop.now(), slots.busy, limit)
        return
      case 'cancelJobs':
        if (this.#loop.leaving?.isWanted) this.#loop.leaving.begin()
        else this.#cancelAll((params as { reason: string }).reason)
        return
      case 'wakeAt':
        deadlines.wish(this.#loop, (params as { at: number }).at)
        return
      case 'notify':
        this.#notify({ ...(params as PoolStreamEvent), at: this.#loop.now() })
        return
      case 'close':
        this.#close()
        return
      default:
        throw new Error(`The pool chart asks for an effect "${type}" that the runtime does not know.`)
    }
  }

  #cancelAll(reason: string): void {
    for (const job of this.#loop.jobs.entries())
      if (job.isActive) this.#loop.cancel(job.actor, 'shutdown', reason)
  }

  #notify(event: PoolStreamEvent): void {
    this.#loop.recorder?.poolChanged(event.type, event.at)
    const { logger } = this.#loop.settings
    if (event.type === 'pool.throttled') {
      const why = event.reasons.map(describePressure).join('; ')
      logger.warn(`The pool is throttled: jobs start one at a time, since ${why}.`)
    } else if (event.type === 'pool.unthrottled') logger.info('The pool is not throttled any more.')
    this.#loop.announcer.tell(event)
  }

  #close(): void {
    const { store, closesStore, clock } = this.#loop.settings
    this.#loop.deadlines.remove(this.#loop)
    this.#loop.commitTurn()
    this.#loop.announcer.events.close()
    if (store === undefined) {
      this.#resolveClosed()
      return
    }
    const end = () => {
      this.#loop.commitTurn()
      this.#loop.leaving?.end()
      if (closesStore) store.close()
      this.#resolveClosed()
    }
    // A run that ends with its pool says so in the next turn, and is recorded in the one after.
    clock.soon(() => {
      this.#loop.leaving?.close()
      clock.soon(end)
    })
  }
}
