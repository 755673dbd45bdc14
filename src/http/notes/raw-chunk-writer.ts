import { bitsOfFloat32, bitsOfFloat64 } from './float-bits.ts'
import {
  cutText,
  RAW_ITEM,
  RAW_SCORE,
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

/** Longer texts are cut: a recording is no place for documents. */
export const NAME_LENGTH_MAX = 200
/** Names beyond these are written as one. */
const NAMES_MAX = 10_000

/** Writes raw chunks. */
export class RawChunkWriter {
  readonly #onChunk: () => void
  #full: RawChunk[] = []
  #fullBytes = 0
  #words = new Int32Array(RECORD_WORDS * CHUNK_RECORDS)
  #count = 0
  #items: RawItem[] = []
  #itemBytes = 0
  #newNames: string[] = []
  readonly #names = new Map<string, number>()
  /** Records in chunks that were closed or taken. */
  #closed = 0
  /** Events that were noted with the one before. */
  #merged = 0
  /** Epoch ms that times are counted from; none at the start of a chunk. */
  #base = Number.NEGATIVE_INFINITY

  /** @param onChunk - Told that a chunk is full. */
  constructor(onChunk: () => void) {
    this.#onChunk = onChunk
  }

  /** About how many bytes of full chunks wait to be taken. */
  get fullBytes(): number {
    return this.#fullBytes
  }

  /** How many records were ever written. */
  get records(): number {
    return this.#closed + this.#count + this.#merged
  }

  /** All chunks, the last one as far as it goes; what comes then is written into a new one. */
  take(): RawChunk[] {
    const chunks = this.#full
    this.#full = []
    this.#fullBytes = 0
    if (this.#count > 0 || this.#newNames.length > 0) {
      chunks.push({
        words: this.#words.slice(0, RECORD_WORDS * this.#count),
        count: this.#count,
        items: this.#items,
        names: this.#newNames,
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

  /**
   * Notes an event with the one before it, when that was the job's too, at the same instant.
   *
   * @param before - The code of the one before; it becomes `merged`.
   * @param detail - Replaces that of the one before; -1 to keep it.
   * @returns `false` when it was another one: then nothing is noted.
   */
  merge(before: number, merged: number, at: number, sequence: number, detail: number): boolean {
    const word = RECORD_WORDS * (this.#count - 1)
    const words = this.#words
    if (this.#count === 0 || words[word + 1] !== sequence) return false
    const packed = words[word + 2] as number
    if ((packed & 0xff) !== before || words[word] !== Math.round((at - this.#base) * 1000)) return false
    words[word + 2] = packed - before + merged
    if (detail >= 0) words[word + 3] = detail
    this.#merged++
    return true
  }

  #timeOf(at: number): number {
    const time = Math.round((at - this.#base) * 1000)
    return time <= TIME_MAX && time >= -TIME_MAX ? time : this.#rebase(at)
  }

  #rebase(at: number): number {
    // Where this record ends a chunk, the next one begins without a base again.
    while (at !== this.#base) {
      this.#base = at
      const [first, second] = bitsOfFloat64(at)
      this.#write(first, 0, RAW_TIME, second)
    }
    return 0
  }

  #write(time: number, sequence: number, packed: number, detail: number): void {
    const word = RECORD_WORDS * this.#count++
    const words = this.#words
    words[word] = time
    words[word + 1] = sequence
    words[word + 2] = packed
    words[word + 3] = detail
    if (this.#count === CHUNK_RECORDS) this.#closeChunk()
  }

  #newName(text: string): number {
    const number = this.#names.size + 1
    this.#names.set(text, number)
    this.#newNames.push(cutText(text, NAME_LENGTH_MAX))
    return number
  }

  #closeChunk(): void {
    this.#full.push({
      words: this.#words,
      count: this.#count,
      items: this.#items,
      names: this.#newNames,
    })
    this.#fullBytes += CHUNK_BYTES + this.#itemBytes
    this.#words = new Int32Array(RECORD_WORDS * CHUNK_RECORDS)
    this.#empty()
    this.#onChunk()
  }

  #empty(): void {
    this.#closed += this.#count
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
