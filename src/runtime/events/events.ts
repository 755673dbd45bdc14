import type {
  CancelledResult,
  CompletedResult,
  FailedResult,
  JobId,
  JobStatus,
  OutputStream,
} from '../../domain/job.ts'
import type { PressureReason } from '../../domain/pressure.ts'

/** What happens in a pool, by name. Every `at` is epoch ms. */
export interface PoolEventMap {
  'job.submitted': JobFact
  'job.started': JobFact & { readonly attempt: number }
  'job.retrying': JobFact & { readonly attempt: number; readonly retryAt: number }
  /** `truncated`: the attempt has told too much of its progress; the rest is dropped. */
  'job.progress': JobFact & {
    readonly attempt: number
    readonly fraction: number
    readonly note: string | undefined
    readonly truncated: boolean
  }
  /** `truncated`: the attempt has logged too much; the rest is dropped. */
  'job.log': JobFact & { readonly attempt: number; readonly line: string; readonly truncated: boolean }
  /** An attempt wrote to a standard stream. `truncated`: it has written too much; the rest is dropped. */
  'job.output': JobFact & {
    readonly attempt: number
    readonly stream: OutputStream
    readonly chunk: string
    readonly truncated: boolean
  }
  'job.completed': JobFact & { readonly result: CompletedResult }
  'job.failed': JobFact & { readonly result: FailedResult }
  'job.cancelled': JobFact & { readonly result: CancelledResult }
  /** An attempt ignored its signal for longer than `killGraceMs`: it runs on, and keeps its slot. */
  'job.zombie': JobFact & { readonly attempt: number }
  /** An event reached the job and changed nothing. */
  'job.ignored': JobFact & { readonly event: string; readonly status: JobStatus }
  'pool.paused': PoolFact
  'pool.resumed': PoolFact
  /** The machine is under pressure: jobs start one at a time; or the reasons have changed. */
  'pool.throttled': PoolFact & { readonly reasons: readonly PressureReason[] }
  'pool.unthrottled': PoolFact
  'pool.limited': PoolFact & { readonly maxParallelJobs: number }
  'pool.closed': PoolFact
}

interface PoolFact {
  readonly at: number
}

interface JobFact extends PoolFact {
  readonly jobId: JobId
  readonly nodeId: string | undefined
  readonly treeId: string | undefined
}

export type PoolEventType = keyof PoolEventMap

/** One event of the stream, told apart by `type`. */
export type PoolEventOf<Type extends PoolEventType> = { readonly type: Type } & PoolEventMap[Type]
export type PoolStreamEvent = { [Type in PoolEventType]: PoolEventOf<Type> }[PoolEventType]

export type PoolListener<Type extends PoolEventType> = (event: PoolEventOf<Type>) => unknown
