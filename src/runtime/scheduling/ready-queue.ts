import { Fifo } from '../../domain/fifo.ts'
import { type HeapItem, IndexedHeap } from '../../domain/heap.ts'
import { PRIORITIES } from '../../domain/priority.ts'

/** What the queue asks of a job. */
export interface Queueable {
  /** The priority band it waits in, an index into {@link PRIORITIES}; ageing lowers it. */
  band: number
  readonly score: number
  /** The order of submission. */
  readonly sequence: number
  /** Whether it still wants a slot. */
  readonly isReady: boolean
}

/**
 * The jobs that want a slot, best first: by priority band, then higher score, then order of submission.
 *
 * A job that was cancelled or promoted keeps its old place until that comes to the front, and is passed over there:
 * so all operations stay within O(log n).
 */
export class ReadyQueue<Item extends Queueable> {
  readonly #bands: readonly Band<Item>[] = PRIORITIES.map((_, band) => new Band<Item>(band))
  readonly #promoteAfterMs: number
  /** When each job that waits began to, in its band; kept only with ageing. */
  readonly #arrivals = new Map<Item, Arrival<Item>>()

  /** @param promoteAfterMs - How long a job waits before it moves up one band; 0: it never does. */
  constructor(promoteAfterMs = 0) {
    this.#promoteAfterMs = promoteAfterMs
  }

  /** @param at - Now, epoch ms. */
  add(item: Item, at: number): void {
    const band = this.#bands[item.band] as Band<Item>
    band.add(item)
    if (this.#promoteAfterMs === 0 || item.band === 0) return
    const arrival = { item, promoteAt: at + this.#promoteAfterMs }
    this.#arrivals.set(item, arrival)
    band.arrivals.push(arrival)
  }

  /** Takes the job that goes first. */
  take(at: number): Item | undefined {
    if (this.#promoteAfterMs > 0) this.#promote(at)
    const bands = this.#bands
    for (let index = 0; index < bands.length; index++) {
      const item = (bands[index] as Band<Item>).take()
      if (item === undefined) continue
      if (this.#promoteAfterMs > 0) this.#arrivals.delete(item)
      return item
    }
    return undefined
  }

  /** The job that {@link take} would answer. */
  peek(at: number): Item | undefined {
    if (this.#promoteAfterMs > 0) this.#promote(at)
    for (const band of this.#bands) {
      const item = band.peek()
      if (item !== undefined) return item
    }
    return undefined
  }

  /** The jobs that want a slot, in the order they would be taken in. O(n log n), for explanations. */
  *[Symbol.iterator](): Generator<Item> {
    for (const band of this.#bands) yield* band.inOrder()
  }

  /** Forgets the places of cancelled jobs; to be called when no job is ready. */
  clear(): void {
    for (const band of this.#bands) if (!band.isEmpty) band.clear()
    // Clearing makes it anew.
    if (this.#arrivals.size > 0) this.#arrivals.clear()
  }

  /** Moves what has waited long enough up one band, starting from the lowest so that none moves twice. */
  #promote(at: number): void {
    for (let index = this.#bands.length - 1; index > 0; index--) {
      const { arrivals } = this.#bands[index] as Band<Item>
      for (
        let first = arrivals.peek();
        first !== undefined && first.promoteAt <= at;
        first = arrivals.peek()
      ) {
        arrivals.shift()
        // It was taken or cancelled since, and may be waiting anew.
        if (this.#arrivals.get(first.item) !== first) continue
        this.#arrivals.delete(first.item)
        if (!first.item.isReady) continue
        first.item.band = index - 1
        this.add(first.item, at)
      }
    }
  }
}

/** One priority: a plain queue for jobs of score 0 in order of submission, nearly all; a heap for the others. */
class Band<Item extends Queueable> {
  readonly arrivals = new Fifo<Arrival<Item>>()
  readonly #index: number
  readonly #inOrder = new Fifo<Item>()
  readonly #scored = new IndexedHeap<Scored<Item>>(scoredBefore)

  constructor(index: number) {
    this.#index = index
  }

  get isEmpty(): boolean {
    return this.#inOrder.size + this.#scored.size + this.arrivals.size === 0
  }

  add(item: Item): void {
    const last = this.#inOrder.last()
    if (item.score === 0 && (last === undefined || last.sequence < item.sequence)) this.#inOrder.push(item)
    else this.#scored.push({ item, heapIndex: -1 })
  }

  take(): Item | undefined {
    if (this.#inOrder.size + this.#scored.size === 0) return undefined
    const plain = this.#firstPlain()
    const scored = this.#firstScored()
    if (scored !== undefined && (plain === undefined || precedes(scored, plain))) {
      this.#scored.shift()
      return scored
    }
    if (plain !== undefined) this.#inOrder.shift()
    return plain
  }

  peek(): Item | undefined {
    const plain = this.#firstPlain()
    const scored = this.#firstScored()
    const isScoredFirst = scored !== undefined && (plain === undefined || precedes(scored, plain))
    return isScoredFirst ? scored : plain
  }

  inOrder(): Item[] {
    const items = [...this.#inOrder, ...Array.from(this.#scored, (entry) => entry.item)]
    return items.filter((item) => this.#isHere(item)).sort((a, b) => (precedes(a, b) ? -1 : 1))
  }

  clear(): void {
    this.#inOrder.clear()
    this.arrivals.clear()
    this.#scored.clear()
  }

  #firstPlain(): Item | undefined {
    let first = this.#inOrder.peek()
    while (first !== undefined && !this.#isHere(first)) {
      this.#inOrder.shift()
      first = this.#inOrder.peek()
    }
    return first
  }

  #firstScored(): Item | undefined {
    let first = this.#scored.peek()
    while (first !== undefined && !this.#isHere(first.item)) {
      this.#scored.shift()
      first = this.#scored.peek()
    }
    return first?.item
  }

  #isHere(item: Item): boolean {
    return item.isReady && item.band === this.#index
  }
}

interface Arrival<Item> {
  readonly item: Item
  readonly promoteAt: number
}

interface Scored<Item> extends HeapItem {
  readonly item: Item
}

/** By what never changes: a heap also holds the places of jobs that have left its band. */
const scoredBefore = (a: Scored<Queueable>, b: Scored<Queueable>): boolean => precedes(a.item, b.item)

/** Whether `a` is taken before `b`, where both are ready. */
export function goesBefore(a: Queueable, b: Queueable): boolean {
  return a.band === b.band ? precedes(a, b) : a.band < b.band
}

/** Inside a band. */
function precedes(a: Queueable, b: Queueable): boolean {
  return a.score === b.score ? a.sequence < b.sequence : a.score > b.score
}
