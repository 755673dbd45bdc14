import type { DecisionRecord } from './decision.ts'
import { asEspalierError, EspalierError } from './errors.ts'
import type { JobId, JobPolicy } from './job.ts'
import type { TreeLimits } from './limits.ts'
import type { NodeId, NodeSpec } from './node-spec.ts'
import type { Priority } from './priority.ts'
import type { Resources } from './resources.ts'

/** Whose chart an entry of the trace belongs to. */
export type TraceActor = 'pool' | 'run' | 'job'

/**
 * One event that reached a chart and changed it.
 *
 * Entries in order are enough to make every chart's state again from nothing: an actor's first entry is its birth
 * ({@link BirthEvent}), those after it are the events of its chart, with errors as {@link ErrorJson}. What `expand`
 * decided stands between them ({@link TreeEvent}).
 */
export interface TraceEntry {
  /** Dense, from 1. */
  readonly seq: number
  /** Epoch ms. */
  readonly at: number
  readonly actor: TraceActor
  /** Of the pool, the run or the job. */
  readonly id: string
  readonly event: TraceEvent
}

/** An event as JSON. Its `at` is the entry's, and stands there only. */
export type TraceEvent = BirthEvent | TreeEvent | ChartEvent

/** An event of a chart; `error` is an {@link ErrorJson}. */
export interface ChartEvent {
  readonly type: string
  readonly [field: string]: unknown
}

export type BirthEvent = PoolCreated | RunCreated | JobSubmitted

export interface PoolCreated {
  readonly type: 'pool.created'
  readonly maxParallelJobs: number
  /** Of the jobs that name none of their own. */
  readonly policy: JobPolicy
}

export interface RunCreated extends RunTerms {
  readonly type: 'run.created'
  readonly workflow: string
  /** The run's validated input. */
  readonly input?: unknown
  /** The run and the event that it was forked at. */
  readonly forkedFrom?: string
}

/** What a run goes by as long as one process works on it. */
export interface RunTerms {
  readonly limits: Partial<TreeLimits>
  /** The module whose default export the workflow is, when it was told. */
  readonly source?: string
  /** The executor that it was told to run with, instead of the workflow's own. */
  readonly executor?: string
}

/** A job's acceptance: its spec as JSON, and what its chart needs. It was queued at the entry's `at`. */
export interface JobSubmitted {
  readonly type: 'job.submitted'
  readonly execute: StoredExecute
  readonly args?: readonly unknown[]
  readonly nodeId?: NodeId
  readonly treeId?: string
  /** Of one that names a tree, but is no node's of a run. */
  readonly standsAlone?: true
  readonly metadata?: unknown
  /** Absent: `'normal'`. */
  readonly priority?: Priority
  readonly score?: number
  readonly dependencies?: readonly JobId[]
  /** Absent: `'cancel'`. */
  readonly onDependencyFailure?: 'run'
  /** Epoch ms; absent: at once. */
  readonly readyAt?: number
  /** Absent: the pool's. */
  readonly policy?: JobPolicy
  readonly dedupeKey?: string
  readonly executor?: string
  readonly memoryLimitBytes?: number
  readonly resources?: Resources
  /** What runs and its version, when a recorded value of the same content may be taken. */
  readonly cache?: string
}

/** The run that a job belongs to; absent for one that stands alone. */
export const runOf = ({ treeId, standsAlone }: JobSubmitted): string | undefined =>
  standsAlone === true ? undefined : treeId

/** What a job runs, as JSON: a workflow's handler, a module's export or a command; a closure has a name at most. */
export type StoredExecute =
  | { readonly handler: string }
  | { readonly module: string; readonly export?: string }
  | { readonly command: string; readonly args?: readonly string[] }
  | { readonly closure: string }

