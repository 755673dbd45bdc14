import { Column, f64, i32, reserveTimes, u8, u16, u32, upperBound } from './column.ts'

/** The outcome of an attempt that still runs. */
export const OPEN = 255

/**
 * The attempts of a run, each with the slot it held, in the order they started.
 *
 * On a lane (a slot) attempts do not overlap, so that a lane's slices are sorted by their start and their end.
 */
export class Slices {
  readonly job = u32()
  readonly slot = u16()
  readonly attempt = u8()
  readonly readyAt = f64()
  readonly start = f64()
  /** NaN while it runs. */
  readonly end = f64()
  /** The job's state after the attempt; a queued one for an attempt that is tried again; {@link OPEN} while it runs. */
  readonly outcome = u8()
  /** The job's slice before this one, -1 for none. */
  readonly previous = i32()
  /** Until when an attempt that was abandoned holds its slot as a zombie, by slice; Infinity while it does. */
  readonly zombieUntil = new Map<number, number>()
  readonly lanes: Column<Uint32Array>[] = []

  readonly #columns = [
    ...[this.job, this.slot, this.attempt, this.readyAt],
    ...[this.start, this.end, this.outcome, this.previous],
  ]

  get length(): number {
    return this.job.length
  }

  /** Makes room for so many times what there is. */
  reserve(times: number): void {
    reserveTimes(times, this.#columns)
  }

  open(job: number, slot: number, attempt: number, readyAt: number, at: number, previous: number): number {
    const slice = this.job.length
    if (slice === this.job.data.length) for (const column of this.#columns) column.reserve(slice + 1)
    for (const column of this.#columns) column.length++
    this.job.data[slice] = job
    this.slot.data[slice] = slot
    this.attempt.data[slice] = attempt
    this.readyAt.data[slice] = readyAt
    this.start.data[slice] = at
    this.end.data[slice] = Number.NaN
    this.outcome.data[slice] = OPEN
    this.previous.data[slice] = previous
    while (this.lanes.length <= slot) this.lanes.push(new Column(Uint32Array, 16))
    this.lanes[slot]!.push(slice)
    return slice
  }

  close(slice: number, at: number, outcome: number): void {
    this.end.data[slice] = at
    this.outcome.data[slice] = outcome
  }

  /** The end of a slice, or `now` while it runs. */
  endOf(slice: number, now: number): number {
    const end = this.end.data[slice]!
    return Number.isNaN(end) ? now : end
  }

  /** When a slice has given its slot back, which a zombie does after its end; `now` while it holds it. */
  heldUntil(slice: number, now: number): number {
    const until = this.zombieUntil.get(slice)
    if (until === undefined) return this.endOf(slice, now)
    return until === Number.POSITIVE_INFINITY ? now : until
  }

  /** For how long a slice has held its slot as a zombie at `at`, in ms; `undefined` for one that has not. */
  zombieMs(slice: number, at: number): number | undefined {
    const until = this.zombieUntil.get(slice)
    const end = this.end.data[slice]!
    return until !== undefined && end < at ? Math.min(until, at) - end : undefined
  }

  /** Whether a slice has ended at `at`, and holds its slot as a zombie. */
  isZombie(slice: number, at: number): boolean {
    return this.end.data[slice]! <= at && at < (this.zombieUntil.get(slice) ?? at)
  }

  /** The outcome of a slice as it was known at `at`. */
  outcomeAt(slice: number, at: number): number {
    return this.end.data[slice]! <= at ? this.outcome.data[slice]! : OPEN
  }

  /** How many slices of a lane have started at `at`. */
  startedIn(lane: Column<Uint32Array>, at: number): number {
    const { data: starts } = this.start
    let [low, high] = [0, lane.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (starts[lane.data[middle]!]! <= at) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The slice of a lane that has started last at `at`, whether it still runs or not; -1 for none. */
  lastIn(lane: Column<Uint32Array>, at: number): number {
    const started = this.startedIn(lane, at)
    return started === 0 ? -1 : lane.data[started - 1]!
  }

  /** Where in a lane the slice lies that holds it at `at` or is the next one after it; the lane's length when there is none. */
  placeAt(lane: Column<Uint32Array>, at: number): number {
    const next = this.startedIn(lane, at)
    const before = next - 1
    if (before >= 0 && this.heldUntil(lane.data[before]!, Number.POSITIVE_INFINITY) >= at) return before
    return next
  }

  /** The first slice that starts after `at`. */
  firstAfter(at: number): number {
    return upperBound(this.start.data, at, 0, this.length)
  }
}
