import { checkInteger } from '../../domain/check.ts'
import type { JobId, JobResult } from '../../domain/job.ts'
import type { RunOutcome } from '../../domain/workflow.ts'
import type { Body } from '../model/body.ts'
import {
  type AttemptFault,
  checkFaults,
  drawAttemptFault,
  drawWorldFaults,
  type Fault,
  type FaultType,
  needsStore,
} from '../model/faults.ts'
import type { JournalEntry } from '../model/journal.ts'
import type { OpenQuestion } from '../model/question.ts'
import { SeededRandom } from '../model/random.ts'
import type { Deed, Step } from '../model/step.ts'
import type { Subject, WorldOptions } from '../model/subject.ts'
import type { Violation } from '../model/world-view.ts'
import type { WorldDriver } from '../world/inner-world.ts'
import { World } from '../world/world.ts'
import { type Counterexample, counterexampleOf } from './counterexample.ts'
import type { Coverage } from './coverage.ts'

/** How long something takes, in ms: always so long, or drawn between two. */
export type Latency = number | readonly [least: number, most: number]

export interface SimulationOptions extends WorldOptions {
  /** Decides everything that is left to chance. Default 1. */
  readonly seed?: number
  readonly faults?: readonly (FaultType | Fault)[]
  /** How long attempts take: all, or by handler. Default 1 to 100 ms. */
  readonly latency?: Latency | Readonly<Record<string, Latency>>
  /** How long an asynchronous `expand` takes. Default 1 to 20 ms. */
  readonly expandLatency?: Latency
  /** Simulated attempts, after which the simulation gives up. Default 1,000,000. */
  readonly maxAttempts?: number
  /** Whether to write a journal. Default `true`. */
  readonly journal?: boolean
  /** Notes the transitions taken. */
  readonly coverage?: Coverage
}

export interface SimulationReport {
  readonly seed: number
  /** The first promise that was broken; absent when all held. */
  readonly violation: Violation | undefined
  /** The run that broke it, to be repeated by `replay`. */
  readonly counterexample: Counterexample | undefined
  /** How the run ended; absent for a set of jobs, and when a promise was broken before. */
  readonly outcome: RunOutcome | undefined
  readonly results: ReadonlyMap<JobId, JobResult>
  /** What was done and told, in order: the same for the same seed. */
  readonly journal: readonly JournalEntry[]
  /** How many attempts were started. */
  readonly attempts: number
  /** How much time passed in the world. */
  readonly simulatedMs: number
}

const DEFAULT_LATENCY: Latency = [1, 100]
const DEFAULT_EXPAND_LATENCY: Latency = [1, 20]
/** How long an attempt takes to end after it was asked to. */
const OBEY_LATENCY: Latency = [0, 2]
/** Up to so many live jobs everything is checked after each event; beyond, in proportion less often. */
const CHECKED_JOBS = 50

/**
 * Runs a workflow, or a set of jobs, in a simulated world: the real pool, orchestrator and charts, but time, chance,
 * ids and executors decided by a seed.
 *
 * All promises of the runtime, and the given invariants, are checked on the way; the simulation ends at the first
 * that is broken.
 *
 * @throws {EspalierError} For what is wrong before it starts: options, the workflow, its input.
 */
export async function simulate(subject: Subject, options: SimulationOptions = {}): Promise<SimulationReport> {
  return new Simulation(subject, options).run()
}

/** Simulates with one seed after the other, until a promise is broken or `runs` are done. */
export async function simulateMany(
  subject: Subject,
  options: SimulationOptions & {
    readonly runs: number
    /** Told after each run. */
    readonly onRun?: (report: SimulationReport, run: number) => void
  },
): Promise<{
  readonly runs: number
  readonly attempts: number
  readonly failed: SimulationReport | undefined
}> {
  const { runs, onRun, seed = 1, ...rest } = options
  checkInteger('runs', runs, 1)
  let attempts = 0
  for (let run = 0; run < runs; run++) {
    const report = await simulate(subject, { journal: false, ...rest, seed: seed + run })
    attempts += report.attempts
    onRun?.(report, run)
    if (report.violation !== undefined) return { runs: run + 1, attempts, failed: report }
  }
  return { runs, attempts, failed: undefined }
}

class Simulation implements WorldDriver {
  readonly #options: SimulationOptions
  readonly #settings: SimulationOptions
  readonly #subject: Subject
  readonly #faults: readonly Fault[]
  readonly #seed: number
  readonly #random: SeededRandom
  /** Apart, so that what the runtime draws does not change what is simulated. */
  readonly #runtimeRandom: SeededRandom
  readonly #world: World
  readonly #steps: Step[] = []
  readonly #struck = new Map<Body, AttemptFault | undefined>()
  #attempts = 0

  constructor(subject: Subject, options: SimulationOptions) {
    const { seed = 1, faults = [] } = options
    if (!Number.isSafeInteger(seed)) checkInteger('seed', seed)
    this.#subject = subject
    this.#options = options
    this.#faults = checkFaults(faults)
    this.#seed = seed
    this.#random = new SeededRandom(seed)
    this.#runtimeRandom = new SeededRandom(~seed)
    this.#settings = { isDurable: needsStore(this.#faults), ...options }
    this.#world = new World(subject, this.#settings, this)
    if (options.journal !== false) this.#world.journal = []
  }

