import type { EndedStatus, JOB_STATES, JobId, JobPolicy } from '../domain/job.ts'
import type { Keep } from '../domain/keep.ts'
import type { NodeId } from '../domain/node-spec.ts'
import type { JobSubmitted, TraceEntry } from '../domain/trace.ts'
import type { RunReason } from '../domain/tree.ts'

/**
 * The durable record of runs and jobs, owned by one process at a time.
 *
 * The runtime steps its charts, {@link commit}s what changed, and only then acts: what a store has committed survives the
 * death of its process, and what it refuses never happened. All calls are synchronous: between step and act nothing else
 * may happen.
 *
 * The journal is complete with each commit; the rows of jobs may follow it, where the store allows that ({@link pendingMax}).
 * Whoever reads sees them caught up.
 */
export interface RunStore {
  /** What people know it by: `memory`, or its file. */
  readonly name: string
  /** The number of the last event; 0 in an empty store. */
  readonly lastSeq: number
  /** The key of the last job; 0 in an empty store. */
  readonly lastKey: number
  /** How many jobs may have rows that are behind the journal; 0: each batch brings the rows of all jobs that it changes. */
  readonly pendingMax: number
  /** The number of the first event that is in no row yet; `lastSeq + 1` when the rows are complete. */
  readonly pendingSeq: number
  /** The process that works with it; absent when none does, or the one that did has died. */
  owner(): StoreOwner | undefined
  /**
   * Records a tick: all of it, or nothing.
   *
   * @throws {EspalierError} `ESP_STORE_REFUSED`: nothing of the batch is recorded; a later one may be taken again.
   */
  commit(batch: StoreBatch): void
  /** Lets `look` read one state of the store, whatever another process commits meanwhile. */
  snapshot<Result>(look: () => Result): Result
  /** Newest first. */
  runs(): RunRecord[]
  run(runId: string): RunRecord | undefined
  /** A run's nodes, in the order of growth. */
  nodes(runId: string): Iterable<NodeRecord>
  /** The jobs of a run, or those that stand alone, in order of submission; ended ones only when asked. */
  jobs(runId: string | undefined, options?: { readonly isOpen?: boolean }): Iterable<JobRecord>
  job(jobId: JobId): JobRecord | undefined
  /** A job as its row has it, which may be behind: for a pool, which knows the jobs that are. */
  row(jobId: JobId): JobRecord | undefined
  /** The value of a completed job with this content key, as JSON text; the newest if there are several. */
  cached(cacheKey: string): { readonly jobId: JobId; readonly value: string | undefined } | undefined
  /** The journal, in order: of one run and its jobs, of one job, or all of it. */
  trace(of?: { readonly runId?: string; readonly jobId?: JobId }): Iterable<TraceEntry>
  /**
   * What is in it and belongs to nothing that it has, such as a node of no run: each as people would name it. A sound store has none.
   */
  strays(): Iterable<string>
  /**
   * Brings the rows of jobs up to the journal.
   *
   * @throws {EspalierError} `ESP_STORE_REFUSED`: they stay as they were.
   */
  catchUp(): void
  /**
   * Lets go of ended runs and jobs, oldest first.
   *
   * @throws {EspalierError} `ESP_INVALID_OPTION`, `ESP_UNKNOWN_OPTION`; `ESP_STORE_REFUSED`: all is still there.
   */
  prune(rule: PruneRule): PruneReport
  size(): StoreSize
  /** Gives up the ownership. */
  close(): void
}

/** Who may write to a store; one on another machine cannot be asked whether it lives, and counts as alive. */
export interface StoreOwner {
  readonly pid: number
  readonly host: string
  /** Epoch ms. */
  readonly since: number
}

/** What one tick has changed. */
export interface StoreBatch {
  /** In order; numbered from `lastSeq + 1`. */
  readonly events: readonly StoreEvent[]
  /** Jobs that get their rows, as they are at the end of the tick. A store goes through them once. */
  readonly submitted: Iterable<JobRecord>
  /** Jobs whose rows are replaced. A store goes through them once. */
  readonly changed: Iterable<JobRecord>
  /**
   * The number of the first event that is in no row after this batch: a job that has it, or a later one, is behind. Absent: the
   * rows are complete.
   */
  readonly pendingSeq?: number
  /** Whole, as they are at the end of the tick. */
  readonly runs: readonly RunRecord[]
  readonly nodes: readonly NodeRecord[]
}

