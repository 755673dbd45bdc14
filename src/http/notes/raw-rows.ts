import { EVENT_CODES, type EventName } from '../../protocol/journal.ts'
import { float64Of } from './float-bits.ts'
import { inOrder } from './in-order.ts'
import { microsOf } from './micros.ts'
import {
  RAW_ITEM,
  RAW_ORIGIN,
  RAW_RAN,
  RAW_READY_AT_ONCE,
  RAW_SCORE,
  RAW_STARTED_AT_ONCE,
  RAW_TIME,
  type RawChunk,
  type RawItem,
  RECORD_WORDS,
} from './raw-chunk.ts'

/** Of what happened in the same µs: jobs are there before anything else is told, and a slot is free before it is taken. */
const SUBMISSIONS = 0
const ENDS = 1
const ALL_ELSE = 2
const RANKS = 4

/** What is told at once: in a store, steps that were made before wait for their commit and are told behind it. */
const AT_ONCE: ReadonlySet<number> = new Set(
  (
    [
      'attempt.abandoned',
      'attempt.ended',
      'attempt.progressed',
      'job.prioritised',
    ] as const satisfies EventName[]
  ).map((name) => EVENT_CODES[name]),
)
const ITEMS_AT_ONCE: ReadonlySet<RawItem['type']> = new Set(['ignored', 'log', 'pool', 'sample', 'body'])

/**
 * The records of chunks, in the order in which they happened: most are, but what a job still knew of itself was noted later.
 *
 * A {@link RAW_RAN} is two rows, its start as {@link RAW_STARTED_AT_ONCE} and its end with -1 as its detail.
 */
export class RawRows {
  /** µs since the start. */
  readonly at: Float64Array
  readonly sequence: Int32Array
  readonly code: Uint8Array
  readonly state: Int32Array
  readonly detail: Int32Array
  /** What the details of {@link RAW_ITEM} are the places in. */
  readonly items: readonly RawItem[]
  /** The rows as they happened. */
  readonly order: Uint32Array
  /** Rows are placed by these. */
  readonly #keys: Float64Array
  /** Of a submission, its job's sequence: those of one µs are in that order. */
  readonly #submitted: Float64Array
  #lastSubmitted = 0
  /** Whether the submissions came in another order: most are noted one after the other. */
  #isMixed = false
  #count = 0
  /** The first row that says more about the submission to come; -1 for none. */
  #firstMark = -1
  /** When the last attempt began that was noted late. */
  #startedAt = 0
  /** When the last step was made that was noted as it happened. */
  #latest = 0
  /** Where the last thing is placed that was told at once of a job, by its sequence: its next step goes behind that. */
  readonly #told = new Map<number, number>()

  /** @param startedAt - Epoch µs. */
  constructor(chunks: readonly RawChunk[], startedAt: number) {
    const count = chunks.reduce((sum, chunk) => sum + rowsIn(chunk), 0)
    this.at = new Float64Array(count)
    this.sequence = new Int32Array(count)
    this.code = new Uint8Array(count)
    this.state = new Int32Array(count)
    this.detail = new Int32Array(count)
    this.#keys = new Float64Array(count)
    this.#submitted = new Float64Array(count)
    const items: RawItem[] = []
    for (const chunk of chunks) this.#take(chunk, startedAt, items)
    this.items = items
    const keys = this.#keys.subarray(0, this.#count)
    const places = this.#isMixed ? inOrder(this.#submitted.subarray(0, this.#count)) : undefined
    this.order = inOrder(keys, places)
  }

  #take({ words, count, items }: RawChunk, startedAt: number, all: RawItem[]): void {
    const firstItem = all.length
    for (const item of items) all.push(item)
    let base = 0
    for (let word = 0; word < RECORD_WORDS * count; word += RECORD_WORDS) {
      const time = words[word] as number
      const sequence = words[word + 1] as number
      const packed = words[word + 2] as number
      const detail = words[word + 3] as number
      const code = packed & 0xff
      const state = packed >> 8
      switch (code) {
        case RAW_TIME:
          base = microsOf(float64Of(time, detail)) - startedAt
          break
        case RAW_SCORE:
        case RAW_ORIGIN:
          this.#mark(sequence, code, detail)
          break
        case RAW_ITEM: {
          const item = items[detail] as RawItem
          const place = firstItem + detail
          if (item.type === 'job') this.#mark(sequence, code, place)
          else
            this.#asItHappened(
              this.#add('at' in item ? microsOf(item.at) - startedAt : 0, sequence, code, 0, place),
              'job' in item ? item.job : -1,
              !ITEMS_AT_ONCE.has(item.type),
            )
          break
        }
        case RAW_READY_AT_ONCE: {
          const at = base + time
          this.#place(this.#add(at, sequence, code, state, detail), at, SUBMISSIONS, sequence)
          this.#isMixed ||= sequence < this.#lastSubmitted
          this.#lastSubmitted = sequence
          break
        }
        case RAW_STARTED_AT_ONCE:
          this.#start(base + time, sequence, detail)
          break
        case RAW_RAN:
          // A start that was noted apart is the last one that was.
          if (detail >= 0) this.#start(base + time - detail, sequence, state)
          this.#end(base + time, sequence)
          break
        default:
          this.#asItHappened(
            this.#add(base + time, sequence, code, state, detail),
            sequence,
            !AT_ONCE.has(code),
          )
      }
    }
  }

  /** @returns The row. */
  #add(at: number, sequence: number, code: number, state: number, detail: number): number {
    const row = this.#count++
    this.at[row] = at
    this.sequence[row] = sequence
    this.code[row] = code
    this.state[row] = state
    this.detail[row] = detail
    return row
  }

  /** Says more about the submission that comes next. */
  #mark(sequence: number, code: number, detail: number): void {
    const row = this.#add(0, sequence, code, 0, detail)
    if (this.#firstMark < 0) this.#firstMark = row
  }

  #start(at: number, sequence: number, slot: number): void {
    this.#startedAt = at
    this.#place(this.#add(at, sequence, RAW_STARTED_AT_ONCE, 0, slot), at, ALL_ELSE)
  }

  /** Of the last attempt that began: in the µs of its beginning its end goes behind that, though other ends go first. */
  #end(at: number, sequence: number): void {
    const time = Math.max(at, this.#startedAt)
    this.#place(this.#add(at, sequence, RAW_RAN, 0, -1), time, time > this.#startedAt ? ENDS : ALL_ELSE)
  }

  /** Such a row never goes before a step: the clock may have been put back. */
  #asItHappened(row: number, job: number, isStep: boolean): void {
    const told = this.#told.size > 0 ? (this.#told.get(job) ?? 0) : 0
    const time = Math.max(this.#latest, this.at[row] as number, told)
    if (isStep) this.#latest = time
    else if (job >= 0) this.#told.set(job, time)
    this.#place(row, time, ALL_ELSE)
  }

  #place(row: number, time: number, rank: number, submitted = 0): void {
    const first = this.#firstMark < 0 ? row : this.#firstMark
    this.#firstMark = -1
    for (let each = first; each <= row; each++) {
      this.#keys[each] = RANKS * time + rank
      this.#submitted[each] = submitted
    }
  }
}

function rowsIn({ words, count }: RawChunk): number {
  let rows = count
  for (let word = 2; word < RECORD_WORDS * count; word += RECORD_WORDS) {
    if (((words[word] as number) & 0xff) === RAW_RAN) rows++
  }
  return rows
}
