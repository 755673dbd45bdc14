import { Fifo } from '../../domain/fifo.ts'
import { ENDED_STATUSES, type EndedStatus, type JobId } from '../../domain/job.ts'
import type { ResolvedKeep } from '../../domain/keep.ts'
import type { JobActor, JobEntry } from '../job/job-actor.ts'

/** How many forgotten jobs are still known by id and outcome, the oldest being dropped first. */
const TOMBSTONES_MAX = 1_000_000

const PAGE_SIZE = 1024

/**
 * Ids of which each tells its place, such as `run.n0`, `run.n1` and so on: known without an entry in a map for each.
 *
 * The places are taken in their order.
 */
export interface IdRange {
  readonly prefix: string
  /** By place, the job's place in the order of submission. */
  readonly sequences: number[]
  /** Whether places may still be taken. */
  isOpen: boolean
}

/** How a job got its id: it is the pool's own, chosen by a user, or the next of a range. */
export type Naming = 'own' | 'chosen' | IdRange

/**
 * The jobs a pool knows: all that have not ended, and of the ended ones as many as `keep` allows.
 *
 * They lie in pages by order of submission. An id that the pool made, or one of a range, tells the place by itself, so
 * only ids that were chosen by users cost an entry in a map: with a million jobs that entry is what takes the longest.
 */
