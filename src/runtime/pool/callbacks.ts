import { EspalierError } from '../../domain/errors.ts'
import type { JobResult } from '../../domain/job.ts'
import { isThenable } from '../../domain/thrown.ts'
import type { Deadlines, Sleeper } from '../scheduling/deadlines.ts'
import type { Meter } from './metrics.ts'
import type { PoolSettings } from './options.ts'

type Callback = (result: JobResult) => unknown

/** Calls jobs' callbacks: each at most once, for a bounded time, and without any effect on its job. */
export class CallbackRunner {
  readonly #settings: Pick<PoolSettings, 'clock' | 'logger' | 'callbackTimeoutMs' | 'enableCallbacks'>
  readonly #deadlines: Deadlines
  readonly #meter: Meter
  #open = 0
  #isCalling = false
  #waiters: (() => void)[] = []

  constructor(settings: PoolSettings, deadlines: Deadlines, meter: Meter) {
    this.#settings = settings
    this.#deadlines = deadlines
    this.#meter = meter
  }

  /** Whether a callback is on the stack: whoever asks was called by it. */
  get isCalling(): boolean {
    return this.#isCalling
  }

  run(callback: Callback, result: JobResult): void {
    if (!this.#settings.enableCallbacks) return
    const startedAt = this.#settings.clock.now()
    this.#open++
    this.#isCalling = true
    try {
      const returned: unknown = callback(result)
      if (isThenable(returned)) {
        this.#await(Promise.resolve(returned), result, startedAt)
        return
      }
    } catch (thrown) {
      this.#end(startedAt)
      this.#fault(result, thrown)
      return
    } finally {
      this.#isCalling = false
    }
    this.#end(startedAt)
  }

  /** Resolves when no callback is open; each is open for at most its timeout. */
  async drained(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#waiters.push(resolve))
  }

  #await(returned: Promise<unknown>, result: JobResult, startedAt: number): void {
    const { callbackTimeoutMs } = this.#settings
    let isOpen = true
    const end = () => {
      if (!isOpen) return false
      isOpen = false
      this.#deadlines.remove(timeout)
      this.#end(startedAt)
      return true
    }
    const timeout: Sleeper = {
      wish: undefined,
      wake: () => {
        if (!end()) return
        this.#fault(
          result,
          new EspalierError('ESP_CALLBACK_TIMEOUT', { jobId: result.jobId, timeoutMs: callbackTimeoutMs }),
        )
      },
    }
    this.#deadlines.set(timeout, startedAt + callbackTimeoutMs)
    returned.then(end, (thrown) => {
      end()
      this.#fault(result, thrown)
    })
  }

  #end(startedAt: number): void {
    this.#meter.callbackMs.record(this.#settings.clock.now() - startedAt)
    this.#open--
    if (this.#open > 0) return
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter()
  }

  #fault(result: JobResult, thrown: unknown): void {
    this.#meter.callbackFaults++
    this.#settings.logger.error(
      `The callback of job "${result.jobId}" failed; its job is not affected.`,
      thrown,
    )
  }
}
