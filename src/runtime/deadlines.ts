import { type HeapItem, IndexedHeap } from '../domain/heap.ts'
import type { Clock } from '../ports/clock.ts'

/** Something that waits for an instant; it has at most one wish at a time. */
export interface Sleeper extends HeapItem {
  /** Epoch ms; the {@link Deadlines}' to write. */
  wakeAt: number | undefined
  /** Called at `wakeAt` or later, with the time it is. */
  wake(at: number): void
}

/**
 * The one timer of a pool: all deadlines in a heap, and a single wish to the clock for the earliest.
 *
 * The wish is not moved when a later deadline becomes the first: the clock then wakes once too early, and is asked
 * again. So jobs that end long before their timeout cost the clock nothing.
 */
export class Deadlines {
  readonly #heap = new IndexedHeap<Sleeper>(isEarlier)
  readonly #clock: Clock
  #isResting = false
  /** Withdraws the wish when nothing waits any more; not at once, since asking anew is what costs. */
  readonly #rest = (): void => {
    this.#isResting = false
    if (this.#heap.size > 0) return
    this.#withdraw?.()
    this.#withdraw = undefined
    this.#askedFor = Number.POSITIVE_INFINITY
  }
  #askedFor = Number.POSITIVE_INFINITY
  #withdraw: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#heap.size
  }

  /** Asks to be woken at `at`, instead of any earlier wish. */
  set(sleeper: Sleeper, at: number): void {
    this.#heap.remove(sleeper)
    sleeper.wakeAt = at
    this.#heap.push(sleeper)
    if (at < this.#askedFor) this.#ask(at)
  }

  /** What a chart's effect `wakeAt` asks for: `set`, or `remove` when `at` is 0. */
  wish(sleeper: Sleeper, at: number): void {
    if (at > 0) this.set(sleeper, at)
    else this.remove(sleeper)
  }

  remove(sleeper: Sleeper): void {
    if (sleeper.wakeAt === undefined) return
    this.#heap.remove(sleeper)
    sleeper.wakeAt = undefined
    if (this.#heap.size > 0 || this.#withdraw === undefined || this.#isResting) return
    this.#isResting = true
    this.#clock.soon(this.#rest)
  }

  #ask(at: number): void {
    this.#withdraw?.()
    this.#askedFor = at
    this.#withdraw = this.#clock.wakeAt(at, () => this.#wake())
  }

  #wake(): void {
    this.#withdraw = undefined
    this.#askedFor = Number.POSITIVE_INFINITY
    const now = this.#clock.now()
    for (
      let first = this.#heap.peek();
      first !== undefined && (first.wakeAt as number) <= now;
      first = this.#heap.peek()
    ) {
      this.remove(first)
      first.wake(now)
    }
    const next = this.#heap.peek()?.wakeAt
    if (next !== undefined && next < this.#askedFor) this.#ask(next)
  }
}

/** One function for all heaps: what runs often is compiled for the function it has seen. */
const isEarlier = (a: Sleeper, b: Sleeper): boolean => (a.wakeAt as number) < (b.wakeAt as number)
