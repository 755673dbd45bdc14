import { Fifo } from '../domain/fifo.ts'
import type { EndedStatus, JobId, JobResult } from '../domain/job.ts'
import type { KeepRule } from './options.ts'

/** How many forgotten jobs are still known by id and outcome, the oldest being dropped first. */
const TOMBSTONES_MAX = 1_000_000

interface Ended {
  readonly id: JobId
  readonly dedupeKey: string | undefined
  readonly settled: JobResult | undefined
}

/** The jobs a pool knows: all that have not ended, and of the ended ones as many as `keep` allows. */
export class JobTable<Job extends Ended> {
  readonly #jobs = new Map<JobId, Job>()
  readonly #ended: Readonly<Record<EndedStatus, Fifo<Job>>> = {
    completed: new Fifo(),
    failed: new Fifo(),
    cancelled: new Fifo(),
  }
  readonly #tombstones = new Map<JobId, EndedStatus>()
  /** Jobs that have not ended, by dedupe key. */
  readonly #byDedupeKey = new Map<string, Job>()
  readonly #keep: Readonly<Record<EndedStatus, Required<KeepRule>>>

  constructor(keep: Readonly<Record<EndedStatus, Required<KeepRule>>>) {
    this.#keep = keep
  }

  get(id: JobId): Job | undefined {
    return this.#jobs.get(id)
  }

  /** How a forgotten job ended. */
  tombstone(id: JobId): EndedStatus | undefined {
    return this.#tombstones.get(id)
  }

  isKnown(id: JobId): boolean {
    return this.#jobs.has(id) || this.#tombstones.has(id)
  }

  /** The job with this key that has not ended. */
  byDedupeKey(key: string | undefined): Job | undefined {
    return key === undefined ? undefined : this.#byDedupeKey.get(key)
  }

  add(job: Job): void {
    this.#jobs.set(job.id, job)
    if (job.dedupeKey !== undefined) this.#byDedupeKey.set(job.dedupeKey, job)
  }

  /** Notes that a job has ended, and forgets what `keep` no longer allows. */
  ended(job: Job, status: EndedStatus, at: number): void {
    if (job.dedupeKey !== undefined) this.#byDedupeKey.delete(job.dedupeKey)
    this.#ended[status].push(job)
    this.#forget(status, at)
  }

  /** Forgets what has grown too old. */
  expire(at: number): void {
    for (const status of ['completed', 'failed', 'cancelled'] as const) this.#forget(status, at)
  }

  endedAs(status: EndedStatus): Iterable<Job> {
    return this.#ended[status]
  }

  values(): MapIterator<Job> {
    return this.#jobs.values()
  }

  #forget(status: EndedStatus, at: number): void {
    const jobs = this.#ended[status]
    const { count, ageMs } = this.#keep[status]
    for (let oldest = jobs.peek(); oldest !== undefined; oldest = jobs.peek()) {
      const isTooOld = at - (oldest.settled?.endedAt ?? at) > ageMs
      if (jobs.size <= count && !isTooOld) break
      jobs.shift()
      this.#jobs.delete(oldest.id)
      this.#bury(oldest.id, status)
    }
  }

  #bury(id: JobId, status: EndedStatus): void {
    this.#tombstones.set(id, status)
    if (this.#tombstones.size <= TOMBSTONES_MAX) return
    for (const oldest of this.#tombstones.keys()) {
      this.#tombstones.delete(oldest)
      break
    }
  }
}
