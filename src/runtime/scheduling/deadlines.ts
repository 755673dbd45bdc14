import { type HeapItem, IndexedHeap } from '../../domain/heap.ts'
import type { Clock } from '../../ports/clock.ts'

/** Something that waits for an instant; it has at most one wish at a time. */
export interface Sleeper {
  /** The {@link Deadlines}' to write; absent while it waits for nothing. */
  wish: Wish | undefined
  /** Called at its instant or later, with the time it is. */
  wake(at: number): void
}

/** A wish to be woken: in the line of those that came in their order, or else in the heap. */
export class Wish implements HeapItem {
  readonly sleeper: Sleeper
  /** Epoch ms. */
  readonly at: number
  heapIndex = -1
  before: Wish = this
  after: Wish = this

  constructor(sleeper: Sleeper, at: number) {
    this.sleeper = sleeper
    this.at = at
  }
}

/**
 * The one timer of a pool: all deadlines, and a single wish to the clock for the earliest.
 *
 * Nearly all are timeouts of the same length: each is the latest when it comes, and goes to the end of a line, from
 * which it is taken at once, wherever it stands. Only what comes out of order costs a place in a heap.
 *
 * The wish is not moved when a later deadline becomes the first: the clock then wakes once too early, and is asked
 * again. So jobs that end long before their timeout cost the clock nothing.
 */
export class Deadlines {
  /** The line's two ends, joined in one that is no wish. */
  readonly #line = new Wish({ wish: undefined, wake() {} }, Number.NEGATIVE_INFINITY)
  readonly #heap = new IndexedHeap<Wish>(isEarlier)
  readonly #clock: Clock
  #size = 0
  #isResting = false
  /** Withdraws the wish when nothing waits any more; not at once, since asking anew is what costs. */
  readonly #rest = (): void => {
    this.#isResting = false
    if (this.#size > 0) return
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
    return this.#size
  }

  /** Asks to be woken at `at`, instead of any earlier wish. */
  set(sleeper: Sleeper, at: number): void {
    this.#drop(sleeper)
    const wish = new Wish(sleeper, at)
    sleeper.wish = wish
    this.#size++
    const last = this.#line.before
    if (at >= last.at) this.#append(wish, last)
    else this.#heap.push(wish)
    if (at < this.#askedFor) this.#ask(at)
  }

  /** What a chart's effect `wakeAt` asks for: `set`, or `remove` when `at` is 0. */
  wish(sleeper: Sleeper, at: number): void {
    if (at > 0) this.set(sleeper, at)
    else this.remove(sleeper)
  }

  remove(sleeper: Sleeper): void {
    if (sleeper.wish === undefined) return
    this.#drop(sleeper)
    if (this.#size > 0 || this.#withdraw === undefined || this.#isResting) return
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
    for (let first = this.#first(); first !== undefined && first.at <= now; first = this.#first()) {
      this.remove(first.sleeper)
      first.sleeper.wake(now)
    }
    const next = this.#first()?.at
    if (next !== undefined && next < this.#askedFor) this.#ask(next)
  }

  #first(): Wish | undefined {
    const inLine = this.#line.after
    const outOfLine = this.#heap.peek()
    if (inLine === this.#line) return outOfLine
    return outOfLine === undefined || inLine.at <= outOfLine.at ? inLine : outOfLine
  }

  #append(wish: Wish, last: Wish): void {
    wish.before = last
    wish.after = this.#line
    last.after = wish
    this.#line.before = wish
  }

  #drop(sleeper: Sleeper): void {
    const { wish } = sleeper
    if (wish === undefined) return
    sleeper.wish = undefined
    this.#size--
    if (wish.heapIndex >= 0) {
      this.#heap.remove(wish)
      return
    }
    wish.before.after = wish.after
    wish.after.before = wish.before
  }
}

/** One function for all heaps: what runs often is compiled for the function it has seen. */
const isEarlier = (a: Wish, b: Wish): boolean => a.at < b.at
