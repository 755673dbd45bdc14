import { Fifo } from '../domain/fifo.ts'
import type { JobActor } from './job.ts'

/**
 * The effects that steps have asked for, as data, in order: an action of a chart, and whose.
 *
 * Job, name and params lie one after the other: an object for each effect would be the pool's most frequent one.
 */
export class EffectQueue {
  /** The effect that was taken last; `job` is absent for the pool's own. */
  job: JobActor | undefined
  type = ''
  params: unknown
  readonly #parts = new Fifo<unknown>()

  push(job: JobActor | undefined, type: string, params: unknown): void {
    this.#parts.push(job)
    this.#parts.push(type)
    this.#parts.push(params)
  }

  /** Takes the oldest effect; `false` when there is none. */
  take(): boolean {
    if (this.#parts.size === 0) return false
    this.job = this.#parts.shift() as JobActor | undefined
    this.type = this.#parts.shift() as string
    this.params = this.#parts.shift()
    return true
  }
}
