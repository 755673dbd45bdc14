import type { Description } from '../diagram/describe.ts'
import type { JobFilter, JobPage, RunSummary } from '../protocol/messages.ts'
import type { MadeBlock } from './journal-maker.ts'
import type { RawChunk } from './raw-chunk.ts'

/** What the worker that makes the journal is started with. */
export interface FeedSettings {
  readonly startedAt: number
  /** The name of the pool's own executor. */
  readonly executor: string
  readonly idPrefix: string
}

/** What the pool's thread tells the worker. */
export type Question =
  /** Makes blocks of what has been noted. */
  | { readonly type: 'cut'; readonly chunks: readonly RawChunk[] }
  /** `blocks` are those that no question before came with. */
  | {
      readonly type: 'query'
      readonly id: number
      readonly query: Query
      readonly blocks: readonly Uint8Array[]
    }
  | {
      readonly type: 'layout'
      readonly id: number
      readonly machine: string
      readonly description: Description
    }

/** What can be asked about the journal, as far as blocks have been cut. */
export type Query =
  | {
      readonly type: 'jobs'
      readonly filter: JobFilter
      readonly sort: JobSort
      /** The row to go on from; 0 for the first page. */
      readonly from: number
      readonly limit: number
    }
  /** Ids of all that a filter finds. */
  | { readonly type: 'ids'; readonly filter: JobFilter }
  | { readonly type: 'runs' }
  | { readonly type: 'tree'; readonly runId: string }

export type JobSort = 'newest' | 'oldest' | 'longest'
export const JOB_SORTS: readonly JobSort[] = ['newest', 'oldest', 'longest']

export interface QueryResults {
  readonly jobs: JobPage
  readonly ids: readonly string[]
  readonly runs: readonly RunSummary[]
  readonly tree: TreeResult | undefined
}

/** The nodes of a run, in order of growth. */
export interface TreeResult {
  readonly runId: string
  readonly nodes: readonly TreeNodeSummary[]
}

export interface TreeNodeSummary {
  readonly id: string
  readonly parentId?: string
  readonly depth: number
  readonly handler: string
  readonly label: string
  readonly status: string
  readonly jobId: string
  readonly revisions: number
  readonly score?: number
  readonly decision?: {
    readonly type: string
    readonly why?: string
    readonly nodes: number
    readonly cut?: unknown
  }
}

/** What the worker tells the pool's thread. */
export type Answer =
  | { readonly type: 'blocks'; readonly blocks: readonly MadeBlock[] }
  | { readonly type: 'found'; readonly id: number; readonly result: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly message: string }
