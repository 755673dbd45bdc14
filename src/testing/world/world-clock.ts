import { Fifo } from '../../domain/fifo.ts'
import { type HeapItem, IndexedHeap } from '../../domain/heap.ts'
import type { Clock } from '../../ports/clock.ts'

/** Something that happens at an instant. */
interface Appointment extends HeapItem {
  readonly at: number
  /** Decides between appointments of one instant. */
  readonly tie: number
  readonly order: number
  readonly run: () => void
  /** Whether the runtime asked for it; else the simulation did. */
  readonly isWake: boolean
}

/** When simulated time begins, epoch ms. */
const START_AT = 1_000_000

/**
 * The time of a world: one heap of all that is to happen, the runtime's wakes and the simulation's own events alike.
 *
 * It goes on only when somebody says so, and what `soon` is given waits in a queue of its own.
 */
export class WorldClock implements Clock {
  readonly #appointments = new IndexedHeap<Appointment>(isBefore)
  readonly #soon = new Fifo<() => void>()
  readonly #tie: () => number
  readonly #wakes = new Set<Appointment>()
  #now = START_AT
  #order = 0
  #wakesAtOnce = 0

  /** @param tie - Drawn for each appointment: of those of one instant, the lowest goes first. */
  constructor(tie: () => number = () => 0) {
    this.#tie = tie
  }

  now(): number {
    return this.#now
  }

  /** Since the world began, in ms. */
  get elapsedMs(): number {
    return this.#now - START_AT
  }

  wakeAt(at: number, wake: () => void): () => void {
    return this.#add(at, wake, true)
  }

  soon(run: () => void): void {
    this.#soon.push(run)
  }

  /** Arranges an event of the simulation. */
  arrange(at: number, run: () => void): void {
    this.#add(at, run, false)
  }

  /** How often the runtime has been woken since time last went on. */
  get wakesAtOnce(): number {
    return this.#wakesAtOnce
  }

  /** When the runtime will be woken next. */
  get nextWakeAt(): number | undefined {
    let first: number | undefined
    for (const { at } of this.#wakes) if (first === undefined || at < first) first = at
    return first
  }

  /** Runs what is to happen before any time passes; `false` when there was nothing. */
  runSoon(): boolean {
    const run = this.#soon.shift()
    run?.()
    return run !== undefined
  }

  /** Forgets what the runtime has wished for: its process has died. */
  forget(): void {
    for (const wake of this.#wakes) this.#appointments.remove(wake)
    this.#wakes.clear()
    this.#soon.clear()
  }

  /** What comes next. */
  get next(): { readonly at: number; readonly isWake: boolean } | undefined {
    return this.#appointments.peek()
  }

  /** Goes on to the next appointment, and keeps it. */
  runNext(): void {
    const next = this.#appointments.shift()
    if (next === undefined) return
    this.#wakes.delete(next)
    this.#wakesAtOnce = next.at > this.#now || !next.isWake ? 0 : this.#wakesAtOnce + 1
    this.goTo(next.at)
    next.run()
  }

  /** Goes on to an instant, epoch ms, waking nobody; never back. */
  goTo(at: number): void {
    if (at > this.#now) this.#now = at
  }

  /** Goes on to so many ms after the world began. */
  goToElapsed(elapsedMs: number): void {
    this.goTo(START_AT + elapsedMs)
  }

  #add(at: number, run: () => void, isWake: boolean): () => void {
    const appointment = { at, tie: this.#tie(), order: this.#order++, run, isWake, heapIndex: -1 }
    this.#appointments.push(appointment)
    if (isWake) this.#wakes.add(appointment)
    return () => {
      this.#appointments.remove(appointment)
      this.#wakes.delete(appointment)
    }
  }
}

const isBefore = (a: Appointment, b: Appointment): boolean => {
  if (a.at !== b.at) return a.at < b.at
  return a.tie === b.tie ? a.order < b.order : a.tie < b.tie
}
