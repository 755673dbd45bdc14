import type { Clock } from '../../ports/clock.ts'

interface Wish {
  readonly at: number
  readonly order: number
  readonly wake: () => void
}

/**
 * A clock that stands still until told to go on.
 *
 * `soon` runs on Node's own event loop, so that awaiting a result needs no hand on the clock; only waking does.
 */
export class SimulatedClock implements Clock {
  #now: number
  #order = 0
  #soon = 0
  readonly #wishes = new Set<Wish>()

  constructor(now = 1_000_000) {
    this.#now = now
  }

  /** How many wishes to be woken are open. */
  get wishes(): number {
    return this.#wishes.size
  }

  /** When the clock is next asked to wake somebody. */
  get nextWakeAt(): number | undefined {
    return this.#next()?.at
  }

  now(): number {
    return this.#now
  }

  wakeAt(at: number, wake: () => void): () => void {
    const wish = { at, order: this.#order++, wake }
    this.#wishes.add(wish)
    return () => this.#wishes.delete(wish)
  }

  soon(run: () => void): void {
    this.#soon++
    setImmediate(() => {
      this.#soon--
      run()
    })
  }

  /** Lets promises settle and the event loop turn until nothing is left to do at this instant. */
  async settle(): Promise<void> {
    do await new Promise((resolve) => setImmediate(resolve))
    while (this.#soon > 0)
  }

  /** Goes on by `ms`, and wakes whoever asked for an instant on the way, in order, each with time to work. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms
    await this.settle()
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) {
      this.#now = Math.max(this.#now, next.at)
      this.#wishes.delete(next)
      next.wake()
      await this.settle()
    }
    this.#now = until
    await this.settle()
  }

  /** Sets the time without waking anybody, as when the machine was busy. */
  jump(ms: number): void {
    this.#now += ms
  }

  #next(): Wish | undefined {
    let first: Wish | undefined
    for (const wish of this.#wishes) {
      if (first === undefined || wish.at < first.at || (wish.at === first.at && wish.order < first.order))
        first = wish
    }
    return first
  }
}
