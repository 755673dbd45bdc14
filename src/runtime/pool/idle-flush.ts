import { type EspalierError, isEspalierError } from '../../domain/errors.ts'
import type { Clock } from '../../ports/clock.ts'

/** How long a pool commits nothing until the rows that are behind are written, in ms. */
const IDLE_MS = 250

/** How many rows are written at a time: the event loop waits for it some ms. */
const ROWS_AT_A_TIME = 2_048

/** What may have rows that are behind. */
export interface Flushable {
  /** How many. */
  readonly pending: number
  flush(count: number): boolean
}

/** Writes rows of jobs that are behind the journal while nothing else is committed. */
export class IdleFlush {
  readonly #journal: Flushable
  readonly #clock: Clock
  readonly #refused: (error: EspalierError) => void
  #lastAt = 0
  /** Withdraws the next look; absent when there is none. */
  #withdraw: (() => void) | undefined

  /** @param refused - Told what the store refuses. */
  constructor(journal: Flushable, clock: Clock, refused: (error: EspalierError) => void) {
    this.#journal = journal
    this.#clock = clock
    this.#refused = refused
  }

  /** The pool has committed something. */
  committed(): void {
    if (this.#journal.pending === 0) return
    this.#lastAt = this.#clock.now()
    if (this.#withdraw === undefined) this.#lookAt(this.#lastAt + IDLE_MS)
  }

  /** Writes all there is, and looks no more. */
  stop(): void {
    this.#withdraw?.()
    this.#withdraw = undefined
    this.#write(Number.POSITIVE_INFINITY)
  }

  #lookAt(at: number): void {
    this.#withdraw = this.#clock.wakeAt(at, () => this.#look())
  }

  #look(): void {
    this.#withdraw = undefined
    const now = this.#clock.now()
    if (now < this.#lastAt + IDLE_MS) this.#lookAt(this.#lastAt + IDLE_MS)
    else if (this.#write(ROWS_AT_A_TIME) && this.#journal.pending > 0) this.#lookAt(now)
  }

  /** @returns Whether it could: else a commit will come that asks again. */
  #write(count: number): boolean {
    try {
      return this.#journal.flush(count)
    } catch (error) {
      if (!isEspalierError(error, 'ESP_STORE_REFUSED')) throw error
      // They are in the journal, and whoever opens the store next brings the rows up to it.
      this.#refused(error)
      return false
    }
  }
}
