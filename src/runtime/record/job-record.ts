import type { StateValue } from 'xstate'
import type { JobContext } from '../../../machines/index.ts'
import { JOB_STATES, type JobPolicy, type JobResult } from '../../domain/job.ts'
import { storedObject } from '../../domain/stored-json.ts'
import { type ErrorJson, errorToJson } from '../../domain/trace.ts'
import type { JobEnd, JobRecord } from '../../ports/run-store.ts'
import type { JobSnapshot } from '../job/job.ts'
import { originOf } from '../job/job-origin.ts'
import { stateOf } from '../job/job-states.ts'

/** What of a job its chart does not have. */
export type JobFacts = Pick<JobRecord, 'key' | 'id' | 'runId' | 'firstSeq' | 'submitted' | 'cacheKey'>

/** A job's state by its chart. */
interface JobState {
  readonly value: StateValue
  readonly context: JobContext
  readonly output?: JobResult | undefined
}

/**
 * A job as a store keeps it, from the state of its chart.
 *
 * @param value - Of one that has completed, as JSON text. @param error - Of one that has failed, as it was told; absent: as it is now.
 */
export function recordOf(
  { key, id, runId, firstSeq, submitted, cacheKey }: JobFacts,
  { value: state, context, output }: JobState,
  value: string | undefined,
  error?: ErrorJson,
): JobRecord {
  const { attempt, lost, deadlineAt, startedAt, stopping, queuedAt } = context
  return {
    key,
    id,
    runId,
    firstSeq,
    submitted,
    queuedAt,
    state: JOB_STATES[stateOf(state)] as JobRecord['state'],
    attempt,
    lost,
    deadlineAt,
    startedAt,
    stopping: stopping === undefined ? undefined : JSON.stringify(stopping),
    cacheKey,
    end: output === undefined ? undefined : endOf(output, value, error),
  }
}

function endOf(
  { status, endedAt: at, error, reason, cancelledBy, causedBy, usage }: JobResult,
  value: string | undefined,
  told: ErrorJson | undefined,
): JobEnd {
  return {
    at,
    value: status === 'completed' ? value : undefined,
    error: error === undefined ? undefined : JSON.stringify(told ?? errorToJson(error)),
    reason,
    cancelledBy,
    causedBy,
    usage: usage && JSON.stringify(usage),
  }
}

/** The chart's snapshot, from what a store keeps. @param pool - The policy of jobs that name none. */
export function snapshotOf(record: JobRecord, pool: JobPolicy, output: JobResult | undefined): object {
  const { id: jobId, submitted, state, attempt, lost, deadlineAt, startedAt, stopping, queuedAt } = record
  const { policy = pool } = submitted
  const context = {
    jobId,
    origin: originOf(submitted),
    policy,
    queuedAt,
    attempt,
    lost,
    deadlineAt,
    startedAt,
    stopping: storedObject(stopping, 'stopping', 'job', jobId),
  }
  return {
    status: output === undefined ? 'active' : 'done',
    value: STATE_VALUES[state],
    context,
    output,
    error: undefined,
    historyValue: {},
    children: {},
  } satisfies Partial<Record<keyof JobSnapshot, unknown>>
}

/** Each leaf state as a chart names it. */
const STATE_VALUES = Object.fromEntries(
  JOB_STATES.map((state) => {
    const [top, leaf] = state.split('.') as [string, string?]
    return [state, leaf === undefined ? top : { [top]: leaf }]
  }),
) as Readonly<Record<JobRecord['state'], StateValue>>
