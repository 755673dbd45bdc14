import type { ActorRefFrom, AnyActorRef, AnyEventObject, SnapshotFrom } from 'xstate'
import type { JobEvent, jobMachine } from '../../../machines/index.ts'
import type { JobId, JobResult, JobStatus } from '../../domain/job.ts'

export type JobSnapshot = SnapshotFrom<typeof jobMachine>

/**
 * What may be sent to a job: an event of its chart, or any other, for the body of its attempt.
 *
 * Any string is a `type`; a plain `string` would keep editors from offering those of the chart.
 */
export type SentEvent = JobEvent | (AnyEventObject & { readonly type: string & Record<never, never> })

/**
 * A job: the XState actor itself, with the job's verbs on top.
 *
 * Works with `waitFor`, `toPromise`, `subscribe` and whatever else takes an `ActorRef`.
 */
export interface Job<Value = unknown> extends ActorRefFrom<typeof jobMachine> {
  /** The job's id; the actor's too. */
  readonly id: JobId
  readonly nodeId: string | undefined
  readonly treeId: string | undefined
  readonly status: JobStatus
  /** The actor that is the body of the running attempt, where the executor runs one, such as `machine`. */
  readonly body: AnyActorRef | undefined
  /** Resolves when the job is committed to the store: in memory, at once. */
  readonly accepted: Promise<void>
  /**
   * Takes an event: `job.cancel` is carried out as `cancel` does, and one that the job's chart does not know goes to `body`.
   *
   * Where nobody takes it, and for the chart's other events, which are the pool's to say, the pool tells `job.ignored`.
   *
   * @throws {EspalierError} `ESP_INVALID_OPTION` for what is no event, and for a cancel whose reason is no string.
   */
  send(event: SentEvent): void
  /** How the job ends; never rejects. */
  result(): Promise<JobResult<Value>>
  /**
   * The value of a completed job.
   *
   * @throws What the last attempt threw when the job failed; `ESP_JOB_CANCELLED` when it was cancelled.
   */
  value(): Promise<Value>
  /**
   * Asks the job to end, and its dependants with it.
   *
   * @param reason - Kept in the result; default `'user'`.
   * @returns `false` when the job had already ended: its outcome stands.
   * @throws {EspalierError} `ESP_INVALID_OPTION` when the reason is no string.
   */
  cancel(reason?: string): boolean
}
