import { bitsOfFloat32, bitsOfFloat64 } from './float-bits.ts'
import {
  cutText,
  eventsOf,
  RAW_ITEM,
  RAW_RAN,
  RAW_SCORE,
  RAW_STARTED_AT_ONCE,
  RAW_TIME,
  type RawChunk,
  type RawItem,
  RECORD_WORDS,
} from './raw-chunk.ts'

/** Records in a chunk: 16 bytes each. */
const CHUNK_RECORDS = 8_192
const CHUNK_BYTES = 4 * RECORD_WORDS * CHUNK_RECORDS
/** About what an item takes besides its longer texts. */
const ITEM_BYTES = 200
/** Items of a chunk that weigh more close it. */
const ITEM_BYTES_MAX = 1024 * 1024
/** Times that are further from their base, in µs, begin another: half an hour. */
const TIME_MAX = 1_800_000_000

/** A slot of a record that has one in place of a state. */
const SLOT_MAX = 2 ** 23 - 1

/** Longer texts are cut: a recording is no place for documents. */
export const NAME_LENGTH_MAX = 200
/** Names beyond these are written as one. */
const NAMES_MAX = 10_000

/** Writes raw chunks. */
export class RawChunkWriter {
  readonly #onChunk: () => void
  #full: RawChunk[] = []
  #words = new Int32Array(RECORD_WORDS * CHUNK_RECORDS)
  #count = 0
  #items: RawItem[] = []
  #itemBytes = 0
  #newNames: string[] = []
  readonly #names = new Map<string, number>()
  #events = 0
  /** Whole epoch ms that times are counted from; none at the start of a chunk. */
  #base = Number.NEGATIVE_INFINITY

  /** @param onChunk - Told that a chunk is full. */
  constructor(onChunk: () => void) {
    this.#onChunk = onChunk
  }

  /** About how many bytes of full chunks wait to be taken. */
  get fullBytes(): number {
    return this.#full.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** How many events were ever written. */
  get events(): number {
    return this.#events
  }

  /** All chunks, the last one as far as it goes; what comes then is written into a new one. */
  take(): RawChunk[] {
    const chunks = this.#full
    this.#full = []
    if (this.#count > 0 || this.#newNames.length > 0) {
      chunks.push({
        words: this.#words.slice(0, RECORD_WORDS * this.#count),
        count: this.#count,
        items: this.#items,
        names: this.#newNames,
        bytes: 4 * RECORD_WORDS * this.#count + this.#itemBytes,
      })
      this.#empty()
    }
    return chunks
  }

  /** The number of a name that comes often. */
  name(text: string): number {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    if (this.#names.size >= NAMES_MAX) return text === OTHERS ? this.#newName(text) : this.name(OTHERS)
    return this.#newName(text)
  }

  item(item: RawItem): void {
    this.#items.push(item)
    this.#itemBytes += ITEM_BYTES + lengthOf(item)
    this.mark(0, RAW_ITEM, this.#items.length - 1)
    if (this.#itemBytes > ITEM_BYTES_MAX) this.#closeChunk()
  }

  note(at: number, sequence: number, code: number, state: number, detail: number): void {
    this.#write(this.#timeOf(at), sequence, code | (state << 8), detail)
  }

  /** Notes what has no time of its own. */
  mark(sequence: number, code: number, detail: number): void {
    this.#write(0, sequence, code, detail)
  }

  /** The job submitted next has this score. */
  score(score: number): void {
    this.mark(0, RAW_SCORE, bitsOfFloat32(score))
  }

  /** Notes a whole attempt, which ran in a slot and completed. */
  ran(sequence: number, slot: number, startedAt: number, endedAt: number): void {
    const end = this.#timeOf(endedAt)
    const duration = end - Math.round((startedAt - this.#base) * 1000)
    if (duration >= 0 && duration <= TIME_MAX && slot <= SLOT_MAX) {
      this.#write(end, sequence, RAW_RAN | (slot << 8), duration)
      return
    }
    this.note(startedAt, sequence, RAW_STARTED_AT_ONCE, 0, slot)
    this.note(endedAt, sequence, RAW_RAN, 0, -1)
  }

  #timeOf(at: number): number {
    const time = Math.round((at - this.#base) * 1000)
    return time <= TIME_MAX && time >= -TIME_MAX ? time : this.#rebase(at)
  }

  #rebase(at: number): number {
    // Of a base that is whole an instant comes out in the same µs as of any other.
    const base = Math.floor(at)
    // Where this record ends a chunk, the next one begins without a base again.
    while (base !== this.#base) {
      this.#base = base
      const [first, second] = bitsOfFloat64(base)
      this.#write(first, 0, RAW_TIME, second)
    }
    return Math.round((at - base) * 1000)
  }

  #write(time: number, sequence: number, packed: number, detail: number): void {
    const word = RECORD_WORDS * this.#count++
    const words = this.#words
    words[word] = time
    words[word + 1] = sequence
    words[word + 2] = packed
    words[word + 3] = detail
    this.#events += eventsOf(packed & 0xff, detail)
    if (this.#count === CHUNK_RECORDS) this.#closeChunk()
  }

  #newName(text: string): number {
    const number = this.#names.size + 1
    this.#names.set(text, number)
    this.#newNames.push(cutText(text, NAME_LENGTH_MAX))
    return number
  }

  #closeChunk(): void {
    const bytes = CHUNK_BYTES + this.#itemBytes
    const [items, names] = [this.#items, this.#newNames]
    this.#full.push({ words: this.#words, count: this.#count, items, names, bytes })
    this.#words = new Int32Array(RECORD_WORDS * CHUNK_RECORDS)
    this.#empty()
    this.#onChunk()
  }

  #empty(): void {
    this.#count = 0
    this.#base = Number.NEGATIVE_INFINITY
    this.#items = []
    this.#itemBytes = 0
    this.#newNames = []
  }
}

/** Characters of what may be long. */
function lengthOf(item: RawItem): number {
  switch (item.type) {
    case 'failed':
      return item.error.message.length + item.error.stack.length
    case 'log':
      return item.line.length
    case 'cancelled':
      return item.reason.length
    case 'document':
      return item.text.length
    default:
      return 0
  }
}

const OTHERS = '(others)'
