import type { DecisionCut } from '../domain/decision.ts'
import type { CancelSource } from '../domain/job.ts'

/** Records in a chunk: 20 bytes each. */
const CHUNK_RECORDS = 8_192

/**
 * What the pool's thread writes down, for another thread to make the journal of.
 *
 * A record is a time and four numbers: its code, a job's sequence, a state, and a detail. Codes below {@link NUMBERED} are
 * those of the journal's events; the others say more about the record that follows, or stand for an item.
 */
export interface RawChunk {
  readonly at: Float64Array<ArrayBuffer>
  /** Three for each record: sequence; code and state, in 8 bits each; detail. */
  readonly words: Int32Array<ArrayBuffer>
  readonly count: number
  /** What does not fit into numbers; a record {@link RAW_ITEM} has the place in here as its detail. */
  readonly items: readonly RawItem[]
  /** Names that are new; a name is known by its place in all of them, from 1. */
  readonly names: readonly string[]
}

/** From here on, codes are the raw journal's own. */
export const NUMBERED = 64
/** The next item of the chunk. */
export const RAW_ITEM = 64
/** The job submitted next has this score, in the record's time. */
export const RAW_SCORE = 65
/** The job submitted next belongs to a tree: `sequence` is the tree's name, `detail` the node's number plus 1. */
export const RAW_ORIGIN = 66
/** The job depends on the job whose sequence is in `detail`. */
export const RAW_DEPENDS = 67

/** A record that is not only numbers. Jobs are named by their sequence. */
export type RawItem =
  | {
      /** About the job submitted next. */
      readonly type: 'job'
      /** Absent when the pool has made it. */
      readonly id?: string
      readonly nodeId?: string | undefined
      readonly treeId?: string | undefined
      readonly executor?: string
    }
  | {
      readonly type: 'failed'
      readonly job: number
      readonly at: number
      readonly state: number
      readonly attempt: number
      readonly error: RawError
    }
  | {
      readonly type: 'cancelled'
      readonly job: number
      readonly at: number
      readonly state: number
      readonly by: CancelSource
      readonly reason: string
      readonly causedBy: number | undefined
    }
  | {
      readonly type: 'ignored'
      readonly job: number
      readonly at: number
      readonly state: number
      readonly event: string
    }
  | {
      readonly type: 'log'
      readonly job: number
      readonly at: number
      readonly attempt: number
      readonly line: string
    }
  | {
      readonly type: 'pool'
      readonly at: number
      readonly event: string
      readonly state: number
      readonly limit: number
    }
  | {
      readonly type: 'run'
      readonly at: number
      readonly id: string
      readonly workflow: string
      readonly strategy: string
    }
  | {
      readonly type: 'node'
      readonly run: string
      readonly number: number
      readonly parent: number | undefined
      readonly depth: number
      readonly job: number
      readonly handler: string
      readonly label: string
      readonly key: string | undefined
      readonly score: number | undefined
    }
  | {
      readonly type: 'nodeChanged'
      readonly at: number
      readonly run: string
      readonly number: number
      readonly state: number
      readonly job: number
    }
  | {
      readonly type: 'decided'
      readonly at: number
      readonly run: string
      readonly number: number
      readonly state: number
      readonly decision: string
      readonly why: string | undefined
      readonly score: number | undefined
      readonly nodes: number
      readonly cut: readonly DecisionCut[]
      readonly error: string | undefined
    }
  | {
      readonly type: 'runEnded'
      readonly at: number
      readonly run: string
      readonly state: string
      readonly reason: string
    }
  | { readonly type: 'sample'; readonly row: Readonly<Record<string, number>> & { readonly at: number } }
  | { readonly type: 'document'; readonly name: string; readonly text: string }

export interface RawError {
  readonly name: string
  readonly message: string
  readonly code: string
  readonly stack: string
}

/** Longer texts are cut: a recording is no place for documents. */
const NAME_LENGTH_MAX = 200
/** Names beyond these are written as one. */
const NAMES_MAX = 10_000

/** Writes raw chunks. */
export class RawChunkWriter {
  readonly #onChunk: () => void
  #full: RawChunk[] = []
  #at = new Float64Array(CHUNK_RECORDS)
  #words = new Int32Array(3 * CHUNK_RECORDS)
  #count = 0
  #items: RawItem[] = []
  #newNames: string[] = []
  readonly #names = new Map<string, number>()
  /** Records in chunks that were closed or taken. */
  #closed = 0

  /** @param onChunk - Told that a chunk is full. */
  constructor(onChunk: () => void) {
    this.#onChunk = onChunk
  }

  /** How many full chunks wait to be taken. */
  get fullChunks(): number {
    return this.#full.length
  }

  /** How many records were ever written. */
  get records(): number {
    return this.#closed + this.#count
  }

  /** All chunks, the last one as far as it goes; what comes then is written into a new one. */
  take(): RawChunk[] {
    const chunks = this.#full
    this.#full = []
    if (this.#count > 0 || this.#newNames.length > 0) {
      chunks.push({
        at: this.#at.slice(0, this.#count),
        words: this.#words.slice(0, 3 * this.#count),
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
    this.note(0, 0, RAW_ITEM, 0, this.#items.length - 1)
  }

  note(at: number, sequence: number, code: number, state: number, detail: number): void {
    const index = this.#count++
    this.#at[index] = at
    const word = 3 * index
    this.#words[word] = sequence
    this.#words[word + 1] = code | (state << 8)
    this.#words[word + 2] = detail
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
      at: this.#at,
      words: this.#words,
      count: this.#count,
      items: this.#items,
      names: this.#newNames,
    })
    this.#at = new Float64Array(CHUNK_RECORDS)
    this.#words = new Int32Array(3 * CHUNK_RECORDS)
    this.#empty()
    this.#onChunk()
  }

  #empty(): void {
    this.#closed += this.#count
    this.#count = 0
    this.#items = []
    this.#newNames = []
  }
}

const OTHERS = '(others)'

export function cutText(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text
}