export class JobTable {
  /** What the ids that the pool makes begin with. */
  readonly idPrefix: string
  readonly #pages = new Map<number, Page>()
  readonly #byChosenId = new Map<JobId, JobEntry>()
  readonly #ranges = new Map<string, IdRange>()
  /** Jobs that have not ended, by dedupe key. */
  readonly #byDedupeKey = new Map<string, JobEntry>()
  readonly #ended: Readonly<Record<EndedStatus, Fifo<JobEntry>>> = {
    completed: new Fifo(),
    failed: new Fifo(),
    cancelled: new Fifo(),
  }
  /** Of forgotten jobs whose ids were chosen. */
  readonly #tombstones = new Map<JobId, EndedStatus>()
  readonly #emptyPages = new Fifo<number>()
  readonly #keep: ResolvedKeep
  readonly #onForgotten: (job: JobEntry) => void
  #lastPage: Page = new Page(-1)

  /** @param onForgotten - Told of a job that `keep` no longer allows. */
  constructor(idPrefix: string, keep: ResolvedKeep, onForgotten: (job: JobEntry) => void) {
    this.idPrefix = idPrefix
    this.#keep = keep
    this.#onForgotten = onForgotten
  }

  /** Takes out a job that was never accepted: nothing of it stays known. */
  drop(job: JobEntry): void {
    const page = this.#pages.get(Math.floor(job.sequence / PAGE_SIZE))
    if (page === undefined) return
    page.jobs[job.sequence % PAGE_SIZE] = undefined
    page.count--
    this.#byChosenId.delete(job.id)
    if (job.dedupeKey !== undefined) this.#byDedupeKey.delete(job.dedupeKey)
  }

  /** The id of the job of this place in the order of submission, when nobody chooses one. */
  idOf(sequence: number): JobId {
    return this.idPrefix + sequence.toString(36)
  }

  /** Whether a user has chosen this id. */
  isChosen(id: JobId): boolean {
    const hasNone = this.#byChosenId.size === 0 && this.#tombstones.size === 0
    return !hasNone && (this.#byChosenId.has(id) || this.#tombstones.has(id))
  }

  get(id: JobId): JobActor | undefined {
    return this.entry(id)?.actor
  }

  entry(id: JobId): JobEntry | undefined {
    const chosen = this.#byChosenId.size > 0 ? this.#byChosenId.get(id) : undefined
    if (chosen !== undefined) return chosen
    const sequence = this.#sequenceOf(id)
    const job = this.#pages.get(Math.floor(sequence / PAGE_SIZE))?.jobs[sequence % PAGE_SIZE]
    return job?.id === id ? job : undefined
  }

  /** How a forgotten job ended. */
  tombstone(id: JobId): EndedStatus | undefined {
    const chosen = this.#tombstones.get(id)
    if (chosen !== undefined) return chosen
    const sequence = this.#sequenceOf(id)
    const code = this.#pages.get(Math.floor(sequence / PAGE_SIZE))?.tombstones?.[sequence % PAGE_SIZE]
    return code === undefined || code === 0 ? undefined : ENDED_STATUSES[code - 1]
  }

  isKnown(id: JobId): boolean {
    return this.tombstone(id) !== undefined || this.entry(id) !== undefined
  }

  /** The job with this key that has not ended. */
  byDedupeKey(key: string | undefined): JobActor | undefined {
    return key === undefined ? undefined : this.#byDedupeKey.get(key)?.actor
  }

  /** @returns `undefined` when there is such a range already: its ids are taken. */
  openRange(prefix: string): IdRange | undefined {
    if (this.#ranges.has(prefix)) return undefined
    const range: IdRange = { prefix, sequences: [], isOpen: true }
    this.#ranges.set(prefix, range)
    return range
  }

  add(job: JobEntry, naming: Naming): void {
    const { sequence } = job
    const number = Math.floor(sequence / PAGE_SIZE)
    if (this.#lastPage.number !== number) this.#lastPage = this.#pageOf(number)
    this.#lastPage.jobs[sequence % PAGE_SIZE] = job
    this.#lastPage.count++
    if (naming === 'chosen') this.#byChosenId.set(job.id, job)
    else if (naming !== 'own') naming.sequences.push(sequence)
    if (job.dedupeKey !== undefined) this.#byDedupeKey.set(job.dedupeKey, job)
  }

  /** Notes that a job has ended, and forgets what `keep` no longer allows. */
  ended(job: JobEntry, status: EndedStatus, at: number): void {
    if (job.dedupeKey !== undefined) this.#byDedupeKey.delete(job.dedupeKey)
    this.#ended[status].push(job)
    this.#forget(status, at)
  }

  /** Forgets what has grown too old. */
  expire(at: number): void {
    for (const status of ENDED_STATUSES) this.#forget(status, at)
  }

  endedAs(status: EndedStatus): Iterable<JobEntry> {
    return this.#ended[status]
  }

  /** In order of submission. */
  *values(): Generator<JobActor> {
    for (const { actor } of this.entries()) yield actor
  }

  /** In order of submission. */
  *entries(): Generator<JobEntry> {
    for (const { jobs } of this.#pages.values()) {
      for (const job of jobs) if (job !== undefined) yield job
    }
  }

  /** Those whose sequence is in this range, both ends included, in that order. */
  *entriesBetween(first: number, last: number): Generator<JobEntry> {
    for (let number = Math.floor(first / PAGE_SIZE); number * PAGE_SIZE <= last; number++) {
      for (const job of this.#pages.get(number)?.jobs ?? [])
        if (job !== undefined && job.sequence >= first && job.sequence <= last) yield job
    }
  }

  #forget(status: EndedStatus, at: number): void {
    const jobs = this.#ended[status]
    const { count, ageMs } = this.#keep[status]
    for (let oldest = jobs.peek(); oldest !== undefined; oldest = jobs.peek()) {
      const isTooOld = at - (oldest.endedAt ?? at) > ageMs
      if (jobs.size <= count && !isTooOld) break
      jobs.shift()
      this.#remove(oldest, status)
      this.#onForgotten(oldest)
    }
  }

  #pageOf(number: number): Page {
    const known = this.#pages.get(number)
    if (known !== undefined) return known
    const page = new Page(number)
    this.#pages.set(number, page)
    return page
  }

  /** The place in the order of submission that an id tells; `NaN` for one that tells none. */
  #sequenceOf(id: JobId): number {
    if (id.startsWith(this.idPrefix)) {
      const sequence = Number.parseInt(id.slice(this.idPrefix.length), 36)
      if (this.idOf(sequence) === id) return sequence
    }
    return this.#ranges.size === 0 ? Number.NaN : this.#sequenceInRange(id)
  }

  #sequenceInRange(id: JobId): number {
    let start = id.length
    while (isDigit(id.charCodeAt(start - 1))) start--
    const range = this.#ranges.get(id.slice(0, start))
    const place = Number(id.slice(start))
    if (range === undefined || id !== range.prefix + place) return Number.NaN
    return range.sequences[place] ?? Number.NaN
  }

  #remove(job: JobEntry, status: EndedStatus): void {
    const number = Math.floor(job.sequence / PAGE_SIZE)
    const page = this.#pages.get(number)
    if (page === undefined) return
    const place = job.sequence % PAGE_SIZE
    page.jobs[place] = undefined
    page.count--
    if (this.#byChosenId.delete(job.id)) this.#bury(job.id, status)
    else {
      page.tombstones ??= new Uint8Array(PAGE_SIZE)
      page.tombstones[place] = ENDED_STATUSES.indexOf(status) + 1
    }
    if (page.count === 0 && page !== this.#lastPage) this.#empty(page)
  }

  /** Of a page without jobs only the tombstones stay, a byte for each job. */
  #empty(page: Page): void {
    page.jobs = []
    this.#emptyPages.push(page.number)
    if (this.#emptyPages.size <= TOMBSTONES_MAX / PAGE_SIZE) return
    const oldest = this.#emptyPages.shift()
    if (oldest === undefined || this.#pages.get(oldest)?.count !== 0) return
    this.#pages.delete(oldest)
    this.#dropRanges()
  }

  /** Drops the ranges of which nothing is known any more. */
  #dropRanges(): void {
    for (const [prefix, { sequences, isOpen }] of this.#ranges) {
      const last = sequences.at(-1)
      const isKnown = last !== undefined && this.#pages.has(Math.floor(last / PAGE_SIZE))
      if (!isOpen && !isKnown) this.#ranges.delete(prefix)
    }
  }

  #bury(chosenId: JobId, status: EndedStatus): void {
    this.#tombstones.set(chosenId, status)
    if (this.#tombstones.size <= TOMBSTONES_MAX) return
    for (const oldest of this.#tombstones.keys()) {
      this.#tombstones.delete(oldest)
      break
    }
  }
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57

class Page {
  readonly number: number
  jobs: (JobEntry | undefined)[] = []
  /** How many jobs it has. */
  count = 0
  /** How its forgotten jobs ended: 0 for none, else one more than the index of the status. */
  tombstones: Uint8Array | undefined

  constructor(number: number) {
    this.number = number
  }
}