/** An entry of the trace, with the key of the job it belongs to. */
export interface StoreEvent extends TraceEntry {
  /** Absent for a pool's and a run's events. */
  readonly key: number | undefined
  /** Whether its job's row is yet to come: then the journal keeps the spec and the value. Default `false`. */
  readonly isAhead?: boolean
}

/** A job: what was submitted, and its chart's latest snapshot. */
export interface JobRecord {
  /** The order of submission in the store, from 1. */
  readonly key: number
  readonly id: JobId
  readonly runId: string | undefined
  /** The number of the event by which it was submitted, or of an earlier one. */
  readonly firstSeq: number
  readonly submitted: JobSubmitted
  readonly queuedAt: number
  readonly state: (typeof JOB_STATES)[number]
  readonly attempt: number
  readonly lost: number
  readonly deadlineAt: number | undefined
  readonly startedAt: number | undefined
  /** Why the current attempt was asked to stop, as JSON text. */
  readonly stopping: string | undefined
  /** Names the content that made its value, for reuse. */
  readonly cacheKey: string | undefined
  /** Absent until it has ended. */
  readonly end: JobEnd | undefined
}

/** What rows of jobs lack: the events since, and where these go on from. */
export interface Behind {
  /** Of jobs and pools, in order; of a job only those that its row does not have. */
  readonly events: Iterable<StoreEvent>
  /** The policy that was the pool's before them. */
  readonly policy: JobPolicy | undefined
  /** A job as its row has it; absent when it has none. */
  readonly row: (key: number) => JobRecord | undefined
}

/** Makes the records of all jobs that are behind; a store is given it by who knows the charts. */
export type CatchUp = (behind: Behind) => JobRecord[]

export interface JobEnd {
  readonly at: number
  /** As JSON text; absent for `undefined`. */
  readonly value: string | undefined
  /** An `ErrorJson` as JSON text. */
  readonly error: string | undefined
  readonly reason: string | undefined
  readonly cancelledBy: string | undefined
  readonly causedBy: JobId | undefined
  /** What its last attempt used, as JSON text. */
  readonly usage: string | undefined
}

export type RunStatus = 'running' | EndedStatus

/** A run: how it was started, its chart's latest snapshot, and how it ended. */
export interface RunRecord {
  readonly id: string
  readonly workflow: string
  /** The module whose default export the workflow is, when it was told. */
  readonly source: string | undefined
  /** The executor that it was told to run with, instead of the workflow's own. */
  readonly executor: string | undefined
  /** The validated input, as JSON text; absent for `undefined`. */
  readonly input: string | undefined
  /** As JSON text. */
  readonly limits: string
  readonly status: RunStatus
  readonly reason: RunReason | undefined
  readonly createdAt: number
  readonly endedAt: number | undefined
  /** The orchestrator chart's persisted snapshot, as JSON text. */
  readonly snapshot: string
  /** What `satisfy` was given, as JSON text. */
  readonly value: string | undefined
  /** An `ErrorJson` as JSON text. */
  readonly error: string | undefined
  /** How many decisions were made. */
  readonly decisions: number
  /** The run and the event that this one was forked at. */
  readonly forkedFrom: string | undefined
  /** Epoch ms: `since` of the {@link StoreOwner} that began it, or took it up last; absent when the store has no owners. */
  readonly ownedSince: number | undefined
}

/** A node of a run's tree, without what its job tells. */
export interface NodeRecord {
  readonly runId: string
  readonly id: NodeId
  /** Its place in the order of growth, from 0. */
  readonly place: number
  readonly parentId: NodeId | undefined
  /** The `NodeSpec` with all revisions applied, as JSON text. */
  readonly spec: string
  readonly score: number | undefined
  /** How many jobs it has had; the last is its current one. */
  readonly jobs: number
  readonly revisions: number
  readonly isPruned: boolean
  /** What was decided after its last end, a `StoredDecision` with `at`, as JSON text. */
  readonly decision: string | undefined
}

export interface PruneRule {
  /** Epoch ms, from which ages count. */
  readonly now: number
  /** What to keep of ended runs, and of ended jobs that stand alone; of an outcome that it does not name: all. */
  readonly keep: Keep
}

export interface PruneReport {
  readonly runs: number
  readonly jobs: number
}

export interface StoreSize {
  readonly bytes: number
  readonly runs: number
  readonly jobs: number
  readonly events: number
  readonly outputs: number
  readonly outputBytes: number
}
