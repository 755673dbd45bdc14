import type { CommandLine } from './command.ts'
import type { Priority } from './priority.ts'
import type { Resources } from './resources.ts'
import type { Backoff } from './retry.ts'

/** Identifies a job within a store; 1 to 200 characters. */
export type JobId = string

export type JobStatus = 'queued' | 'running' | EndedStatus
/** How a job may end. */
export const ENDED_STATUSES = ['completed', 'failed', 'cancelled'] as const
export type EndedStatus = (typeof ENDED_STATUSES)[number]

/** The leaf states of the job chart, each job being in exactly one. */
export const JOB_STATES = [
  'queued.blocked',
  'queued.ready',
  'queued.delayed',
  'running.executing',
  'running.stopping',
  'completed',
  'failed',
  'cancelled',
] as const

/** Why a job failed. `rejected`: its executor cannot carry it, and trying again would not help. */
export type FailureReason = 'error' | 'timeout' | 'lost' | 'rejected'

/** Who cancelled a job. `tree`: the orchestrator of its tree. */
export type CancelSource = 'user' | 'dependency' | 'tree' | 'shutdown'

/** What a handler or closure receives as its last argument. */
export interface HandlerContext {
  readonly jobId: JobId
  readonly nodeId: string | undefined
  readonly treeId: string | undefined
  /** The number of this attempt, from 1. */
  readonly attempt: number
  /** Aborted when the attempt must end: cancelled, timed out or shut down; `signal.reason` says which. */
  readonly signal: AbortSignal
  /** The values of the completed jobs this one depends on, by job id; in a tree, by node id. */
  readonly parentResults: Readonly<Record<string, unknown>>
  /** Reports how far the attempt is, from 0 to 1: less counts as 0, more as 1, and what is no finite number is not told. */
  progress(fraction: number, note?: string): void
  /** Adds a line to the job's log. */
  log(line: string): void
  /**
   * Names what of the value, such as its buffers, is moved out of the handler's thread instead of copied.
   *
   * Without effect where an attempt runs in no thread of its own.
   */
  move(what: readonly Transferable[]): void
}

/** A job's body as a closure, run in this process by the `async` executor. */
// biome-ignore lint/suspicious/noExplicitAny: a closure declares its own parameter types, and only `any` accepts them all.
export type Closure<Value = unknown> = (...args: any[]) => Value | PromiseLike<Value>

/** Where a handler lives, for executors that cannot carry a closure. */
export interface ModuleHandler {
  /** A file URL or absolute path. */
  readonly module: string
  /** The exported function's name; default `'default'`. */
  readonly export?: string
}

/** What a job runs; which forms are accepted depends on its executor. */
export type Execute<Value = unknown> = Closure<Value> | ModuleHandler | CommandLine | MachineBody

/** Whether some executor may take it; which one does is found out when a job is submitted. */
export function isExecute(value: unknown): value is Execute {
  return typeof value === 'function' || (typeof value === 'object' && value !== null && !Array.isArray(value))
}

/** A job's body as an actor: any XState actor logic, run by the `machine` executor. */
export interface MachineBody {
  /** A machine, or what `fromPromise`, `fromCallback`, `fromObservable` and the like return. */
  readonly logic: {
    // biome-ignore lint/suspicious/noExplicitAny: a logic declares its own types, and only `any` accepts them all.
    transition(snapshot: any, event: any, scope: any): unknown
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    getInitialSnapshot(scope: any, input: any): unknown
  }
  /** The actor's input, or a function that is called as a handler is and answers it. Default: the job's first argument. */
  readonly input?: unknown
}

/** What can be moved to another thread: an ArrayBuffer, a MessagePort, a stream and the like. */
export type Transferable = object

/** What one attempt took; absent is what its executor cannot measure. */
export interface JobUsage {
  /** CPU time, user and system, in ms. */
  readonly cpuMs?: number | undefined
  /** The most memory it was seen to hold. What is counted depends on the executor. */
  readonly peakMemoryBytes?: number | undefined
  /** The job whose recorded value was taken: nothing has run. */
  readonly reusedFrom?: JobId | undefined
}

export type OutputStream = 'stdout' | 'stderr'

