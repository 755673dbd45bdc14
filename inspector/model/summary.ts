import { BLOCKED, DELAYED, EXECUTING, isEnded, READY, STOPPING } from './job-states.ts'
import type { Moment } from './moment.ts'
import { poolAt } from './pool-at.ts'
import type { RunStore } from './run-store.ts'

/** Over so much time before the moment the rate is taken, ms. */
const RATE_WINDOW_MS = 10_000

/** Figures of a run at a moment. */
export class Summary {
  readonly #run: RunStore
  readonly #moment: Moment

  constructor(run: RunStore, moment: Moment) {
    this.#run = run
    this.#moment = moment
  }

  /** Since the first event. */
  get elapsedMs(): number {
    return this.#moment.at - this.#run.epoch
  }

  get running(): number {
    return this.#moment.counts[EXECUTING]! + this.#moment.counts[STOPPING]!
  }

  get backlog(): number {
    return this.#moment.counts.reduce((sum, count, state) => (isEnded(state) ? sum : sum + count), 0)
  }

  /** Jobs that ended, per second, over the last seconds before the moment. */
  get jobsPerSecond(): number {
    const { series, epoch } = this.#run
    const spanMs = Math.min(RATE_WINDOW_MS, this.elapsedMs)
    if (spanMs <= 0) return 0
    const last = Math.min(series.length - 1, Math.floor((this.#moment.at - epoch) / series.width))
    const first = Math.max(0, last - Math.max(1, Math.round(spanMs / series.width)) + 1)
    const ended = series.sum(['completed', 'failed', 'cancelled'], first, last)
    return ended / (((last - first + 1) * series.width) / 1000)
  }

  /**
   * When nothing would be left at this rate; `undefined` when that cannot be told, while the pool is paused, and once no job
   * waits for others or a slot: how long the last ones run or rest has nothing to do with the rate.
   */
  get etaMs(): number | undefined {
    const rate = this.jobsPerSecond
    const { counts } = this.#moment
    if (poolAt(this.#run, this.#moment).dispatch === 'paused') return undefined
    return counts[READY]! + counts[BLOCKED]! === 0 || rate === 0 ? undefined : (this.backlog / rate) * 1000
  }

  /** How long the oldest ready job has waited. */
  oldestReady(): { job: number; waitMs: number } | undefined {
    const { states, at, counts } = this.#moment
    if (counts[READY] === 0) return undefined
    let oldest = -1
    const { data: readyAt } = this.#run.jobs.readyAt
    for (let job = 0; job < this.#run.jobCount; job++)
      if (states[job] === READY && (oldest < 0 || readyAt[job]! < readyAt[oldest]!)) oldest = job
    return oldest < 0 ? undefined : { job: oldest, waitMs: Math.max(0, at - readyAt[oldest]!) }
  }

  get delayed(): number {
    return this.#moment.counts[DELAYED]!
  }
}
