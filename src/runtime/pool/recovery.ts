import type { Execute, JobId, JobResult } from '../../domain/job.ts'
import { bandOf } from '../../domain/priority.ts'
import { type ErrorJson, errorFromJson, type JobSubmitted } from '../../domain/trace.ts'
import type { JobRecord } from '../../ports/run-store.ts'
import type { Dependency, JobExtras } from '../job/job.ts'
import { isRunning, stateOf } from '../job/job-states.ts'
import { DurableJob } from '../record/durable-job.ts'
import { executeOf, type Handlers } from '../record/durable-spec.ts'
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
  /** Of a run's jobs: their nodes. */
  readonly nodeOf?: (record: JobRecord) => JobExtras | undefined
  /** The range that the ids of their first jobs are of; absent when it is taken. */
  readonly ids?: IdRange | undefined
}

/**
 * Takes stored jobs up again: each as its chart left it, with its deadline, its dependencies and its place in the queue.
 *
 * What ran when the process ended is lost: each such job hears so as an event, and its chart decides what follows.
 *
 * @returns The jobs, in the order of the records.
 * @throws {EspalierError} `ESP_UNKNOWN_HANDLER` when a job that has not ended names a handler that is not there any more;
 * nothing has been taken up then.
 */
export function recoverJobs(
  records: Iterable<JobRecord>,
  { handlers, nodeOf, ids }: Recovered,
  supervisor: Supervisor,
  submissions: Submissions,
): DurableJob[] {
  const taken = Array.from(records)
  const named = new Set<JobId>()
  for (const { end, submitted } of taken) {
    if (end !== undefined) continue
    executeFor(submitted, handlers)
    for (const id of submitted.dependencies ?? []) named.add(id)
  }
  const waitedFor = new Map<JobId, DurableJob>()
  const jobs = taken.map((record) => {
    const known = supervisor.jobs.get(record.id) as DurableJob | undefined
    if (known !== undefined) return known
    const execute = record.end === undefined ? executeFor(record.submitted, handlers) : NEVER
    const job = revive(record, execute, nodeOf?.(record), supervisor, submissions)
    const isOfRange = ids !== undefined && record.id === ids.prefix + ids.sequences.length
    supervisor.readmit(job, isOfRange ? ids : 'chosen')
    if (named.has(record.id)) waitedFor.set(record.id, job)
    return job
  })
  // Of a job that has ended nobody asks any more what it waited for.
  for (const job of jobs) {
    const { dependencies } = job.submitted
    if (dependencies === undefined || !job.isActive) continue
    const found: Dependency[] = dependencies.map((id) => waitedFor.get(id) ?? supervisor.find(id) ?? id)
    link(supervisor, job, found)
  }
  supervisor.together(() => {
    for (const job of jobs) {
      if (isRunning(stateOf(job.stateValue)))
        loseAttempt(job, 'the process that ran it ended', supervisor.now())
    }
  })
  return jobs
}

/** Takes up the jobs of a store that stand alone and have not ended; ended ones are looked up when they are asked for. */
export function recoverPool(supervisor: Supervisor, submissions: Submissions): void {
  const journal = supervisor.journal as Journal<DurableJob>
  const { store } = journal
  const { handlers } = supervisor.settings
  supervisor.recall = (jobId) => {
    // One that was forgotten may have a row that is behind, or none yet.
    const isForgotten = supervisor.jobs.tombstone(jobId) !== undefined
    const record = (isForgotten ? journal.pendingRecord(jobId) : undefined) ?? store.row(jobId)
    if (record?.end === undefined) return undefined
    return recoverJobs([record], { handlers }, supervisor, submissions)[0]
  }
  recoverJobs(store.jobs(undefined, { isOpen: true }), { handlers }, supervisor, submissions)
}

function revive(
  record: JobRecord,
  execute: Execute,
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
    submitted,
    firstSeq,
    isStored: true,
    length: 0,
    isSought: false,
  }
  const output = record.end === undefined ? undefined : resultOf(record)
  const snapshot = snapshotOf(record, supervisor.settings.policy, output) as never
  const job = new DurableJob(supervisor, journal, row, {
    id,
    parent: supervisor.actor,
    input: undefined as never,
    snapshot,
  })
  job.keepValue(record.end?.value)
  job.cacheKey = record.cacheKey
  return job
}

/** Of a node's job that has ended the node itself: nothing is run any more. */
function extrasOf(
  { id, submitted, end }: JobRecord,
  node: JobExtras | undefined,
  supervisor: Supervisor,
  submissions: Submissions,
): JobExtras {
  const { args, dedupeKey, executor, memoryLimitBytes, resources, onDependencyFailure } = submitted
  if (end !== undefined) return node ?? { args }
  return {
    args: node === undefined ? args : node.args,
    dedupeKey,
    executor: submissions.namedExecutor(executor),
    observer: node?.observer,
    memoryLimitBytes,
    demand: resources && supervisor.settings.limits.demandOf(id, resources),
    cache: submitted.cache,
    runsOnDependencyFailure: onDependencyFailure === 'run',
  }
}

/** The result of a job that has ended; its value is read when somebody looks at it. */
export function resultOf({
  id: jobId,
  submitted,
  state,
  attempt,
  queuedAt,
  startedAt,
  end,
}: JobRecord): JobResult {
  if (end === undefined) throw new Error(`Job "${jobId}" has not ended.`)
  const { nodeId, treeId, metadata } = submitted
  const { at: endedAt, value, error, reason, cancelledBy, causedBy, usage } = end
  const result = {
    jobId,
    nodeId,
    treeId,
    status: state as JobResult['status'],
    value: undefined,
    error: error === undefined ? undefined : errorFromJson(JSON.parse(error) as ErrorJson),
    reason,
    cancelledBy: cancelledBy as JobResult['cancelledBy'],
    causedBy,
    attempts: attempt,
    queuedAt,
    startedAt,
    endedAt,
    durationMs: startedAt === undefined ? 0 : endedAt - startedAt,
    metadata,
    usage: usage === undefined ? undefined : JSON.parse(usage),
  }
  return value === undefined ? result : withValue(result, value)
}

/** Most values of a large run are never looked at again. */
function withValue(result: JobResult, text: string): JobResult {
  let value: unknown
  let isRead = false
  return Object.defineProperty(result, 'value', {
    enumerable: true,
    configurable: true,
    get: () => {
      if (!isRead) value = JSON.parse(text)
      isRead = true
      return value
    },
  })
}

function executeFor({ execute }: JobSubmitted, handlers: Handlers): Execute {
  return 'handler' in execute ? executeOf(execute.handler, handlers) : (execute as Execute)
}

/** Of jobs that have ended, nothing is run any more. */
const NEVER: Execute = () => undefined
