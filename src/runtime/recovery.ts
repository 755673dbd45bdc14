import { EspalierError } from '../domain/errors.ts'
import type { Execute, JobId, JobResult } from '../domain/job.ts'
import { bandOf } from '../domain/priority.ts'
import { type ErrorJson, errorFromJson } from '../domain/trace.ts'
import type { JobRecord } from '../ports/run-store.ts'
import { DurableJob } from './durable-job.ts'
import { executeOf, type Handlers } from './durable-spec.ts'
import { type Dependency, type JobExtras, type JobSnapshot, stateOf } from './job.ts'
import { isRunning } from './job-counts.ts'
import type { Journal } from './journal.ts'
import type { Submissions } from './submission.ts'
import type { Supervisor } from './supervisor.ts'

/** Where recovered jobs find what they run, and whom they tell. */
export interface Recovered {
  readonly handlers: Handlers
  /** Of a run's jobs: their nodes. */
  nodeOf?(record: JobRecord): JobExtras | undefined
}

/**
 * Takes stored jobs up again: each as its chart left it, with its deadline, its dependencies and its place in the queue.
 *
 * What ran when the process ended is lost: each such job hears so as an event, and its chart decides what follows.
 *
 * @throws {EspalierError} `ESP_UNKNOWN_HANDLER` when a job that has not ended names a handler that is not there any more;
 * nothing has been taken up then.
 */
export function recoverJobs(
  records: Iterable<JobRecord>,
  { handlers, nodeOf }: Recovered,
  supervisor: Supervisor,
  submissions: Submissions,
): Map<JobId, DurableJob> {
  const taken = Array.from(records, (record) => ({ record, execute: knownExecute(record, handlers) }))
  const jobs = new Map<JobId, DurableJob>()
  // Nothing starts before all are there: it would be out of turn, and be taken for what the last process ran.
  supervisor.together(() => {
    for (const { record, execute } of taken) {
      jobs.set(record.id, revive(record, execute, nodeOf?.(record), supervisor, submissions))
    }
    for (const { record } of taken) {
      const job = jobs.get(record.id) as DurableJob
      const named = record.submitted.dependencies ?? []
      if (named.length === 0) continue
      const dependencies: Dependency[] = named.map((id) => jobs.get(id) ?? supervisor.find(id) ?? id)
      supervisor.link(job, dependencies)
    }
    for (const job of jobs.values()) if (isRunning(stateOf(job.stateValue))) loseAttempt(job, supervisor)
  })
  return jobs
}

/** Takes up the jobs of a store that stand alone and have not ended; ended ones are looked up when they are asked for. */
export function recoverPool(supervisor: Supervisor, submissions: Submissions): void {
  const { store } = supervisor.journal as Journal<DurableJob>
  const { handlers } = supervisor.settings
  supervisor.recall = (jobId) => {
    const record = store.job(jobId)
    if (record?.end === undefined) return undefined
    return recoverJobs([record], { handlers }, supervisor, submissions).get(jobId)
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
  const { id, key, submitted } = record
  const { args, priority = 'normal', score, dedupeKey, executor, onDependencyFailure } = submitted
  const extras: JobExtras = {
    args: node === undefined ? args : node.args,
    dedupeKey,
    executor: submissions.namedExecutor(executor),
    observer: node?.observer,
    memoryLimitBytes: submitted.memoryLimitBytes,
    demand: submitted.resources && supervisor.settings.limits.demandOf(id, submitted.resources),
    cacheKey: record.cacheKey,
    runsOnDependencyFailure: onDependencyFailure === 'run',
  }
  const row = {
    spec: score === undefined ? { execute } : { execute, score },
    priority: bandOf(priority),
    sequence: submissions.nextSequence(),
    extras,
    key,
    submitted,
    isStored: true,
  }
  const snapshot = snapshotOf(record, supervisor) as never
  const job = new DurableJob(supervisor, journal, row, {
    id,
    parent: supervisor.actor,
    input: undefined as never,
    snapshot,
  })
  job.keepValue(record.end?.value)
  supervisor.readmit(job)
  return job
}

/** The chart's snapshot, from the columns of its row. */
function snapshotOf(record: JobRecord, { settings }: Supervisor): object {
  const { id: jobId, submitted, state, attempt, lost, deadlineAt, startedAt, stopping, queuedAt } = record
  const { nodeId, treeId, metadata, policy = settings.policy } = submitted
  const standsAlone = nodeId === undefined && treeId === undefined && metadata === undefined
  const [top = '', leaf] = state.split('.')
  const context = {
    jobId,
    origin: standsAlone ? undefined : { nodeId, treeId, metadata },
    policy,
    queuedAt,
    attempt,
    lost,
    deadlineAt,
    startedAt,
    stopping: stopping === undefined ? undefined : JSON.parse(stopping),
  }
  const output = record.end === undefined ? undefined : resultOf(record)
  return {
    status: output === undefined ? 'active' : 'done',
    value: leaf === undefined ? top : { [top]: leaf },
    context,
    output,
    error: undefined,
    historyValue: {},
    children: {},
  } satisfies Partial<Record<keyof JobSnapshot, unknown>>
}

/** The result of a job that has ended. */
function resultOf({ id: jobId, submitted, state, attempt, queuedAt, startedAt, end }: JobRecord): JobResult {
  if (end === undefined) throw new Error(`Job "${jobId}" has not ended.`)
  const { nodeId, treeId, metadata } = submitted
  const { at: endedAt, value, error, reason, cancelledBy, causedBy, usage } = end
  return {
    jobId,
    nodeId,
    treeId,
    status: state as JobResult['status'],
    value: value === undefined ? undefined : JSON.parse(value),
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
}

function loseAttempt(job: DurableJob, supervisor: Supervisor): void {
  const { attempt } = job.context
  const error = new EspalierError('ESP_ATTEMPT_LOST', {
    jobId: job.id,
    attempt,
    how: 'the process that ran it ended',
  })
  job.take({ type: 'attempt.failed', at: supervisor.now(), attempt, error, reason: 'lost', random: 0 })
}

function knownExecute({ submitted: { execute }, end }: JobRecord, handlers: Handlers): Execute {
  if (!('handler' in execute)) return execute as Execute
  return end === undefined ? executeOf(execute.handler, handlers) : NEVER
}

/** Of jobs that have ended, nothing is run any more. */
const NEVER: Execute = () => undefined