/** What `submitJob` takes. Everything but `execute` has a default. */
export interface JobSpec<Value = unknown> {
  /** Default: a fresh id. */
  readonly id?: JobId
  readonly nodeId?: string
  readonly treeId?: string
  /** Kept with the job and returned in its result; never read by espalier. */
  readonly metadata?: unknown
  /** A function, a module's export, or the name of one of the pool's `handlers`. */
  readonly execute: Execute<Value> | string
  /** Passed to `execute` before its context. Default: none. */
  readonly args?: readonly unknown[]
  /** Default `'normal'`. */
  readonly priority?: Priority
  /** Inside a priority, the higher score goes first; equal scores go in order of submission. Default 0. */
  readonly score?: number
  /** Jobs that must complete first, or their ids: known to the pool, or submitted in the same batch. */
  readonly dependencies?: readonly (JobId | { readonly id: JobId })[]
  /** What a failed or cancelled dependency does to this job. Default `'cancel'`. */
  readonly onDependencyFailure?: 'cancel' | 'run'
  /** Called once with the result, after the job ended. Awaited for at most `callbackTimeoutMs`. */
  readonly callback?: (result: JobResult<Value>) => unknown
  /** The longest an attempt may run, in ms. Default: the pool's `timeoutMs`. */
  readonly timeoutMs?: number
  /** Attempts after the first that errors or timeouts may cost. Default: the pool's `maxRetries`. */
  readonly maxRetries?: number
  /** Default: the pool's `backoff`. */
  readonly backoff?: Backoff
  /** Not before this long after submission, in ms. Default 0. */
  readonly delayMs?: number
  /** While a job with this key has not ended, submitting another returns that job. */
  readonly dedupeKey?: string
  /** The name of one of the pool's executors. Default: the pool's `executorType`. */
  readonly executor?: string
  /** The most memory an attempt may take. Default: the pool's `memoryLimitBytes`. */
  readonly memoryLimitBytes?: number
  /**
   * Takes the value of a job of the same content, if the pool's store has one, instead of running again: the same `execute`,
   * `version`, `args` and values of dependencies. For what depends on nothing else. Default `false`.
   */
  readonly cache?: boolean
  /** Of what it runs: a value recorded under another version is not taken. Default: none. */
  readonly version?: string
  /** What the job holds while it runs: it starts when the pool's `limits` leave so much. Default: nothing. */
  readonly resources?: Resources
  /** What in `args` is moved instead of copied; it is then gone here, for further attempts too. */
  readonly transfer?: readonly Transferable[]
}

/** What every result tells. Times are epoch ms, durations ms. */
interface ResultFacts {
  readonly jobId: JobId
  readonly nodeId: string | undefined
  readonly treeId: string | undefined
  /** How many attempts were started. */
  readonly attempts: number
  readonly queuedAt: number
  /** When the last attempt started; absent when none did. */
  readonly startedAt: number | undefined
  readonly endedAt: number
  /** From the start of the last attempt to the end; 0 when none started. */
  readonly durationMs: number
  readonly metadata: unknown
  /** What the last attempt took, where its executor measures that. */
  readonly usage: JobUsage | undefined
}

export interface CompletedResult<Value = unknown> extends ResultFacts {
  readonly status: 'completed'
  /** What the handler returned. */
  readonly value: Value
  readonly error: undefined
  readonly reason: undefined
  readonly cancelledBy: undefined
  readonly causedBy: undefined
}

export interface FailedResult extends ResultFacts {
  readonly status: 'failed'
  readonly value: undefined
  /** What the last attempt threw; always an Error (other thrown values are its `cause`). */
  readonly error: Error
  readonly reason: FailureReason
  readonly cancelledBy: undefined
  readonly causedBy: undefined
}

export interface CancelledResult extends ResultFacts {
  readonly status: 'cancelled'
  readonly value: undefined
  readonly error: undefined
  /** The one that was given, or who cancelled it. */
  readonly reason: string
  readonly cancelledBy: CancelSource
  /** The dependency whose end cancelled this job. */
  readonly causedBy: JobId | undefined
}

/** How a job ended: `status` tells which of the others are there. */
export type JobResult<Value = unknown> = CompletedResult<Value> | FailedResult | CancelledResult

/** The rules a job's chart follows, as JSON; shared by all jobs that do not differ from the pool's defaults. */
export interface JobPolicy {
  readonly timeoutMs: number
  /** How long to wait for the confirmed end of an attempt that was asked to end. */
  readonly killGraceMs: number
  readonly maxRetries: number
  readonly maxLost: number
  readonly backoff: Backoff
}
