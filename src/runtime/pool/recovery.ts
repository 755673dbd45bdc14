import { EspalierError, isEspalierError } from '../../domain/errors.ts'
import type { Execute, JobId, JobResult } from '../../domain/job.ts'
import { bandOf } from '../../domain/priority.ts'
import type { JobRecord } from '../../ports/run-store.ts'
import type { Dependency, JobEntry, JobExtras } from '../job/job-actor.ts'
import { isRunning, stateOf } from '../job/job-states.ts'
import { endedLinks } from '../job/links.ts'
import { DurableJob } from '../record/durable-job.ts'
import { executeOf, type Handlers } from '../record/durable-spec.ts'
import { EndedJob } from '../record/ended-job.ts'
import { snapshotOf } from '../record/job-record.ts'
import type { Journal } from '../record/journal.ts'
import { link } from './dependency-links.ts'
import { loseAttempt } from './end-attempt.ts'
import type { IdRange } from './job-table.ts'
import type { Submissions } from './submission.ts'
import type { Supervisor } from './supervisor.ts'

/** Where recovered jobs find what they run, and whom they tell. */
export interface Recovered {
  readonly handlers: Handlers
  /** Whose handlers they are, such as `the pool`. */
  readonly of: string
  /** Of a run's jobs: their nodes. */
  readonly nodeOf?: (jobId: JobId) => JobExtras | undefined
  /** The range that the ids of their first jobs are of; absent when it is taken. */
  readonly ids?: IdRange | undefined
}

/**
 * Takes stored jobs up again: each as its chart left it, with its deadline, its dependencies and its place in the queue.
 *
 * What ran when the process ended is lost: each such job hears so as an event, and its chart decides what follows.
 *
 * @returns The jobs, in the order of the records; those that have ended become actors when somebody asks for them.
 * @throws {EspalierError} `ESP_UNKNOWN_HANDLER` when a job that has not ended names a handler that is not there any more,
 * `ESP_UNKNOWN_EXECUTOR` and `ESP_RESOURCES_EXCEEDED` alike; a pool that only cancels needs none. For a handler, nothing has been
 * taken up then.
 */
export function recoverJobs(
  records: Iterable<JobRecord>,
  { handlers, of, nodeOf, ids }: Recovered,
  supervisor: Supervisor,
  submissions: Submissions,
): JobEntry[] {
  const isCancelling = supervisor.purpose === 'cancel'
  const taken = Array.from(records)
  const named = new Set<JobId>()
  for (const record of taken) {
    if (record.end !== undefined) continue
    const { submitted } = record
    if (!isCancelling) executeFor(record, handlers, of)
    for (const id of submitted.dependencies ?? []) named.add(id)
  }
  const actorOf = (record: JobRecord, result?: JobResult) => {
    const execute = result === undefined && !isCancelling ? executeFor(record, handlers, of) : NEVER
    return revive(record, execute, result, nodeOf?.(record.id), supervisor, submissions)
  }
  const waitedFor = new Map<JobId, JobEntry>()
  const open: DurableJob[] = []
  const jobs = taken.map((record): JobEntry => {
    const { id, end } = record
    const naming = ids !== undefined && id === ids.prefix + ids.sequences.length ? ids : 'chosen'
    const isNew = naming === ids && !supervisor.jobs.isChosen(id)
    const known = isNew ? undefined : supervisor.jobs.entry(id)
    if (known !== undefined) return known
    const job = end === undefined ? actorOf(record) : new EndedJob(record, actorOf)
    if (job instanceof EndedJob) supervisor.remember(job, naming)
    else {
      supervisor.readmit(job, naming)
      open.push(job)
    }
    if (named.has(id)) waitedFor.set(id, job)
    return job
  })
  for (const job of open) {
    const { dependencies } = job.submitted
    if (dependencies === undefined) continue
    const found: Dependency[] = dependencies.map(
      (id) => waitedFor.get(id)?.actor ?? supervisor.find(id) ?? id,
    )
    link(supervisor, job, found)
  }
  supervisor.together(() => {
    for (const job of open) {
      if (isRunning(stateOf(job.stateValue)))
        loseAttempt(job, 'the process that ran it ended', supervisor.now())
    }
  })
  return jobs
}

