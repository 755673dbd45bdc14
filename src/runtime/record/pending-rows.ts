import { Fifo } from '../../domain/fifo.ts'

/** A job whose row may follow its events. */
export interface RowedJob {
  /** Whether it has a row. */
  hasRow: boolean
  /** Whether its row has to be written with what is staged. */
  readonly needsRow: boolean
  /** The number of the first event that its row may not have; 0 when it has all. Kept by {@link PendingRows}. */
  behindSince: number
  /** The number of the last plan that writes its row; 0 when there was none. Kept by {@link PendingRows}. */
  plannedBy: number
}

/** Where a job came to be behind. */
interface Place<Job> {
  readonly job: Job
  readonly since: number
}

/** Which rows a commit writes, and which jobs it leaves behind. */
export interface RowPlan<Job> {
  /** Counted up with each plan. */
  readonly number: number
  /** Each once. */
  readonly rows: readonly Job[]
  /** Those that were not behind before. */
  readonly left: readonly Job[]
  /** The number of the first event that is in no row then. */
  readonly pendingSeq: number
}

/**
 * The jobs whose rows are behind the journal.
 *
 * A row is written when it has to be, or when too many are behind: then those that have been so for the longest, which
 * by then have often ended, so that their rows are written once. Many are written with one commit, and none with those
 * that follow.
 */
export class PendingRows<Job extends RowedJob> {
  readonly #max: number
  /** In the order of their numbers; those whose rows were written since are passed over. */
  readonly #places = new Fifo<Place<Job>>()
  #size = 0
  #plans = 0

  /** @param max - How many may be behind. */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#size
  }

  /** The number of the first event that is in no row; absent when the rows are complete. */
  get firstSeq(): number | undefined {
    return this.#firstWithout(NO_PLAN)
  }

  *jobs(): Generator<Job> {
    for (const { job } of this.#behind()) yield job
  }

  /** What a commit does with the jobs that have stepped in it. Nothing changes until it is {@link made}. */
  plan(stepped: Iterable<Job>, firstSeq: number, lastSeq: number): RowPlan<Job> {
    const number = ++this.#plans
    const rows: Job[] = []
    const left: Job[] = []
    let behind = this.#size
    for (const job of stepped) {
      const isBehind = job.behindSince > 0
      if (job.needsRow) {
        if (isBehind) behind--
      } else if (isBehind) continue
      // Of many at once, those that come first are the first to end.
      else if (left.length < this.#max) {
        left.push(job)
        continue
      }
      job.plannedBy = number
      rows.push(job)
    }
    const over = behind + left.length - this.#max
    if (over > 0) this.#addOldest(rows, number, over + Math.floor(this.#max * SPARE))
    const pendingSeq = this.#firstWithout(number) ?? (left.length > 0 ? firstSeq : lastSeq + 1)
    return { number, rows, left, pendingSeq }
  }

  /** Writes the rows of those that have been behind for the longest. */
  flush(count: number, lastSeq: number): RowPlan<Job> {
    const number = ++this.#plans
    const rows: Job[] = []
    this.#addOldest(rows, number, count)
    return { number, rows, left: [], pendingSeq: this.#firstWithout(number) ?? lastSeq + 1 }
  }

  /** The commit of a plan is done. @param firstSeq - The number of its first event. */
  made({ rows, left }: RowPlan<Job>, firstSeq: number): void {
    for (const job of rows) this.#catchUp(job)
    for (const job of left) {
      job.behindSince = firstSeq
      this.#places.push({ job, since: firstSeq })
    }
    this.#size += left.length
    for (
      let first = this.#places.peek();
      first !== undefined && !isBehind(first);
      first = this.#places.peek()
    )
      this.#places.shift()
    // Jobs whose rows are written would gather behind one that runs for long.
    if (this.#places.size > 2 * this.#size + PASSED_MAX) this.#compact()
  }

  /** All rows have been written by somebody else. */
  clear(): void {
    for (const job of this.jobs()) this.#catchUp(job)
    this.#places.clear()
  }

  #catchUp(job: Job): void {
    job.hasRow = true
    if (job.behindSince > 0) this.#size--
    job.behindSince = 0
  }

  #compact(): void {
    const kept = [...this.#behind()]
    this.#places.clear()
    for (const place of kept) this.#places.push(place)
  }

  *#behind(): Generator<Place<Job>> {
    for (const place of this.#places) if (isBehind(place)) yield place
  }

  #addOldest(rows: Job[], plan: number, count: number): void {
    let rest = count
    for (const job of this.jobs()) {
      if (rest <= 0) return
      if (job.plannedBy === plan) continue
      job.plannedBy = plan
      rows.push(job)
      rest--
    }
  }

  #firstWithout(plan: number): number | undefined {
    for (const { job, since } of this.#behind()) if (job.plannedBy !== plan) return since
    return undefined
  }
}

/** How many may be behind again, of all that may, when too many were. */
const SPARE = 1 / 8

/** How many places of jobs that are not behind any more are kept, beyond as many as there are others. */
const PASSED_MAX = 64

const isBehind = ({ job, since }: Place<RowedJob>): boolean => job.behindSince === since

const NO_PLAN = -1