  random(): number {
    return this.#runtimeRandom.next()
  }

  tie(): number {
    return this.#random.next()
  }

  began(body: Body): void {
    this.#attempts++
    const fault = drawAttemptFault(this.#faults, this.#world.strickenBy(body), this.#random)
    const latency = this.#latencyOf(body.handler)
    const as = this.#random.below(body.outcomes.length)
    this.#struck.set(body, fault)
    const { job, attempt } = body
    if (fault === 'timeout' || fault === 'late') return
    const deed = deedOf(fault, { job, attempt }, as)
    this.#arrange(latency, deed)
    if (fault === 'duplicate')
      this.#arrange(latency + this.#draw(DEFAULT_LATENCY), { do: 'repeat', job, attempt })
  }

  stopped(body: Body): void {
    const { job, attempt } = body
    const fault = this.#struck.get(body)
    if (fault !== 'deaf' && fault !== 'late') {
      this.#arrange(this.#draw(OBEY_LATENCY), { do: 'obey', job, attempt })
      return
    }
    const { killGraceMs = 2_000 } = this.#options.pool ?? {}
    this.#arrange(killGraceMs + this.#latencyOf(body.handler), { do: 'end', as: 0, job, attempt })
  }

  asked({ node }: OpenQuestion): void {
    this.#arrange(this.#draw(this.#options.expandLatency ?? DEFAULT_EXPAND_LATENCY), { do: 'decide', node })
  }

  async run(): Promise<SimulationReport> {
    const world = this.#world
    const { clock } = world
    this.#options.coverage?.attach(world)
    this.#arrangeFaults()
    await world.start()
    let untilCheck = 0
    while (world.violation === undefined) {
      if (--untilCheck < 0) {
        world.check()
        untilCheck = Math.floor(world.rows.live.size / CHECKED_JOBS)
      }
      const { next } = clock
      if (world.isSpinning || next === undefined || this.#attempts > (this.#options.maxAttempts ?? 1_000_000))
        break
      if (next.isWake) this.#wake(next.at)
      else clock.runNext()
      const settled = world.settle()
      if (settled !== undefined) await settled
    }
    if (world.violation === undefined) world.check()
    if (world.violation === undefined) world.checkEnd()
    return this.#report()
  }

  #wake(at: number): void {
    const { clock } = this.#world
    clock.goTo(at)
    this.#note({ do: 'wait', wakes: 1 })
    clock.runNext()
  }

  #report(): SimulationReport {
    const { violation, outcome, rows, clock, journal } = this.#world
    const results = new Map<JobId, JobResult>()
    for (const { id, outcome } of rows.all.values()) if (outcome !== undefined) results.set(id, outcome)
    return {
      seed: this.#seed,
      violation,
      counterexample:
        violation === undefined
          ? undefined
          : counterexampleOf(this.#subject, this.#settings, this.#steps, violation),
      outcome,
      results,
      journal: journal ?? [],
      attempts: this.#attempts,
      simulatedMs: clock.elapsedMs,
    }
  }

  #arrangeFaults(): void {
    for (const { at, on, deeds } of drawWorldFaults(this.#faults, this.#random)) {
      for (const { afterMs, deed } of deeds) {
        this.#arrange(at + afterMs, deed.do === 'cancel' ? () => this.#cancelDeed(on) : deed)
      }
    }
  }

  /** Whom a cancel strikes is found when it strikes. */
  #cancelDeed(on: string | undefined): Deed | undefined {
    const { rows, orchestrator } = this.#world
    const live = [...rows.live]
    if (on === undefined && orchestrator !== undefined) return { do: 'cancel' }
    const found =
      on === undefined ? live : live.filter(({ id, node, handler }) => [id, node, handler].includes(on))
    if (found.length === 0) return undefined
    return { do: 'cancel', job: this.#random.pick(found).id }
  }

  #arrange(afterMs: number, deed: Deed | (() => Deed | undefined)): void {
    this.#world.clock.arrange(this.#world.now + afterMs, () => {
      const found = typeof deed === 'function' ? deed() : deed
      if (found === undefined) return
      this.#note(found)
      if (this.#world.do(found)) return
      this.#steps.pop()
      this.#world.journal?.pop()
    })
  }

  #note(deed: Deed): void {
    const { clock, journal } = this.#world
    const step = { at: clock.elapsedMs, ...deed }
    this.#steps.push(step)
    journal?.push({ at: step.at, type: 'step', step })
  }

  #latencyOf(handler: string): number {
    const { latency = DEFAULT_LATENCY } = this.#options
    if (typeof latency === 'number' || Array.isArray(latency)) return this.#draw(latency as Latency)
    return this.#draw((latency as Readonly<Record<string, Latency>>)[handler] ?? DEFAULT_LATENCY)
  }

  #draw(latency: Latency): number {
    return typeof latency === 'number' ? latency : this.#random.between(latency[0], latency[1])
  }
}

function deedOf(
  fault: AttemptFault | undefined,
  of: { readonly job: JobId; readonly attempt: number },
  as: number,
): Deed {
  switch (fault) {
    case 'fail':
      return { do: 'fail', ...of }
    case 'lost':
      return { do: 'lose', ...of }
    case 'rejected':
      return { do: 'reject', ...of }
    default:
      return { do: 'end', as, ...of }
  }
}
