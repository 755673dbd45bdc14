import type { JobEvent } from '../../../machines/index.ts'
import type { EspalierError } from '../../domain/errors.ts'
import type { JobResult } from '../../domain/job.ts'
import type { Holdings } from '../../domain/resources.ts'
import type { RunningAttempt } from '../job/attempt.ts'
import type { JobActor } from '../job/job-actor.ts'
import { COMPLETED, isRunning, stateOf } from '../job/job-states.ts'
import type { DurableJob } from '../record/durable-job.ts'
import type { Journal } from '../record/journal.ts'
import type { Deadlines } from '../scheduling/deadlines.ts'
import type { Slots } from '../scheduling/slots.ts'
import type { JobCounts } from './job-counts.ts'
import type { JobTable } from './job-table.ts'

/** What a pool keeps that follows from the states of its jobs. */
export interface DerivedState {
  readonly counts: JobCounts
  readonly slots: Slots<RunningAttempt<JobActor>>
  readonly holdings: Holdings
  readonly deadlines: Deadlines
  readonly jobs: JobTable
  /** Puts a job where its state says it must be: into the queue, or to sleep. */
  derive(job: JobActor, state: number): void
  now(): number
}

/**
 * Makes a refused tick not to have happened: rows, counts, slots, queue and deadlines follow the committed states again.
 *
 * @returns What came from outside, such as the ends of attempts, to be told again when the store takes commits.
 */
export function takeBack(
  pool: DerivedState,
  journal: Journal<DurableJob>,
  error: EspalierError,
): readonly (readonly [DurableJob, JobEvent])[] {
  const staged = new Map(journal.jobs.map((job) => [job, stateOf(job.stateValue)]))
  const { gone, facts } = journal.takeBack(error)
  const isGone = new Set(gone)
  for (const [job, state] of staged) {
    if (isGone.has(job)) pool.counts.remove(state, job.priority)
    else restore(pool, job, state)
    if (isRunning(state) && (isGone.has(job) || !isRunning(stateOf(job.stateValue)))) {
      pool.slots.free()
      pool.holdings.giveBack(job.demand)
    }
  }
  for (const job of gone) {
    pool.deadlines.remove(job)
    pool.jobs.drop(job)
    unlink(job)
  }
  // Whoever hears of it may submit again.
  for (const job of gone) job.refuse(refusal(job, error, pool.now()))
  return facts
}

function restore(pool: DerivedState, job: DurableJob, staged: number): void {
  const state = stateOf(job.stateValue)
  pool.counts.move(staged, state, job.priority)
  if (isRunning(state) && !isRunning(staged)) {
    const { current, context } = job
    // An attempt that has not begun has taken no slot: the last one that began is an earlier one.
    const attempt = current?.attempt === context.attempt ? current : undefined
    if (pool.slots.retake(attempt)) pool.holdings.take(job.demand)
  }
  // Its dependants were told of an end that has not happened.
  if (staged >= COMPLETED) {
    for (const { links } of job.links?.dependants ?? []) if (links !== undefined) links.outstanding++
  }
  pool.derive(job, state)
}

/** Nobody waits for a job that is not there. */
function unlink(job: DurableJob): void {
  for (const dependency of job.links?.dependencies ?? []) {
    if (typeof dependency === 'string' || dependency.links === undefined) continue
    dependency.links.dependants = dependency.links.dependants.filter((dependant) => dependant !== job)
  }
}

/** What whoever waits for a job's result is told when it was never accepted; it is kept nowhere. */
function refusal(job: DurableJob, error: EspalierError, endedAt: number): JobResult {
  const { queuedAt, origin } = job.context
  return {
    jobId: job.id,
    nodeId: origin?.nodeId,
    treeId: origin?.treeId,
    status: 'failed',
    value: undefined,
    error,
    reason: 'rejected',
    cancelledBy: undefined,
    causedBy: undefined,
    attempts: 0,
    queuedAt,
    startedAt: undefined,
    endedAt,
    durationMs: 0,
    metadata: origin?.metadata,
    usage: undefined,
  }
}
