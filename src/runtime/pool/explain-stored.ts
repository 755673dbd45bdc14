import { EspalierError } from '../../domain/errors.ts'
import type { JobId, JobStatus } from '../../domain/job.ts'
import { bandOf } from '../../domain/priority.ts'
import type { JobRecord, RunStore, StoreOwner } from '../../ports/run-store.ts'
import { resultOf } from '../record/ended-job.ts'
import { isInterrupted } from '../record/interrupted.ts'
import { causesOf, type JobExplanation, type Want } from './explain.ts'

/**
 * Explains a job as `pool.explain` does, from a store alone, also while a process works on it.
 *
 * @throws {EspalierError} `ESP_UNKNOWN_JOB`; what reading the store throws.
 */
export function explainStored(jobId: JobId, store: RunStore): JobExplanation {
  const owner = store.owner()
  const job = store.job(jobId)
  if (job === undefined) throw new EspalierError('ESP_UNKNOWN_JOB', { jobId })
  const { state, attempt: attempts, deadlineAt, submitted } = job
  const isReady = state === 'queued.ready'
  const isTimed = state === 'queued.delayed' || state.startsWith('running')
  const endOf = (record: JobRecord | undefined) => (record?.end === undefined ? undefined : resultOf(record))
  return {
    jobId,
    status: statusOf(job),
    state,
    attempts,
    isInterrupted: isLeft(job, owner, store),
    waitsFor: state === 'queued.blocked' ? waitsFor(submitted.dependencies ?? [], store) : [],
    queue: isReady ? placeOf(job, store) : undefined,
    wants: isReady ? wantsOf(job, store) : [],
    deadlineAt: isTimed ? deadlineAt : undefined,
    causes: causesOf(endOf(job), (id) => endOf(store.job(id))),
  }
}

/** Those that stand alone are the owner's, whoever that is. */
function isLeft({ end, runId }: JobRecord, owner: StoreOwner | undefined, store: RunStore): boolean {
  if (end !== undefined) return false
  if (runId === undefined) return owner === undefined
  const run = store.run(runId)
  return run !== undefined && isInterrupted(run, owner)
}

const statusOf = ({ state }: JobRecord): JobStatus => state.split('.')[0] as JobStatus

function waitsFor(ids: readonly JobId[], store: RunStore): JobExplanation['waitsFor'] {
  return ids.flatMap((id) => {
    const needed = store.job(id)
    if (needed === undefined || needed.state === 'completed') return []
    return [{ jobId: id, status: statusOf(needed) }]
  })
}

function wantsOf({ submitted: { resources = {} } }: JobRecord, store: RunStore): Want[] {
  const wanted = Object.entries(resources).filter(([, demanded]) => demanded !== 0)
  if (wanted.length === 0) return []
  const running = [...openJobs(store)].filter(({ state }) => state.startsWith('running'))
  return wanted.sort().map(([resource, demanded = 0]) => {
    const amounts = running.map(({ id, submitted }) => ({
      jobId: id,
      held: submitted.resources?.[resource] ?? 0,
    }))
    const holders = amounts.filter(({ held }) => held > 0)
    const held = holders.reduce((sum, holder) => sum + holder.held, 0)
    return { resource, demanded, held, limit: undefined, holders }
  })
}

/** Of all runs, and those that stand alone: what they hold is their pool's. */
function* openJobs(store: RunStore): Generator<JobRecord> {
  yield* store.jobs(undefined, { isOpen: true })
  for (const { id, status } of store.runs()) if (status === 'running') yield* store.jobs(id, { isOpen: true })
}

/** Its place among the jobs of its run. */
function placeOf(job: JobRecord, store: RunStore): NonNullable<JobExplanation['queue']> {
  const open = [...store.jobs(job.runId, { isOpen: true })]
  const ready = open.filter(({ state }) => state === 'queued.ready').sort(inOrder)
  const slots = open.filter(({ state }) => state.startsWith('running')).map(({ id }) => id)
  return { place: ready.findIndex(({ id }) => id === job.id) + 1, of: ready.length, slots }
}

/** As the ready queue has them: by priority, then score, then order of submission. */
function inOrder(a: JobRecord, b: JobRecord): number {
  const band = ({ submitted }: JobRecord) => bandOf(submitted.priority ?? 'normal')
  const score = ({ submitted }: JobRecord) => submitted.score ?? 0
  return band(a) - band(b) || score(b) - score(a) || a.key - b.key
}
