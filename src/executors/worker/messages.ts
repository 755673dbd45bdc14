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
  readonly args: readonly unknown[] | undefined
  /** Absent: none. */
  readonly parentResults: Readonly<Record<string, unknown>> | undefined
  readonly memoryLimitBytes: number | undefined
}

/**
 * A task as it travels: without names it is written and read sooner. Module and export are absent when they are those of
 * the task before; what follows the attempt is absent in most.
 */
export type TaskMessage = readonly [
  number: number,
  module: string | undefined,
  name: string | undefined,
  jobId: string,
  nodeId: string | undefined,
  treeId: string | undefined,
  attempt: number,
  args?: Task['args'],
  parentResults?: Task['parentResults'],
  memoryLimitBytes?: Task['memoryLimitBytes'],
]

/** Writes the tasks for one thread or process. */
export class TaskWriter {
  #module: string | undefined
  #export: string | undefined

  write(task: Task): TaskMessage {
    const { number, jobId, nodeId, treeId, attempt, args, parentResults, memoryLimitBytes } = task
    const isAsBefore = task.module === this.#module && task.export === this.#export
    const module = isAsBefore ? undefined : task.module
    const name = isAsBefore ? undefined : task.export
    this.#module = task.module
    this.#export = task.export
    if (args === undefined && parentResults === undefined && memoryLimitBytes === undefined)
      return [number, module, name, jobId, nodeId, treeId, attempt]
    return [number, module, name, jobId, nodeId, treeId, attempt, args, parentResults, memoryLimitBytes]
  }

  /** The last one was not sent. */
  forget(): void {
    this.#module = undefined
  }
}

/** Reads what a {@link TaskWriter} has written, all of it and in order. */
export class TaskReader {
  #module = ''
  #export = ''

  read(message: TaskMessage): Task {
    const [number, module, name, jobId, nodeId, treeId, attempt, args, parentResults, memoryLimitBytes] =
      message
    if (module !== undefined) this.#module = module
    if (name !== undefined) this.#export = name
    return {
      number,
      module: this.#module,
      export: this.#export,
      jobId,
      nodeId,
      treeId,
      attempt,
      args,
      parentResults,
      memoryLimitBytes,
    }
  }
}

/** Asks a running attempt to end. */
export interface Abort {
  readonly number: number
  readonly reason: PackedError
}

/** By its form alone: a handler may have given all objects a field of any name. */
export function isAbort(message: TaskMessage | Abort): message is Abort {
  return !Array.isArray(message)
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
