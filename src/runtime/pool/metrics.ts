import { type DurationSummary, Histogram } from '../../domain/histogram.ts'
import type { JobResult } from '../../domain/job.ts'

/** How a pool performs. Durations are ms, within 3 %. */
export interface PoolMetrics {
  /** Ended jobs per second, over the last ten seconds or the pool's life, whichever is shorter. */
  readonly jobsPerSecond: number
  /** From an attempt's start to its job's end. */
  readonly executionMs: DurationSummary
  /** From submission to the start of the last attempt, delays included. */
  readonly queueMs: DurationSummary
  /** How long callbacks took. */
  readonly callbackMs: DurationSummary
  readonly callbackFaults: number
  /** Jobs that wait, now. */
  readonly queueDepth: number
  /** The share of all slots that was busy since the first job was submitted, 0 to 1. */
  readonly slotUtilisation: number
  /** Completed jobs as a share of completed and failed ones; 1 before the first. */
  readonly successRate: number
  /** Attempts that were followed by another, lost ones too: as many as there were events `job.retrying`. */
  readonly retries: number
  /** Events that reached a job and changed nothing. */
  readonly ignoredEvents: number
  readonly elapsedMs: number
}

const WINDOW_SECONDS = 10

/** Counts what the pool's rows do not tell by themselves. */
export class Meter {
  readonly executionMs = new Histogram()
  readonly queueMs = new Histogram()
  readonly callbackMs = new Histogram()
  callbackFaults = 0
  retries = 0
  ignoredEvents = 0
  #startedAt: number | undefined
  /** Ended jobs by second, in a ring; `#second` is the newest. */
  readonly #ended = new Float64Array(WINDOW_SECONDS + 1)
  #second = 0
  #busySlots = 0
  #slots = 0
  #changedAt = 0
  #busySlotMs = 0
  #slotMs = 0

  /** The pool has got its first job. */
  start(at: number): void {
    if (this.#startedAt !== undefined) return
    this.#startedAt = at
    this.#changedAt = at
    this.#second = Math.floor(at / 1000)
  }

  /** How many slots there are, and are busy, from now on; where the limit was lowered, more may be busy than there are. */
  slotsChanged(at: number, busy: number, slots: number): void {
    const ms = Math.max(0, at - this.#changedAt)
    this.#busySlotMs += this.#busySlots * ms
    this.#slotMs += this.#slots * ms
    this.#changedAt = at
    this.#busySlots = Math.min(busy, slots)
    this.#slots = slots
  }

  jobEnded(result: JobResult): void {
    this.#turnTo(Math.floor(result.endedAt / 1000))
    const index = this.#second % this.#ended.length
    this.#ended[index] = (this.#ended[index] as number) + 1
    if (result.startedAt === undefined) return
    this.executionMs.record(result.durationMs)
    this.queueMs.record(result.startedAt - result.queuedAt)
  }

  read(at: number, counts: { queued: number; completed: number; failed: number }): PoolMetrics {
    this.slotsChanged(at, this.#busySlots, this.#slots)
    this.#turnTo(Math.floor(at / 1000))
    const elapsedMs = this.#startedAt === undefined ? 0 : Math.max(0, at - this.#startedAt)
    const windowSeconds = Math.min(elapsedMs / 1000, WINDOW_SECONDS + (at / 1000 - this.#second))
    const ended = this.#ended.reduce((sum, count) => sum + count, 0)
    const finished = counts.completed + counts.failed
    return {
      jobsPerSecond: windowSeconds > 0 ? ended / windowSeconds : 0,
      executionMs: this.executionMs.summary(),
      queueMs: this.queueMs.summary(),
      callbackMs: this.callbackMs.summary(),
      callbackFaults: this.callbackFaults,
      queueDepth: counts.queued,
      slotUtilisation: this.#slotMs > 0 ? this.#busySlotMs / this.#slotMs : 0,
      successRate: finished > 0 ? counts.completed / finished : 1,
      retries: this.retries,
      ignoredEvents: this.ignoredEvents,
      elapsedMs,
    }
  }

  /** Empties the seconds that have passed without an end. */
  #turnTo(second: number): void {
    const passed = Math.min(second - this.#second, this.#ended.length)
    for (let step = 1; step <= passed; step++) this.#ended[(this.#second + step) % this.#ended.length] = 0
    if (second > this.#second) this.#second = second
  }
}