/** What was decided about a tree, and who goes on with it; under the id of its run. */
export type TreeEvent =
  /** Another process has taken the run up. */
  | (RunTerms & { readonly type: 'run.resumed' })
  | {
      readonly type: 'node.grown'
      readonly nodeId: NodeId
      readonly parentId?: NodeId
      readonly spec: NodeSpec
      /** Its spec's, or its parent's. */
      readonly score?: number
    }
  | {
      readonly type: 'node.decided'
      readonly nodeId: NodeId
      readonly decision: StoredDecision
      /** `expand` has not said so: it gave no answer, or the workflow has none. */
      readonly isUnasked?: true
    }
  /** The last decision runs the node again. */
  | {
      readonly type: 'node.revised'
      readonly nodeId: NodeId
      /** With all revisions applied. */
      readonly spec: NodeSpec
      readonly score?: number
    }
  /** The last decision has pruned the node. */
  | { readonly type: 'node.pruned'; readonly nodeId: NodeId }

/** A decision as it was carried out, and the value it satisfied the run with. */
export type StoredDecision = Omit<DecisionRecord, 'error' | 'at'> & {
  readonly error?: ErrorJson
  readonly value?: unknown
}

/** An error as JSON. */
export interface ErrorJson {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly code?: string | number
  /** Of an {@link EspalierError}. */
  readonly details?: unknown
  readonly cause?: ErrorJson | { readonly thrown: unknown }
}

/** Causes of causes are kept to this depth. */
const CAUSES_MAX = 8

/** What of an error JSON can carry; never throws, however hostile the error is. */
export function errorToJson(error: Error, depth = 0): ErrorJson {
  const { name, message, stack, code, cause } = readable(error)
  const details = error instanceof EspalierError ? plain(error.details) : undefined
  return {
    name: textOf(name ?? 'Error'),
    message: textOf(message ?? ''),
    ...(typeof stack === 'string' ? { stack } : {}),
    ...(typeof code === 'string' || Number.isFinite(code) ? { code: code as string | number } : {}),
    ...(details === undefined ? {} : { details }),
    ...(cause === undefined || depth >= CAUSES_MAX ? {} : { cause: causeToJson(cause, depth + 1) }),
  }
}

/** The error again: an {@link EspalierError} where it was one, else an `Error` of the same name and fields. */
export function errorFromJson(json: ErrorJson): Error {
  const { name, message, stack, code, details, cause } = json
  const options = cause === undefined ? undefined : { cause: causeFromJson(cause) }
  const error = new Error(message, options)
  const define = (field: string, value: unknown) =>
    Object.defineProperty(error, field, { value, configurable: true, writable: true, enumerable: false })
  define('stack', stack)
  if (details !== undefined) return asEspalierError(error, { name, code, details })
  if (name !== 'Error') define('name', name)
  if (code !== undefined) Object.assign(error, { code })
  return error
}

function causeToJson(cause: unknown, depth: number): ErrorJson | { readonly thrown: unknown } {
  return cause instanceof Error ? errorToJson(cause, depth) : { thrown: plain(cause) }
}

function causeFromJson(cause: ErrorJson | { readonly thrown: unknown }): unknown {
  return 'message' in cause ? errorFromJson(cause) : cause.thrown
}

/** The fields of an error, read once and safely: a getter may throw. */
function readable(error: Error): Record<'name' | 'message' | 'stack' | 'code' | 'cause', unknown> {
  const read = (field: string): unknown => {
    try {
      return (error as unknown as Record<string, unknown>)[field]
    } catch {
      return undefined
    }
  }
  return {
    name: read('name'),
    message: read('message'),
    stack: read('stack'),
    code: read('code'),
    cause: read('cause'),
  }
}

/** A copy as JSON has it; what JSON cannot carry becomes a string. */
function plain(value: unknown): unknown {
  try {
    const text = JSON.stringify(value)
    return text === undefined ? textOf(value) : JSON.parse(text)
  } catch {
    return textOf(value)
  }
}

/** A value as text, whatever its own `toString` does. */
function textOf(value: unknown): string {
  try {
    return String(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}
