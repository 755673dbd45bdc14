import { Fifo } from '../domain/fifo.ts'
import type { JobActor } from './job.ts'

/**
 * The effects that steps have asked for, as data, in order: an action of a chart, and whose.
 *
 * Job, name and params lie one after the other: an object for each effect would be the pool's most frequent one.
 */
export class EffectQueue {
  readonly #parts = new Fifo<unknown>()

  /** @param job - Absent for the pool's own effects. */
  push(job: JobActor | undefined, type: string, params: unknown): void {
    this.#parts.push(job)
    this.#parts.push(type)
    this.#parts.push(params)
  }

  /** Takes the oldest effect out, and gives it to `carryOut`; `false` when there is none. */
  shift(carryOut: (job: JobActor | undefined, type: string, params: unknown) => void): boolean {
    if (this.#parts.size === 0) return false
    const job = this.#parts.shift() as JobActor | undefined
    const type = this.#parts.shift() as string
    carryOut(job, type, this.#parts.shift())
    return true
  }
}
