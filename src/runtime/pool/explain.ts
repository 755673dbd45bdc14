import type { CancelSource, JobId, JobResult, JobStatus } from '../../domain/job.ts'
import { amountOf, type Demand } from '../../domain/resources.ts'
import type { JobActor } from '../job/job-actor.ts'
import { isRunning, stateOf } from '../job/job-states.ts'
import type { Supervisor } from './supervisor.ts'

/** Why a job is where it is. */
export interface JobExplanation {
  readonly jobId: JobId
  readonly status: JobStatus
  /** The leaf of its chart, such as `queued.blocked`. */
  readonly state: string
  /** How many have been started. */
  readonly attempts: number
  /** Whether it has not ended, and no process works on it: it goes on when its run is resumed, or its store is opened by a pool. */
  readonly isInterrupted: boolean
  /** Of a blocked job: the jobs that have not ended well. */
  readonly waitsFor: readonly { readonly jobId: JobId; readonly status: JobStatus }[]
  /** Of a ready job: its place in the queue, from 1, and who holds the slots. */
  readonly queue:
    | { readonly place: number; readonly of: number; readonly slots: readonly JobId[] }
    | undefined
  /** Of a ready job: the resources it declares. */
  readonly wants: readonly Want[]
  /** What it waits for, epoch ms: its start, its timeout or the end of its kill grace. */
  readonly deadlineAt: number | undefined
  /** Of an ended job: how it ended, and what led to it, the nearest cause first. */
  readonly causes: readonly Cause[]
}

/** A resource that a job waits for, and how much of it there is, which its pool knows and a store does not. */
export interface Want {
  readonly resource: string
  readonly demanded: number
  readonly held: number
  readonly limit: number | undefined
  /** Who holds it, and how much each. */
  readonly holders: readonly Holder[]
}

export interface Holder {
  readonly jobId: JobId
  readonly held: number
}

/** One link of the chain that ended a job. */
export interface Cause {
  readonly jobId: JobId
  readonly status: JobStatus
  readonly reason: string | undefined
  readonly cancelledBy: CancelSource | undefined
  readonly attempts: number
  readonly error: Error | undefined
  /** The job whose recorded value it took. */
  readonly reusedFrom: JobId | undefined
}

/** Explains a job that the pool knows. */
export function explain(job: JobActor, state: string, supervisor: Supervisor): JobExplanation {
  const { id: jobId, status, context, isReady } = job
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
    attempts: context.attempt,
    isInterrupted: false,
    waitsFor,
    queue: isReady ? placeOf(job, supervisor) : undefined,
    wants: isReady && job.demand !== undefined ? wantsOf(job.demand, supervisor) : [],
    deadlineAt: isDue ? context.deadlineAt : undefined,
    causes: causesOf(job.known, (id) => supervisor.find(id)?.known),
  }
}

function wantsOf(demand: Demand, supervisor: Supervisor): Want[] {
  const running = supervisor.slots
    .holders()
    .map(({ jobId }) => ({ jobId, demand: supervisor.find(jobId)?.demand }))
  return supervisor.holdings.explain(demand).map((want) => {
    const holders = running.map(({ jobId, demand: own }) => ({ jobId, held: amountOf(own, want.resource) }))
    return { ...want, holders: holders.filter(({ held }) => held > 0) }
  })
}

/** A job that wants resources waits among those that do. */
function placeOf(job: JobActor, supervisor: Supervisor): NonNullable<JobExplanation['queue']> {
  const { ready, lines, slots } = supervisor
  const waiting = [...(job.demand === undefined ? ready : lines)]
  return {
    place: waiting.indexOf(job) + 1,
    of: waiting.length,
    slots: slots.holders().map((attempt) => attempt.jobId),
  }
}

/** The chain that led to an end. @param endOf - How another job ended. */
export function causesOf(
  end: JobResult | undefined,
  endOf: (jobId: JobId) => JobResult | undefined,
): Cause[] {
  const causes: Cause[] = []
  const seen = new Set<JobId>()
  let next = end
  while (next !== undefined && !seen.has(next.jobId)) {
    const { jobId, status, reason, cancelledBy, attempts, error, causedBy, usage }: JobResult = next
    causes.push({ jobId, status, reason, cancelledBy, attempts, error, reusedFrom: usage?.reusedFrom })
    seen.add(jobId)
    next = causedBy === undefined ? undefined : endOf(causedBy)
  }
  return causes
}
