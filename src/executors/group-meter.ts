import type { JobUsage } from '../domain/job.ts'
import { canReadProcesses, readProcesses } from './process-table.ts'

/** How often groups are looked at, in ms: often while they are young, and where a limit has to be kept. */
const LOOK_MS = 200
const LIMITED_LOOK_MS = 50
const FIRST_LOOK_MS = 10
/** At most this share of the time goes into looking, however many processes the machine has. */
const LOOKING_SHARE = 0.05
/** For how long the pids of what a group starts are taken to be higher than its leader's: the system counts them up, and round. */
const YOUNG_MS = 10_000

interface Metered {
  readonly addedAt: number
  limitBytes: number | undefined
  readonly exceeded: (seenBytes: number) => void
  cpuMs: number
  peakMemoryBytes: number
  looks: number
}

/**
 * Measures what process groups take, by looking at all of them at once and again.
 *
 * CPU time is what it was at the last look, so up to 200 ms of it are missing; memory is the highest sum of resident
 * sizes at any look, in which shared pages count for each process. Only on Linux.
 */
export class GroupMeter {
  readonly #groups = new Map<number, Metered>()
  #timer: NodeJS.Timeout | undefined
  #isDueAt = Number.POSITIVE_INFINITY

  /**
   * @param leader - The pid of a detached child.
   * @param exceeded - Called once, when the group holds more than `limitBytes`.
   */
  add(leader: number, limitBytes: number | undefined, exceeded: (seenBytes: number) => void): void {
    if (!canReadProcesses) return
    const addedAt = performance.now()
    this.#groups.set(leader, { addedAt, limitBytes, exceeded, cpuMs: 0, peakMemoryBytes: 0, looks: 0 })
    this.#plan(FIRST_LOOK_MS)
  }

  /** @returns What the group has taken, as far as it was seen; nothing for one that ended before the first look. */
  remove(leader: number): JobUsage | undefined {
    const metered = this.#groups.get(leader)
    this.#groups.delete(leader)
    if (this.#groups.size === 0) this.#rest()
    if (metered === undefined || metered.looks === 0) return undefined
    const { cpuMs, peakMemoryBytes } = metered
    return { cpuMs, peakMemoryBytes }
  }

  #look(): void {
    this.#rest()
    const startedAt = performance.now()
    const seen = new Map<number, { cpuMs: number; memoryBytes: number }>()
    for (const { session, hasEnded, cpuMs, memoryBytes } of readProcesses(this.#lowestPid(startedAt))) {
      if (hasEnded || !this.#groups.has(session)) continue
      const sum = seen.get(session) ?? { cpuMs: 0, memoryBytes: 0 }
      seen.set(session, { cpuMs: sum.cpuMs + cpuMs, memoryBytes: sum.memoryBytes + memoryBytes })
    }
    for (const [leader, { cpuMs, memoryBytes }] of seen) this.#note(leader, cpuMs, memoryBytes)
    const costMs = performance.now() - startedAt
    if (this.#groups.size === 0) return
    const restMs = Math.min(...Array.from(this.#groups.values(), restOf))
    this.#plan(Math.max(restMs, costMs / LOOKING_SHARE))
  }

  /** Below this there is nothing of the groups: most of a machine's processes are older than what was started just now. */
  #lowestPid(now: number): number {
    let lowest = Number.POSITIVE_INFINITY
    for (const [leader, { addedAt }] of this.#groups) {
      if (now - addedAt > YOUNG_MS) return 1
      lowest = Math.min(lowest, leader)
    }
    return lowest
  }

  #note(leader: number, cpuMs: number, memoryBytes: number): void {
    const metered = this.#groups.get(leader) as Metered
    metered.looks++
    // A process that nobody waits for takes its time with it: what was seen stays.
    metered.cpuMs = Math.max(metered.cpuMs, cpuMs)
    metered.peakMemoryBytes = Math.max(metered.peakMemoryBytes, memoryBytes)
    const { limitBytes, exceeded } = metered
    if (limitBytes === undefined || memoryBytes <= limitBytes) return
    metered.limitBytes = undefined
    exceeded(memoryBytes)
  }

  #plan(restMs: number): void {
    const dueAt = performance.now() + restMs
    if (dueAt >= this.#isDueAt) return
    this.#rest()
    this.#isDueAt = dueAt
    this.#timer = setTimeout(() => this.#look(), restMs)
    this.#timer.unref()
  }

  #rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isDueAt = Number.POSITIVE_INFINITY
  }
}

const restOf = ({ looks, limitBytes }: Metered): number =>
  Math.min(FIRST_LOOK_MS * 2 ** looks, limitBytes === undefined ? LOOK_MS : LIMITED_LOOK_MS)
