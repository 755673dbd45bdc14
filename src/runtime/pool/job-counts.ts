import { type EndedStatus, JOB_STATES } from '../../domain/job.ts'
import { PRIORITIES, type Priority } from '../../domain/priority.ts'
import {
  BLOCKED,
  CANCELLED,
  COMPLETED,
  DELAYED,
  EXECUTING,
  FAILED,
  isQueued,
  READY,
  STOPPING,
} from '../job/job-states.ts'

/** How many jobs are in each state; ended ones count for ever. Changed only in the commit that changes the rows. */
export class JobCounts {
  /** By state, as floats: they count past 2³¹. */
  readonly #byState = new Float64Array(JOB_STATES.length)
  readonly #queuedByBand = new Float64Array(PRIORITIES.length)

  add(state: number, band: number): void {
    this.#change(state, 1)
    if (isQueued(state)) this.#changeBand(band, 1)
  }

  addEnded(status: EndedStatus): void {
    this.#change(JOB_STATES.indexOf(status), 1)
  }

  remove(state: number, band: number): void {
    this.#change(state, -1)
    if (isQueued(state)) this.#changeBand(band, -1)
  }

  /** A queued job has got another priority. */
  moveBand(from: number, to: number): void {
    this.#changeBand(from, -1)
    this.#changeBand(to, 1)
  }

  move(from: number, to: number, band: number): void {
    this.#change(from, -1)
    this.#change(to, 1)
    const change = (isQueued(to) ? 1 : 0) - (isQueued(from) ? 1 : 0)
    if (change !== 0) this.#changeBand(band, change)
  }

  /** In the order of `JOB_STATES`; a copy. */
  get byState(): number[] {
    return Array.from(this.#byState)
  }

  get total(): number {
    return this.#byState.reduce((sum, count) => sum + count, 0)
  }

  get blocked(): number {
    return this.#of(BLOCKED)
  }

  get ready(): number {
    return this.#of(READY)
  }

  get delayed(): number {
    return this.#of(DELAYED)
  }

  get queued(): number {
    return this.blocked + this.ready + this.delayed
  }

  get running(): number {
    return this.#of(EXECUTING) + this.#of(STOPPING)
  }

  get completed(): number {
    return this.#of(COMPLETED)
  }

  get failed(): number {
    return this.#of(FAILED)
  }

  get cancelled(): number {
    return this.#of(CANCELLED)
  }

  get queuedByPriority(): Record<Priority, number> {
    const entries = PRIORITIES.map((priority, band) => [priority, this.#queuedByBand[band]])
    return Object.fromEntries(entries) as Record<Priority, number>
  }

  #of(state: number): number {
    return this.#byState[state] as number
  }

  #change(state: number, change: number): void {
    this.#byState[state] = (this.#byState[state] as number) + change
  }

  #changeBand(band: number, change: number): void {
    this.#queuedByBand[band] = (this.#queuedByBand[band] as number) + change
  }
}
