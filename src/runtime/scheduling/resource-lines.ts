import type { Demand, Holdings } from '../../domain/resources.ts'
import { goesBefore, type Queueable, ReadyQueue } from './ready-queue.ts'

/** A job in a line. */
interface Demanding extends Queueable {
  readonly demand: Demand | undefined
}

interface Line<Item extends Demanding> {
  readonly names: readonly string[]
  readonly queue: ReadyQueue<Item>
}

/**
 * The ready jobs that want resources: those that want the same ones, in whatever amounts, wait in one line.
 *
 * The rule: a job waits until everything it wants is free, and until no job that goes before it waits for any of
 * the same resources. So whoever wants other resources, or none, passes; among those that want the same, order is kept, a large
 * demand is never starved by small ones, and no two jobs wait for each other. The price: what is free of a resource stays so while
 * the first in line needs more of it.
 *
 * A take costs the number of lines, which the names of resources bound, times the logarithm of their length.
 */
export class ResourceLines<Item extends Demanding> {
  readonly #holdings: Holdings
  readonly #promoteAfterMs: number
  readonly #lines = new Map<string, Line<Item>>()

  constructor(holdings: Holdings, promoteAfterMs: number) {
    this.#holdings = holdings
    this.#promoteAfterMs = promoteAfterMs
  }

  get isEmpty(): boolean {
    return this.#lines.size === 0
  }

  add(item: Item, demand: Demand, at: number): void {
    const { names } = demand
    const key = JSON.stringify(names)
    let line = this.#lines.get(key)
    if (line === undefined) {
      line = { names, queue: new ReadyQueue(this.#promoteAfterMs) }
      this.#lines.set(key, line)
    }
    line.queue.add(item, at)
  }

  /** Takes the job that goes first of those that may start: of the lines, or of the jobs that want nothing. */
  take(free: ReadyQueue<Item>, at: number): Item | undefined {
    const first = this.#firstThatFits(at)
    const other = free.peek(at)
    if (first === undefined || (other !== undefined && goesBefore(other, first.item))) return free.take(at)
    return first.queue.take(at)
  }

  clear(): void {
    this.#lines.clear()
  }

  /** In the order they would be taken in, if everything fitted. */
  *[Symbol.iterator](): Generator<Item> {
    const items = Array.from(this.#lines.values(), ({ queue }) => [...queue]).flat()
    yield* items.sort((a, b) => (goesBefore(a, b) ? -1 : 1))
  }

  #firstThatFits(at: number): { item: Item; queue: ReadyQueue<Item> } | undefined {
    const heads: { item: Item; line: Line<Item> }[] = []
    for (const [key, line] of this.#lines) {
      const item = line.queue.peek(at)
      if (item === undefined) this.#lines.delete(key)
      else heads.push({ item, line })
    }
    heads.sort((a, b) => (goesBefore(a.item, b.item) ? -1 : 1))
    const awaited = new Set<string>()
    for (const { item, line } of heads) {
      const { names, queue } = line
      if (!names.some((name) => awaited.has(name)) && this.#holdings.fits(item.demand as Demand))
        return { item, queue }
      for (const name of names) awaited.add(name)
    }
    return undefined
  }
}
