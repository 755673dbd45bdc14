import type { JobUsage, OutputStream } from '../../domain/job.ts'
import type { PackedError } from '../packed-error.ts'

/** What a thread or process is asked to do: one attempt. All of these travel by structured clone. */
export interface Task {
  /** Tells attempts apart within an executor; from 1. */
  readonly number: number
  readonly module: string
  readonly export: string
  readonly jobId: string
  readonly nodeId: string | undefined
  readonly treeId: string | undefined
  readonly attempt: number
  /** Absent: none. */
  readonly args?: readonly unknown[]
  /** Absent: none. */
  readonly parentResults?: Readonly<Record<string, unknown>>
  readonly memoryLimitBytes?: number
}

/** A task as it travels: without names it is written and read sooner. What follows the attempt is absent in most. */
export type TaskMessage = readonly [
  number: number,
  module: string,
  name: string,
  jobId: string,
  nodeId: string | undefined,
  treeId: string | undefined,
  attempt: number,
  args?: Task['args'] | undefined,
  parentResults?: Task['parentResults'] | undefined,
  memoryLimitBytes?: number | undefined,
]

export function toTaskMessage(task: Task): TaskMessage {
  const { number, module, export: name, jobId, nodeId, treeId, attempt } = task
  const { args, parentResults, memoryLimitBytes } = task
  if (args === undefined && parentResults === undefined && memoryLimitBytes === undefined)
    return [number, module, name, jobId, nodeId, treeId, attempt]
  return [number, module, name, jobId, nodeId, treeId, attempt, args, parentResults, memoryLimitBytes]
}

export function toTask(message: TaskMessage): Task {
  const [number, module, name, jobId, nodeId, treeId, attempt, args, parentResults, memoryLimitBytes] =
    message
  return {
    ...{ number, module, export: name, jobId, nodeId, treeId, attempt },
    ...{ args, parentResults, memoryLimitBytes },
  } as Task
}

/** Asks a running attempt to end. */
export interface Abort {
  readonly number: number
  readonly reason: PackedError
}

/** How an attempt ended. */
export type Ending =
  | { readonly verb: 'completed'; readonly value: unknown }
  | { readonly verb: 'failed' | 'rejected'; readonly error: PackedError }

/** An ending, and what the attempt took. */
export type Outcome = Ending & { readonly usage: JobUsage }

/** What an attempt says while it runs. */
export type Word =
  | { readonly kind: 'progress'; readonly fraction: number; readonly note: string | undefined }
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'output'; readonly stream: OutputStream; readonly chunk: string }
  /** Nobody caught what it threw: its thread or process is about to end. */
  | { readonly kind: 'crash'; readonly error: PackedError }
  /** Its thread or process will not do for another attempt, and is about to end. */
  | { readonly kind: 'last'; readonly outcome: Outcome }

export interface Said {
  readonly number: number
  readonly word: Word
}
