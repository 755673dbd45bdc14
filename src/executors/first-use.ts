import { isEspalierError } from '../domain/errors.ts'
import type { Attempt, AttemptSink } from '../ports/executor.ts'

/**
 * What an executor loads when its first attempt needs it, and the attempts that wait meanwhile: who only imports
 * espalier does not pay for the libraries of executors.
 */
export class FirstUse<Loaded> {
  /** Absent until it is loaded. */
  loaded: Loaded | undefined
  readonly #load: () => Promise<Loaded>
  readonly #start: (attempt: Attempt, sink: AttemptSink) => void
  readonly #waiting = new Map<Attempt, AttemptSink>()
  #loading: Promise<void> | undefined

  /** @param start - Starts an attempt that has waited. */
  constructor(load: () => Promise<Loaded>, start: (attempt: Attempt, sink: AttemptSink) => void) {
    this.#load = load
    this.#start = start
  }

  /** Holds an attempt until all is loaded. What cannot be loaded fails it; the next attempt tries again, unless nothing is there to load. */
  hold(attempt: Attempt, sink: AttemptSink): void {
    this.#waiting.set(attempt, sink)
    this.#loading ??= this.#begin()
  }

  /** Ends an attempt that still waits. @returns `false` when it does not. */
  withdraw(attempt: Attempt): boolean {
    const sink = this.#waiting.get(attempt)
    if (sink === undefined) return false
    this.#waiting.delete(attempt)
    sink.failed(attempt, attempt.signal.reason)
    return true
  }

  async #begin(): Promise<void> {
    try {
      this.loaded = await this.#load()
      for (const [attempt, sink] of this.#waiting) this.#start(attempt, sink)
    } catch (thrown) {
      this.#loading = undefined
      for (const [attempt, sink] of this.#waiting) {
        if (isEspalierError(thrown, 'ESP_BUNDLED')) sink.rejected(attempt, thrown)
        else sink.failed(attempt, thrown)
      }
    }
    this.#waiting.clear()
  }
}
