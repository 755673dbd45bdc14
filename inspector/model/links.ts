import { i32, u32 } from './column.ts'

/** Which job waits for which: a list of pairs, walked from either end. */
export class Links {
  readonly #dependant = u32()
  readonly #dependency = u32()
  readonly #nextOfDependant = i32()
  readonly #nextOfDependency = i32()
  readonly #firstOfDependant = i32()
  readonly #firstOfDependency = i32()

  get length(): number {
    return this.#dependant.length
  }

  /**
   * Appends pairs.
   *
   * @param jobs - How many jobs there are by now.
   */
  append(dependants: ArrayLike<number>, dependencies: ArrayLike<number>, jobs: number): void {
    const first = this.#dependant.length
    const count = dependants.length
    for (const heads of [this.#firstOfDependant, this.#firstOfDependency])
      if (heads.length < jobs) heads.fill(-1, jobs - heads.length)
    this.#dependant.append(dependants)
    this.#dependency.append(dependencies)
    this.#nextOfDependant.fill(-1, count)
    this.#nextOfDependency.fill(-1, count)
    for (let row = 0; row < count; row++) {
      const [pair, dependant, dependency] = [first + row, dependants[row]!, dependencies[row]!]
      this.#nextOfDependant.data[pair] = this.#firstOfDependant.data[dependant]!
      this.#nextOfDependency.data[pair] = this.#firstOfDependency.data[dependency]!
      this.#firstOfDependant.data[dependant] = pair
      this.#firstOfDependency.data[dependency] = pair
    }
  }

  /** What a job waits for, at most `limit` of them. */
  dependenciesOf(job: number, limit = Number.POSITIVE_INFINITY): number[] {
    return walk(job, limit, this.#firstOfDependant, this.#nextOfDependant.data, this.#dependency.data)
  }

  /** What waits for a job, at most `limit` of them. */
  dependantsOf(job: number, limit = Number.POSITIVE_INFINITY): number[] {
    return walk(job, limit, this.#firstOfDependency, this.#nextOfDependency.data, this.#dependant.data)
  }

  /** Every pair, in the order they came. */
  forEach(visit: (dependant: number, dependency: number) => void): void {
    for (let pair = 0; pair < this.length; pair++)
      visit(this.#dependant.data[pair]!, this.#dependency.data[pair]!)
  }
}

function walk(
  job: number,
  limit: number,
  first: { data: Int32Array; length: number },
  next: Int32Array,
  ends: Uint32Array,
): number[] {
  const found: number[] = []
  if (job >= first.length) return found
  for (let pair = first.data[job]!; pair >= 0 && found.length < limit; pair = next[pair]!)
    found.push(ends[pair]!)
  return found.reverse()
}
