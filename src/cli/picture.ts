import type { NodeId, NodeStatus, Strategy, Tree } from '../index.ts'

/** What a run looks like at one instant: all that the live view shows. */
export interface RunPicture {
  readonly workflow: string
  readonly runId: string
  readonly strategy: Strategy
  readonly startedAt: number
  readonly now: number
  readonly tree: Tree
  /** Of the nodes that run. */
  readonly activities: ReadonlyMap<NodeId, Activity>
  /** Of queued nodes, those that have failed before. */
  readonly retries: ReadonlyMap<NodeId, Retry>
  readonly slots: Slots
  /** What the user should know beside the run itself, such as that it is being cancelled. */
  readonly notice: string | undefined
}

export interface Slots {
  readonly busy: number
  readonly total: number
}

/** How far a node's attempt is. */
export interface Activity {
  readonly startedAt: number
  /** 0 to 1, as last reported. */
  readonly fraction: number | undefined
  /** The last note or log line. */
  readonly note: string | undefined
}

/** Which attempt of a node failed, and when the next may start, epoch ms. */
export interface Retry {
  readonly attempt: number
  readonly retryAt: number
}

export type StatusCounts = Readonly<Record<NodeStatus, number>>

/** How many of the nodes are in each status. */
export function countStatuses(nodes: Iterable<{ readonly status: NodeStatus }>): StatusCounts {
  const counts = { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0, pruned: 0 }
  for (const { status } of nodes) counts[status]++
  return counts
}

const BY_WORTH: readonly NodeStatus[] = ['failed', 'running', 'completed', 'cancelled', 'pruned', 'queued']

/** `2 failed, 31 completed`: what is worth a look first, and nothing that is 0. */
export function showCounts(counts: StatusCounts): string {
  const shown = BY_WORTH.filter((status) => counts[status] > 0)
  return shown.map((status) => `${counts[status]} ${status}`).join(', ')
}
