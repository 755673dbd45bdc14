import type { CancelSource, JobId, JobResult, JobStatus } from '../domain/job.ts'
import { type JobActor, stateOf } from './job.ts'
import { isRunning } from './job-counts.ts'
import type { Supervisor } from './supervisor.ts'

/** Why a job is where it is. */
export interface JobExplanation {
  readonly jobId: JobId
  readonly status: JobStatus
  /** The leaf of its chart, such as `queued.blocked`. */
  readonly state: string
  /** Of a blocked job: the jobs that have not ended well. */
  readonly waitsFor: readonly { readonly jobId: JobId; readonly status: JobStatus }[]
  /** Of a ready job: its place in the queue, from 1, and who holds the slots. */
  readonly queue:
    | { readonly place: number; readonly of: number; readonly slots: readonly JobId[] }
    | undefined
  /** What it waits for, epoch ms: its start, its timeout or the end of its kill grace. */
  readonly deadlineAt: number | undefined
  /** Of an ended job: how it ended, and what led to it, the nearest cause first. */
  readonly causes: readonly Cause[]
}

/** One link of the chain that ended a job. */
export interface Cause {
  readonly jobId: JobId
  readonly status: JobStatus
  readonly reason: string | undefined
  readonly cancelledBy: CancelSource | undefined
  readonly attempts: number
  readonly error: Error | undefined
}

/** Explains a job that the pool knows. */
export function explain(job: JobActor, state: string, supervisor: Supervisor): JobExplanation {
  const { id: jobId, status, context } = job
  const isWaiting = status === 'queued'
  const links = isWaiting ? (job.links?.dependencies ?? []) : []
  const waitsFor = links.flatMap((dependency) => {
    if (typeof dependency === 'string' || dependency.status === 'completed') return []
    return [{ jobId: dependency.id, status: dependency.status }]
  })
  const isDue = isRunning(stateOf(job.stateValue)) || state === 'queued.delayed'
  return {
    jobId,
    status,
    state,
    waitsFor,
    queue: job.isReady ? placeOf(job, supervisor) : undefined,
    deadlineAt: isDue ? context.deadlineAt : undefined,
    causes: causesOf(job, supervisor),
  }
}

function placeOf(job: JobActor, { ready, counts, slots }: Supervisor): NonNullable<JobExplanation['queue']> {
  let place = 0
  for (const other of ready) {
    place++
    if (other === job) break
  }
  return { place, of: counts.ready, slots: slots.holders().map((attempt) => attempt.jobId) }
}

function causesOf(job: JobActor, supervisor: Supervisor): Cause[] {
  const causes: Cause[] = []
  const seen = new Set<JobId>()
  let next: JobActor | undefined = job
  while (next?.known !== undefined && !seen.has(next.id)) {
    const { jobId, status, reason, cancelledBy, attempts, error, causedBy }: JobResult = next.known
    causes.push({ jobId, status, reason, cancelledBy, attempts, error })
    seen.add(jobId)
    next = causedBy === undefined ? undefined : supervisor.find(causedBy)
  }
  return causes
}
