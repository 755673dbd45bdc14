import type { HostCapacity } from './capacity.ts'
import { EspalierError } from './errors.ts'

/**
 * What a job holds while it runs, by name: `memoryBytes`, `cpus`, and whatever the pool's `limits` name.
 *
 * It is a promise of the job, for scheduling; nothing measures whether it is kept.
 */
export interface Resources {
  readonly memoryBytes?: number
  readonly cpus?: number
  readonly [name: string]: number | undefined
}

/** Resources in whole units, so that sums of fractions come back to nothing. */
export interface Demand {
  /** Of the resources wanted, in the order of the names; never empty. */
  readonly names: readonly string[]
  readonly units: readonly number[]
}

/** What is demanded, as it was given. */
export function resourcesOf({ names, units }: Demand): Resources {
  return Object.fromEntries(names.map((name, index) => [name, fromUnits(name, units[index] as number)]))
}

/** How much of a resource is demanded; 0 when it is not, or nothing is. */
export function amountOf(demand: Demand | undefined, resource: string): number {
  const units = demand?.units[demand.names.indexOf(resource)]
  return units === undefined ? 0 : fromUnits(resource, units)
}

/** Fractions of everything but bytes go to thousandths. */
const UNITS_EACH = 1_000

const unitsOf = (name: string): number => (name === 'memoryBytes' ? 1 : UNITS_EACH)

/** What all running jobs together may hold. */
export class ResourceLimits {
  readonly #limits: Readonly<Record<string, number>>
  readonly #capacity: () => HostCapacity
  #known: Readonly<Record<string, number>> | undefined

  /**
   * @param limits - The pool's option; `cpus` and `memoryBytes` are the host's unless it names them.
   * @throws {EspalierError} `ESP_INVALID_OPTION`.
   */
  constructor(limits: Resources, capacity: () => HostCapacity) {
    this.#limits = toUnits('limits', limits)
    this.#capacity = capacity
  }

  /** What the pool's option names. */
  get named(): readonly string[] {
    return Object.keys(this.#limits)
  }

  /** By name; in units. */
  get units(): Readonly<Record<string, number>> {
    this.#known ??= { ...this.#ofHost(), ...this.#limits }
    return this.#known
  }

  /**
   * @returns `undefined` when nothing is wanted.
   * @throws {EspalierError} `ESP_INVALID_OPTION` for a resource that the pool does not have, `ESP_RESOURCES_EXCEEDED`
   * for more than there will ever be.
   */
  demandOf(jobId: string, resources: Resources): Demand | undefined {
    const wanted = toUnits('resources', resources)
    const names = Object.keys(wanted)
      .filter((name) => wanted[name] !== 0)
      .sort()
    if (names.length === 0) return undefined
    for (const name of names) {
      const limit = Object.hasOwn(this.units, name) ? this.units[name] : undefined
      if (limit === undefined) {
        const expected = `made of resources that the pool's \`limits\` (\`--limit\` of \`espalier run\`) name (${Object.keys(this.units).join(', ')})`
        throw new EspalierError('ESP_INVALID_OPTION', { option: 'resources', expected, got: name })
      }
      if ((wanted[name] as number) <= limit) continue
      const [demanded, available] = [fromUnits(name, wanted[name] as number), fromUnits(name, limit)]
      throw new EspalierError('ESP_RESOURCES_EXCEEDED', { jobId, resource: name, demanded, available })
    }
    return { names, units: names.map((name) => wanted[name] as number) }
  }

  #ofHost(): Record<string, number> {
    const { cores, containerCpus = cores, totalMemoryBytes } = this.#capacity()
    return { cpus: Math.floor(Math.min(cores, containerCpus) * UNITS_EACH), memoryBytes: totalMemoryBytes }
  }
}

/** How much of a resource is held, and how much there is. */
export interface Holding {
  readonly held: number
  readonly limit: number
}

/** What running jobs hold; changes only together with the slots. */
export class Holdings {
  readonly #limits: ResourceLimits
  readonly #held = new Map<string, number>()

  constructor(limits: ResourceLimits) {
    this.#limits = limits
  }

  /** Whether there is enough left of everything. */
  fits({ names, units }: Demand): boolean {
    return names.every((name, index) => {
      const limit = this.#limits.units[name] as number
      return (this.#held.get(name) ?? 0) + (units[index] as number) <= limit
    })
  }

  /** How much is wanted of each resource, how much of it is held, and how much there is. */
  explain({ names, units }: Demand): ({ readonly resource: string; readonly demanded: number } & Holding)[] {
    return names.map((resource, index) => ({
      resource,
      demanded: fromUnits(resource, units[index] as number),
      held: fromUnits(resource, this.#held.get(resource) ?? 0),
      limit: fromUnits(resource, this.#limits.units[resource] as number),
    }))
  }

  take(demand: Demand | undefined): void {
    if (demand !== undefined) this.#change(demand, 1)
  }

  giveBack(demand: Demand | undefined): void {
    if (demand !== undefined) this.#change(demand, -1)
  }

  /** Nobody holds anything. */
  clear(): void {
    this.#held.clear()
  }

  /** What is held and what there is in all, of the resources that the pool or a job has named; `undefined`: of none. */
  read(): Record<string, Holding> | undefined {
    const names = new Set([...this.#limits.named, ...this.#held.keys()])
    if (names.size === 0) return undefined
    const entries = Array.from(names, (name) => {
      const held = fromUnits(name, this.#held.get(name) ?? 0)
      return [name, { held, limit: fromUnits(name, this.#limits.units[name] as number) }]
    })
    return Object.fromEntries(entries)
  }

  #change({ names, units }: Demand, sign: 1 | -1): void {
    for (const [index, name] of names.entries()) {
      this.#held.set(name, (this.#held.get(name) ?? 0) + sign * (units[index] as number))
    }
  }
}

/** @throws {EspalierError} `ESP_INVALID_OPTION` for what is no amount; whether the pool has it is another question. */
export function checkResources(option: string, resources: Resources): void {
  toUnits(option, resources)
}

function toUnits(option: string, resources: Resources): Record<string, number> {
  if (typeof resources !== 'object' || resources === null || Symbol.iterator in resources) {
    const expected = 'an object of numbers, such as { cpus: 1, gpu: 1 }'
    throw new EspalierError('ESP_INVALID_OPTION', { option, expected, got: resources })
  }
  const units: Record<string, number> = {}
  for (const [name, amount] of Object.entries(resources)) {
    if (amount === undefined) continue
    const each = unitsOf(name)
    const whole = typeof amount === 'number' ? Math.round(amount * each) : Number.NaN
    const isRight = amount >= 0 && Number.isSafeInteger(whole) && Math.abs(whole - amount * each) < 1e-6
    if (!isRight) {
      const expected = each === 1 ? 'a whole number from 0' : 'a number from 0, with at most three decimals'
      throw new EspalierError('ESP_INVALID_OPTION', { option: `${option}.${name}`, expected, got: amount })
    }
    units[name] = whole
  }
  return units
}

const fromUnits = (name: string, units: number): number => units / unitsOf(name)
