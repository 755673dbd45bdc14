import { checkKeys } from '../../domain/check.ts'
import { isEspalierError } from '../../domain/errors.ts'
import type { NodeId } from '../../domain/node-spec.ts'
import { checkInvariants } from '../invariants/invariants.ts'
import { checkFaults, type Fault, type FaultType } from '../model/faults.ts'
import type { Subject, WorldOptions } from '../model/subject.ts'
import type { Invariant } from '../model/world-view.ts'
import { EXPLORED_FAULTS } from './choices.ts'
import type { Coverage } from './coverage.ts'
import { type ExploreLimits, type ExploreProgress, type ExploreReport, explore } from './explore.ts'
import { type SimulationOptions, type SimulationReport, simulateMany } from './simulate.ts'

/** How a workflow is checked; a workflow's module may export it as `check`, for the command line. */
export interface CheckOptions
  extends WorldOptions,
    Pick<SimulationOptions, 'seed' | 'latency' | 'expandLatency'> {
  /** Default: `fail`, `timeout` and `cancel`. */
  readonly faults?: readonly (FaultType | Fault)[]
  readonly limits?: ExploreLimits
  /** How many random simulations follow. Default 1,000. */
  readonly runs?: number
  readonly onProgress?: (progress: CheckProgress) => void
}

export type CheckProgress =
  | ({ readonly phase: 'explore' } & ExploreProgress)
  | { readonly phase: 'simulate'; readonly runs: number; readonly attempts: number }

export interface CheckReport {
  readonly explored: ExploreReport
  readonly simulated: { readonly seed: number; readonly runs: number; readonly attempts: number } | undefined
  readonly violation: ExploreReport['violation']
  readonly counterexample: ExploreReport['counterexample']
  readonly coverage: Coverage
  /** The nodes about which `expand` gave no decision, and what went wrong there last; no violation by itself. */
  readonly failedDecisions: ReadonlyMap<NodeId, Error>
}

export const DEFAULT_CHECKED_FAULTS: readonly FaultType[] = ['fail', 'timeout', 'cancel']
/** States that are explored before chance takes over. */
const DEFAULT_MAX_STATES = 20_000
const DEFAULT_RUNS = 1_000
/** Progress is told after each so many runs. */
const PROGRESS_RUNS = 20
const CHECK_OPTIONS: ReadonlySet<string> = new Set([
  ...(['input', 'pool', 'handlers', 'isDurable', 'invariants', 'seed', 'latency', 'expandLatency'] as const),
  ...(['faults', 'limits', 'runs', 'onProgress'] as const),
] satisfies (keyof CheckOptions)[])
const LIMITS: ReadonlySet<string> = new Set([
  'maxStates',
  'maxDepth',
  'maxFaults',
] satisfies (keyof ExploreLimits)[])
/** Few slots and one retry: what can go wrong goes wrong with them, and the search stays small. */
const DEFAULT_POOL = { maxParallelJobs: 2, maxRetries: 1 }

/**
 * Checks a workflow: explores it, and where that ends at a limit, goes on at random.
 *
 * @throws {EspalierError} For what is wrong before it starts: options, also unknown ones, the workflow, its input.
 */
export async function checkSubject(subject: Subject, options: CheckOptions = {}): Promise<CheckReport> {
  checkKeys('a check', options, CHECK_OPTIONS)
  if (options.limits !== undefined) checkKeys('limits', options.limits, LIMITS)
  const {
    faults = DEFAULT_CHECKED_FAULTS,
    seed = 1,
    runs = DEFAULT_RUNS,
    onProgress,
    limits,
    ...rest
  } = options
  const failedDecisions = new Map<NodeId, Error>()
  const settings = {
    ...rest,
    pool: { ...DEFAULT_POOL, ...rest.pool },
    // Last, so that those that have no name keep their number.
    invariants: [...checkInvariants(rest.invariants ?? []), watcherOf(failedDecisions)],
  }
  const all = checkFaults(faults)
  const explored = await explore(subject, {
    ...settings,
    faults: all.filter(({ type }) => EXPLORED_FAULTS.includes(type)),
    limits: { maxStates: DEFAULT_MAX_STATES, ...limits },
    ...(onProgress && { onProgress: (progress) => onProgress({ phase: 'explore', ...progress }) }),
  })
  const { violation, counterexample, coverage } = explored
  if (violation !== undefined || runs === 0) {
    return { explored, simulated: undefined, violation, counterexample, coverage, failedDecisions }
  }
  let attempts = 0
  const simulated = await simulateMany(subject, {
    ...settings,
    faults: all,
    seed,
    runs,
    coverage,
    onRun: (report: SimulationReport, run: number) => {
      attempts += report.attempts
      if (run % PROGRESS_RUNS === 0) onProgress?.({ phase: 'simulate', runs: run + 1, attempts })
    },
  })
  const { failed } = simulated
  return {
    explored,
    simulated: { seed, runs: simulated.runs, attempts: simulated.attempts },
    violation: failed?.violation,
    counterexample: failed?.counterexample,
    coverage,
    failedDecisions,
  }
}

/** Looks on as an invariant does, and breaks nothing: a run ends well without the decisions that failed. */
function watcherOf(failed: Map<NodeId, Error>): Invariant {
  return ({ nodes }) => {
    for (const { id, decision } of nodes) {
      const error = decision?.error
      // That it takes too long is a fault which is tried.
      if (error !== undefined && !isEspalierError(error, 'ESP_EXPAND_TIMEOUT')) failed.set(id, error)
    }
  }
}
