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

  add(dependant: number, dependency: number): void {
    const pair = this.#dependant.length
    const most = Math.max(dependant, dependency) + 1
    for (const first of [this.#firstOfDependant, this.#firstOfDependency])
      if (first.length < most) first.fill(-1, most - first.length)
    this.#dependant.push(dependant)
    this.#dependency.push(dependency)
    this.#nextOfDependant.push(this.#firstOfDependant.data[dependant]!)
    this.#nextOfDependency.push(this.#firstOfDependency.data[dependency]!)
    this.#firstOfDependant.data[dependant] = pair
    this.#firstOfDependency.data[dependency] = pair
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
