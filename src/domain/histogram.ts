/** The value's upper bits: sign, exponent and five bits of mantissa make a bucket about 3 % wide. */
const DROPPED_BITS = 15
const SMALLEST_MS = 2 ** -10
const BUCKETS = 52 * 32

const float = new Float64Array(1)
const words = new Uint32Array(float.buffer)
/** Which word of a float holds the exponent depends on the machine. */
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0

function highBits(value: number): number {
  float[0] = value
  return (words[HIGH] as number) >>> DROPPED_BITS
}

const LOWEST = highBits(SMALLEST_MS)

/** Counts durations from about a microsecond to over a century, in constant space; quantiles are within 3 %. */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS)
  #count = 0
  #sum = 0
  #max = 0

  /** @param ms - A duration; a negative one, as a clock that was set back gives, counts as 0. */
  record(ms: number): void {
    const index = ms > SMALLEST_MS ? Math.min(highBits(ms) - LOWEST, BUCKETS - 1) : 0
    this.#counts[index] = (this.#counts[index] as number) + 1
    this.#count++
    if (ms > 0) this.#sum += ms
    if (ms > this.#max) this.#max = ms
  }

  get count(): number {
    return this.#count
  }

  get sum(): number {
    return this.#sum
  }

  /** The duration that a share of all stays below, in ms; 0 when nothing was recorded. */
  quantile(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count))
    let seen = 0
    for (let index = 0; index < BUCKETS && this.#count > 0; index++) {
      seen += this.#counts[index] as number
      if (seen >= wanted) return Math.min(middleOf(index), this.#max)
    }
    return 0
  }

  summary(): DurationSummary {
    return {
      count: this.#count,
      averageMs: this.#count === 0 ? 0 : this.#sum / this.#count,
      p50Ms: this.quantile(0.5),
      p95Ms: this.quantile(0.95),
      p99Ms: this.quantile(0.99),
      maxMs: this.#max,
    }
  }
}

/** How a set of durations is spread. */
export interface DurationSummary {
  readonly count: number
  readonly averageMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

function middleOf(index: number): number {
  words[HIGH] = (index + LOWEST) << DROPPED_BITS
  words[1 - HIGH] = 0
  const low = float[0] as number
  words[HIGH] = (index + LOWEST + 1) << DROPPED_BITS
  return (low + (float[0] as number)) / 2
}