/** Takes up the jobs of a store that stand alone and have not ended, if that is the pool's purpose; ended ones are looked up when they are asked for. */
export function recoverPool(supervisor: Supervisor, submissions: Submissions): void {
  const journal = supervisor.journal as Journal<DurableJob>
  const { store } = journal
  const recovered = { handlers: supervisor.settings.handlers, of: 'the pool' }
  supervisor.recall = (jobId) => {
    // One that was forgotten may have a row that is behind, or none yet.
    const isForgotten = supervisor.jobs.tombstone(jobId) !== undefined
    const record = (isForgotten ? journal.pendingRecord(jobId) : undefined) ?? store.row(jobId)
    if (record?.end === undefined) return undefined
    return recoverJobs([record], recovered, supervisor, submissions)[0]?.actor
  }
  if (supervisor.purpose !== 'jobs') return
  recoverJobs(store.jobs(undefined, { isOpen: true }), recovered, supervisor, submissions)
}

/** @param result - Of one that has ended. */
function revive(
  record: JobRecord,
  execute: Execute,
  result: JobResult | undefined,
  node: JobExtras | undefined,
  supervisor: Supervisor,
  submissions: Submissions,
): DurableJob {
  const journal = supervisor.journal as Journal<DurableJob>
  const { id, key, submitted, firstSeq } = record
  const { priority = 'normal', score } = submitted
  const row = {
    spec: score === undefined ? { execute } : { execute, score },
    priority: bandOf(priority),
    sequence: key,
    extras: extrasOf(record, node, supervisor, submissions),
  }
  const stored = { submitted, firstSeq, isStored: true, length: 0, isSought: false }
  const snapshot = snapshotOf(record, supervisor.settings.policy, result) as never
  const job = new DurableJob(supervisor, journal, row, stored, {
    id,
    parent: supervisor.actor,
    input: undefined as never,
    snapshot,
  })
  if (result !== undefined) job.links = endedLinks(submitted.dependencies)
  job.keepValue(record.end?.value)
  job.cacheKey = record.cacheKey
  job.start()
  return job
}

/** Of a node's job the node itself, if it says no more or nothing is run any more. */
function extrasOf(
  { id, submitted, end }: JobRecord,
  node: JobExtras | undefined,
  supervisor: Supervisor,
  submissions: Submissions,
): JobExtras {
  const { args, dedupeKey, executor, memoryLimitBytes, resources, onDependencyFailure, cache } = submitted
  const own = [dedupeKey, executor, memoryLimitBytes, resources, onDependencyFailure, cache]
  if (end !== undefined || own.every((given) => given === undefined)) return node ?? { args }
  const startsNothing = supervisor.purpose === 'cancel'
  return {
    args: node === undefined ? args : node.args,
    dedupeKey,
    executor: startsNothing ? undefined : submissions.namedExecutor(executor),
    observer: node?.observer,
    memoryLimitBytes,
    demand: startsNothing ? undefined : resources && supervisor.settings.limits.demandOf(id, resources),
    cache,
    runsOnDependencyFailure: onDependencyFailure === 'run',
  }
}

/** @throws {EspalierError} `ESP_UNKNOWN_HANDLER`, naming the job: whoever opened the store may not know of it. */
function executeFor({ id, submitted: { execute } }: JobRecord, handlers: Handlers, of: string): Execute {
  if (!('handler' in execute)) return execute as Execute
  try {
    return executeOf(execute.handler, handlers, of)
  } catch (error) {
    if (!isEspalierError(error, 'ESP_UNKNOWN_HANDLER')) throw error
    throw new EspalierError('ESP_UNKNOWN_HANDLER', { ...error.details, openJob: id })
  }
}

/** Of jobs that have ended or are to be cancelled, nothing is run any more. */
export const NEVER: Execute = () => undefined
