import type { JobActor } from '../job/job-actor.ts'

/** Below this many places the queue keeps them when it is empty. */
const KEPT_PARTS = 3 * 1024

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
  readonly #parts: unknown[] = []
  #head = 0
  #tail = 0

  push(job: JobActor | undefined, type: string, params: unknown): void {
    const parts = this.#parts
    const tail = this.#tail
    parts[tail] = job
    parts[tail + 1] = type
    parts[tail + 2] = params
    this.#tail = tail + 3
  }

  /** Takes the oldest effect; `false` when there is none. */
  take(): boolean {
    const head = this.#head
    if (head === this.#tail) return false
    const parts = this.#parts
    this.job = parts[head] as JobActor | undefined
    this.type = parts[head + 1] as string
    this.params = parts[head + 2]
    parts[head] = undefined
    parts[head + 2] = undefined
    this.#head = head + 3
    if (this.#head === this.#tail) this.#reset()
    return true
  }

  #reset(): void {
    if (this.#parts.length > KEPT_PARTS) this.#parts.length = 0
    this.#head = 0
    this.#tail = 0
  }
}
