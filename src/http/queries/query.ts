import type { JobFilter, JobPage, RunSummary } from '../../protocol/messages.ts'

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
