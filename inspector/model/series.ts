/** At most so many buckets; when a run grows beyond them, pairs are merged and the buckets become twice as wide. */
const BUCKETS = 1024
const FIRST_WIDTH_MS = 100

/** What is counted in each bucket of time. */
export type Counted = 'submitted' | 'started' | 'completed' | 'failed' | 'cancelled' | 'retried'

/** What is a level, kept as its average over each bucket. */
export type Level = 'queued' | 'running' | 'zombies'

/** Rates and levels of a run over its time, in a constant number of buckets. */
export class Series {
  /** Of a bucket, in ms. */
  width = FIRST_WIDTH_MS
  readonly #epoch: number
  readonly #counts: Readonly<Record<Counted, Float64Array>> = {
    submitted: new Float64Array(BUCKETS),
    started: new Float64Array(BUCKETS),
    completed: new Float64Array(BUCKETS),
    failed: new Float64Array(BUCKETS),
    cancelled: new Float64Array(BUCKETS),
    retried: new Float64Array(BUCKETS),
  }
  /** Level × ms in each bucket. */
  readonly #areas: Readonly<Record<Level, Float64Array>> = {
    queued: new Float64Array(BUCKETS),
    running: new Float64Array(BUCKETS),
    zombies: new Float64Array(BUCKETS),
  }
  readonly #levels: Record<Level, number> = { queued: 0, running: 0, zombies: 0 }
  #until: number

  constructor(epoch: number) {
    this.#epoch = epoch
    this.#until = epoch
  }

  /** How many buckets have begun. */
  get length(): number {
    return Math.min(BUCKETS, Math.floor((this.#until - this.#epoch) / this.width) + 1)
  }

  /** The instant a bucket begins, epoch ms. */
  startOf(bucket: number): number {
    return this.#epoch + bucket * this.width
  }

  /** When each bucket begins, in ms since the run's start. */
  instants(): Float64Array {
    return Float64Array.from({ length: this.length }, (_, bucket) => bucket * this.width)
  }

  count(name: Counted, at: number): void {
    this.advance(at)
    this.#counts[name][this.#bucketOf(at)]! += 1
  }

  /** A level has another value from `at` on; that may lie before what was held already, when word of it came late. */
  level(name: Level, value: number, at: number): void {
    this.advance(at)
    if (at < this.#until) this.#hold(name, value - this.#levels[name], at, this.#until)
    this.#levels[name] = value
  }

  /** Holds the levels as they are until `at`. */
  advance(at: number): void {
    if (at <= this.#until) return
    while (at - this.#epoch >= BUCKETS * this.width) this.#widen()
    this.#hold('queued', this.#levels.queued, this.#until, at)
    this.#hold('running', this.#levels.running, this.#until, at)
    this.#hold('zombies', this.#levels.zombies, this.#until, at)
    this.#until = at
  }

  #hold(name: Level, value: number, from: number, to: number): void {
    if (value === 0) return
    const areas = this.#areas[name]
    let at = from
    while (at < to) {
      const bucket = this.#bucketOf(at)
      const end = Math.min(to, this.startOf(bucket + 1))
      areas[bucket]! += value * (end - at)
      if (end <= at) return
      at = end
    }
  }

  /** Per second, in each bucket. */
  rate(name: Counted): Float64Array {
    const seconds = this.width / 1000
    return this.#counts[name].slice(0, this.length).map((count) => count / seconds)
  }

  /** The average of each bucket; the last one's over the part that has passed. */
  average(name: Level): Float64Array {
    const areas = this.#areas[name].slice(0, this.length)
    const last = areas.length - 1
    return areas.map((area, bucket) => {
      const span = bucket === last ? this.#until - this.startOf(bucket) : this.width
      return span > 0 ? area / span : this.#levels[name]
    })
  }

  /** The counts of some buckets together, both ends included. */
  sum(names: readonly Counted[], first: number, last: number): number {
    let sum = 0
    for (const name of names) {
      const counts = this.#counts[name]
      for (let bucket = first; bucket <= last; bucket++) sum += counts[bucket]!
    }
    return sum
  }

  #bucketOf(at: number): number {
    return Math.min(BUCKETS - 1, Math.max(0, Math.floor((at - this.#epoch) / this.width)))
  }

  #widen(): void {
    this.width *= 2
    for (const data of [...Object.values(this.#counts), ...Object.values(this.#areas)]) {
      for (let bucket = 0; bucket < BUCKETS / 2; bucket++)
        data[bucket] = data[bucket * 2]! + data[bucket * 2 + 1]!
      data.fill(0, BUCKETS / 2)
    }
  }
}
