import type { StateValueFrom } from 'xstate'
import type { PoolPressure, poolMachine } from '../../../machines/index.ts'
import type { AutoLimit } from '../../domain/capacity.ts'
import type { JobId, JobStatus } from '../../domain/job.ts'
import { describePressure } from '../../domain/pressure.ts'
import type { Priority } from '../../domain/priority.ts'
import type { Holding } from '../../domain/resources.ts'
import type { RunningAttempt } from '../job/attempt.ts'
import type { JobActor } from '../job/job-actor.ts'
import type { Supervisor } from './supervisor.ts'

/** A pool at one instant. The counts of ended jobs include forgotten ones. */
export interface PoolStatus {
  readonly running: number
  readonly queued: number
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  /** All jobs ever accepted. */
  readonly total: number
  readonly maxParallelJobs: number
  /** How `maxParallelJobs: 'auto'` was worked out at the start; absent without it. */
  readonly autoLimit: AutoLimit | undefined
  /** Why jobs start one at a time, and since when; absent while they do not. */
  readonly pressure: PoolPressure | undefined
  /** What running jobs hold of the resources that `limits` or a job names; absent where nobody names any. */
  readonly resources: Readonly<Record<string, Holding>> | undefined
  readonly queuedByState: { readonly blocked: number; readonly ready: number; readonly delayed: number }
  readonly queuedByPriority: Readonly<Record<Priority, number>>
  /** Attempts that ignore their signal and still run, though their jobs have settled. */
  readonly zombies: number
  readonly runningJobIds: readonly JobId[]
  /** Of the failed jobs that are still known, oldest first. */
  readonly failedJobIds: readonly JobId[]
  /** The states of the pool's chart. */
  readonly states: StateValueFrom<typeof poolMachine>
}

/** Whether a pool can do its work. */
export interface PoolHealth {
  /** `degraded`: it works, but something needs attention. */
  readonly status: 'healthy' | 'degraded' | 'closed'
  /** Why it is not healthy, as sentences. */
  readonly reasons: readonly string[]
  readonly isAccepting: boolean
  readonly isDispatching: boolean
  readonly zombies: number
}

/** When a job waited and ran. Times are epoch ms. */
export interface TimelineEntry {
  readonly jobId: JobId
  readonly nodeId: string | undefined
  readonly status: JobStatus
  readonly queuedAt: number
  readonly endedAt: number | undefined
  readonly attempts: readonly TimelineAttempt[]
}

export interface TimelineAttempt {
  readonly attempt: number
  /** The slot it held, from 0. */
  readonly slot: number
  readonly startedAt: number
  readonly endedAt: number | undefined
}

export function statusOf(supervisor: Supervisor): PoolStatus {
  const { counts, slots, jobs } = supervisor
  const { queued, running, completed, failed, cancelled, blocked, ready, delayed, queuedByPriority } = counts
  const { context, value } = supervisor.actor.getSnapshot()
  return {
    running,
    queued,
    completed,
    failed,
    cancelled,
    total: queued + running + completed + failed + cancelled,
    maxParallelJobs: context.maxParallelJobs,
    autoLimit: supervisor.settings.autoLimit,
    pressure: context.pressure ?? undefined,
    resources: supervisor.holdings.read(),
    queuedByState: { blocked, ready, delayed },
    queuedByPriority,
    zombies: slots.zombies.size,
    runningJobIds: runningJobs(supervisor).map((job) => job.id),
    failedJobIds: Array.from(jobs.endedAs('failed'), (job) => job.id),
    states: value,
  }
}

export function healthOf(supervisor: Supervisor): PoolHealth {
  const { actor, slots } = supervisor
  const pool = actor.getSnapshot()
  const { lifecycle } = pool.value
  const reasons = lifecycle === 'closed' ? ['The pool is closed.'] : hindrancesOf(supervisor)
  if (slots.zombies.size > 0) reasons.push(`Attempts that ignore their signal: ${slots.zombies.size}.`)
  if (slots.zombies.size >= pool.context.maxParallelJobs)
    reasons.push('No slot is left: zombies hold all of them.')
  return {
    status: lifecycle === 'closed' ? 'closed' : reasons.length > 0 ? 'degraded' : 'healthy',
    reasons,
    isAccepting: pool.hasTag('accepting'),
    isDispatching: pool.hasTag('dispatching') && lifecycle !== 'closed' && !supervisor.isRefused,
    zombies: slots.zombies.size,
  }
}

/** What holds back a pool that is not closed. */
function hindrancesOf({ actor, isRefused }: Supervisor): string[] {
  const { value, context } = actor.getSnapshot()
  const reasons: string[] = []
  if (value.lifecycle === 'draining') reasons.push('The pool is shutting down.')
  if (value.dispatch === 'paused') reasons.push('Nothing new starts: dispatch is paused.')
  if (context.pressure !== null) {
    const { since, reasons: measures } = context.pressure
    const why = measures.map(describePressure).join('; ')
    reasons.push(
      `Jobs start one at a time: dispatch is throttled since ${new Date(since).toISOString()}, as ${why}.`,
    )
  }
  if (isRefused) reasons.push('Nothing starts: the store refuses to commit.')
  return reasons
}

export function timelineOf(supervisor: Supervisor): TimelineEntry[] {
  return Array.from(supervisor.jobs.values(), (job) => ({
    jobId: job.id,
    nodeId: job.nodeId,
    status: job.status,
    queuedAt: job.context.queuedAt,
    endedAt: job.endedAt,
    attempts: [...(job.earlier ?? []).map(attemptOf), ...lastAttempt(job)],
  }))
}

function runningJobs({ slots }: Supervisor): JobActor[] {
  const held = slots.holders().filter((attempt) => !slots.zombies.has(attempt))
  return held.map((attempt) => attempt.job)
}

function lastAttempt(job: JobActor): TimelineAttempt[] {
  if (job.current !== undefined) return [attemptOf(job.current)]
  const { settled, lastSlot: slot } = job
  if (settled?.startedAt === undefined) return []
  const { attempts: attempt, startedAt, endedAt } = settled
  return [{ attempt, slot, startedAt, endedAt }]
}

function attemptOf({ attempt, slot, startedAt, endedAt }: RunningAttempt<JobActor>): TimelineAttempt {
  return { attempt, slot, startedAt, endedAt }
}
