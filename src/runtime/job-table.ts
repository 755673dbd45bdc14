import { Fifo } from '../domain/fifo.ts'
import type { EndedStatus, JobId, JobResult } from '../domain/job.ts'
import type { KeepRule } from './options.ts'

/** How many forgotten jobs are still known by id and outcome, the oldest being dropped first. */
const TOMBSTONES_MAX = 1_000_000

const PAGE_SIZE = 1024

interface Row {
  readonly id: JobId
  /** The order of submission, from 0. */
  readonly sequence: number
  readonly dedupeKey: string | undefined
  readonly settled: JobResult | undefined
}

/**
 * The jobs a pool knows: all that have not ended, and of the ended ones as many as `keep` allows.
 *
 * They lie in pages by order of submission. An id that the pool made tells the place by itself, so only ids that
 * were chosen by users cost an entry in a map: with a million jobs that entry is what takes the longest.
 */
export class JobTable<Job extends Row> {
  readonly #idPrefix: string
  readonly #pages = new Map<number, Page<Job>>()
  readonly #byChosenId = new Map<JobId, Job>()
  /** Jobs that have not ended, by dedupe key. */
  readonly #byDedupeKey = new Map<string, Job>()
  readonly #ended: Readonly<Record<EndedStatus, Fifo<Job>>> = {
    completed: new Fifo(),
    failed: new Fifo(),
    cancelled: new Fifo(),
  }
  readonly #tombstones = new Map<JobId, EndedStatus>()
  readonly #keep: Readonly<Record<EndedStatus, Required<KeepRule>>>
  #lastPage: Page<Job> = new Page(-1)

  /** @param idPrefix - What the ids that the pool makes begin with. */
  constructor(idPrefix: string, keep: Readonly<Record<EndedStatus, Required<KeepRule>>>) {
    this.#idPrefix = idPrefix
    this.#keep = keep
  }

  /** The id of the job of this place in the order of submission, when nobody chooses one. */
  idOf(sequence: number): JobId {
    return this.#idPrefix + sequence.toString(36)
  }

  /** Whether a user has chosen this id. */
  isChosen(id: JobId): boolean {
    const hasNone = this.#byChosenId.size === 0 && this.#tombstones.size === 0
    return !hasNone && (this.#byChosenId.has(id) || this.#tombstones.has(id))
  }

  get(id: JobId): Job | undefined {
    const chosen = this.#byChosenId.size > 0 ? this.#byChosenId.get(id) : undefined
    if (chosen !== undefined || !id.startsWith(this.#idPrefix)) return chosen
    const sequence = Number.parseInt(id.slice(this.#idPrefix.length), 36)
    const job = this.#pages.get(Math.floor(sequence / PAGE_SIZE))?.jobs[sequence % PAGE_SIZE]
    return job?.id === id ? job : undefined
  }

  /** How a forgotten job ended. */
  tombstone(id: JobId): EndedStatus | undefined {
    return this.#tombstones.get(id)
  }

  isKnown(id: JobId): boolean {
    return this.#tombstones.has(id) || this.get(id) !== undefined
  }

  /** The job with this key that has not ended. */
  byDedupeKey(key: string | undefined): Job | undefined {
    return key === undefined ? undefined : this.#byDedupeKey.get(key)
  }

  /** @param hasChosenId - Whether the id is not the one that `idOf` gives. */
  add(job: Job, hasChosenId: boolean): void {
    const { sequence } = job
    const number = Math.floor(sequence / PAGE_SIZE)
    if (this.#lastPage.number !== number) this.#lastPage = this.#pageOf(number)
    this.#lastPage.jobs[sequence % PAGE_SIZE] = job
    this.#lastPage.count++
    if (hasChosenId) this.#byChosenId.set(job.id, job)
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

  /** In order of submission. */
  *values(): Generator<Job> {
    for (const { jobs } of this.#pages.values()) {
      for (const job of jobs) if (job !== undefined) yield job
    }
  }

  #forget(status: EndedStatus, at: number): void {
    const jobs = this.#ended[status]
    const { count, ageMs } = this.#keep[status]
    for (let oldest = jobs.peek(); oldest !== undefined; oldest = jobs.peek()) {
      const isTooOld = at - (oldest.settled?.endedAt ?? at) > ageMs
      if (jobs.size <= count && !isTooOld) break
      jobs.shift()
      this.#remove(oldest)
      this.#bury(oldest.id, status)
    }
  }

  #pageOf(number: number): Page<Job> {
    const known = this.#pages.get(number)
    if (known !== undefined) return known
    const page = new Page<Job>(number)
    this.#pages.set(number, page)
    return page
  }

  #remove(job: Job): void {
    const number = Math.floor(job.sequence / PAGE_SIZE)
    const page = this.#pages.get(number)
    if (page === undefined) return
    page.jobs[job.sequence % PAGE_SIZE] = undefined
    page.count--
    if (page.count === 0 && page !== this.#lastPage) this.#pages.delete(number)
    this.#byChosenId.delete(job.id)
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

class Page<Job> {
  readonly number: number
  readonly jobs: (Job | undefined)[] = []
  count = 0

  constructor(number: number) {
    this.number = number
  }
}
