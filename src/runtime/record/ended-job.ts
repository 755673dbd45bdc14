import type { EndedStatus, JobId, JobResult } from '../../domain/job.ts'
import { storedJson, storedObject } from '../../domain/stored-json.ts'
import { errorFromJson } from '../../domain/trace.ts'
import type { JobEnd, JobRecord } from '../../ports/run-store.ts'
import type { JobActor, JobEntry } from '../job/job-actor.ts'

/** A job that ended before its store was opened: most of a large run are never looked at again, and get no actor. */
export class EndedJob implements JobEntry {
  readonly #record: JobRecord
  readonly #takeUp: (record: JobRecord, result: JobResult) => JobActor
  #result: JobResult | undefined = undefined
  #actor: JobActor | undefined = undefined

  /** @param takeUp - Makes and starts the actor, with its result. */
  constructor(record: JobRecord, takeUp: (record: JobRecord, result: JobResult) => JobActor) {
    this.#record = record
    this.#takeUp = takeUp
  }

  get id(): JobId {
    return this.#record.id
  }

  get sequence(): number {
    return this.#record.key
  }

  get dedupeKey(): undefined {
    return undefined
  }

  get isActive(): false {
    return false
  }

  get status(): EndedStatus {
    return this.#record.state as EndedStatus
  }

  /** Epoch ms. */
  get endedAt(): number {
    return (this.#record.end as JobEnd).at
  }

  get settled(): JobResult {
    this.#result ??= resultOf(this.#record)
    return this.#result
  }

  get known(): JobResult {
    return this.settled
  }

  get actor(): JobActor {
    this.#actor ??= this.#takeUp(this.#record, this.settled)
    return this.#actor
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
    status: state,
    value: undefined,
    error: error === undefined ? undefined : errorFromJson(storedObject(error, 'error', 'job', jobId)),
    reason,
    cancelledBy,
    causedBy,
    attempts: attempt,
    queuedAt,
    startedAt,
    endedAt,
    durationMs: startedAt === undefined ? 0 : endedAt - startedAt,
    metadata,
    usage: storedObject(usage, 'usage', 'job', jobId),
  } as JobResult
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
      if (!isRead) value = storedJson(text, 'value', 'job', result.jobId)
      isRead = true
      return value
    },
  })
}
