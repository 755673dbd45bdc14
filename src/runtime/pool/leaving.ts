import { EspalierError } from '../../domain/errors.ts'
import type { JobResult } from '../../domain/job.ts'
import type { RunningAttempt } from '../job/attempt.ts'
import type { JobActor } from '../job/job-actor.ts'
import { EXECUTING, stateOf } from '../job/job-states.ts'
import type { Deadlines, Sleeper, Wish } from '../scheduling/deadlines.ts'
import type { Slots } from '../scheduling/slots.ts'
import type { Announcer } from './announcer.ts'
import { loseAttempt, stopAttempt } from './end-attempt.ts'
import type { JobTable } from './job-table.ts'
import type { PoolSettings } from './options.ts'

/** A pool with a store, as it leaves. */
export interface LeavingPool {
  readonly settings: Pick<PoolSettings, 'policy' | 'logger'>
  readonly jobs: JobTable
  readonly slots: Slots<RunningAttempt<JobActor>>
  readonly deadlines: Deadlines
  readonly announcer: Announcer
  now(): number
  /** Asks for a turn, which tells the pool's chart how many jobs are left. */
  openTurn(): void
  /** From now on, nothing is written to the store. */
  stopCommitting(): void
}

/** A run of a pool that leaves. */
export interface LeavingRun {
  /** It goes on in the store only. */
  leave(): void
  /** It ends for good. */
  cancel(): void
}

/**
 * How a pool with a store ends before its jobs do: what has not ended stays in the store, for its next owner.
 *
 * Nothing starts any more. What runs is asked to end: a completion counts as ever, and any other end is a lost attempt, as
 * if the process had died. What does not end within its kill grace is lost too.
 */
export class Leaving implements Sleeper {
  /** Whether jobs are left, rather than cancelled for good: as the latest shutdown asks. */
  isWanted = true
  wish: Wish | undefined = undefined
  readonly #pool: LeavingPool
  readonly #runs = new Set<LeavingRun>()
  #hasBegun = false
  #isOver = false

  constructor(pool: LeavingPool) {
    this.#pool = pool
  }

  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** Whether nothing is waited for any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Has a run told what becomes of it. @returns A function that takes this back. */
  tell(run: LeavingRun): () => void {
    this.#runs.add(run)
    return () => this.#runs.delete(run)
  }

  begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    const { slots, deadlines } = this.#pool
    for (const run of this.#runs) run.leave()
    let graceMs = 0
    for (const attempt of slots.holders()) {
      const { job } = attempt
      if (attempt.hasEnded || !isExecuting(job)) continue
      graceMs = Math.max(graceMs, job.context.policy.killGraceMs)
      const error = new EspalierError('ESP_JOB_CANCELLED', { jobId: job.id, reason: 'shutdown' })
      stopAttempt(attempt, error, this.#pool.settings)
    }
    const at = this.#pool.now()
    deadlines.set(this, at + graceMs)
    this.#pool.openTurn()
  }

  /** What ignores its signal is left behind. */
  wake(at: number): void {
    for (const { job, attempt } of this.#pool.slots.holders()) {
      if (!isExecuting(job) || job.context.attempt !== attempt) continue
      loseAttempt(job, 'its pool was shut down', at)
    }
    this.#isOver = true
    this.#pool.openTurn()
  }

  /** No job is left, and the pool closes: a run that is still being decided about ends for good, where nothing is to be left. */
  close(): void {
    if (!this.isWanted) for (const run of this.#runs) run.cancel()
  }

  /** The pool is closed: whoever waits here for a job or a run that has not ended hears that it was left. */
  end(): void {
    const { deadlines, jobs, announcer } = this.#pool
    deadlines.remove(this)
    for (const run of this.#runs) run.leave()
    const at = this.#pool.now()
    for (const entry of jobs.entries()) {
      if (!entry.isActive) continue
      const job = entry.actor
      deadlines.remove(job)
      job.leave(leftResult(job, at))
    }
    this.#pool.stopCommitting()
    announcer.tellIdle()
  }
}

const isExecuting = (job: JobActor): boolean => stateOf(job.stateValue) === EXECUTING

/** What whoever waits here for a job is told that has been left in the store; it is kept nowhere. */
function leftResult(job: JobActor, endedAt: number): JobResult {
  const { queuedAt, origin, attempt: attempts, startedAt } = job.context
  return {
    jobId: job.id,
    nodeId: origin?.nodeId,
    treeId: origin?.treeId,
    status: 'cancelled',
    value: undefined,
    error: undefined,
    reason: 'left in the store',
    cancelledBy: 'shutdown',
    causedBy: undefined,
    attempts,
    queuedAt,
    startedAt,
    endedAt,
    durationMs: 0,
    metadata: origin?.metadata,
    usage: undefined,
  }
}
