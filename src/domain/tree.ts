import type { DecisionRecord } from './decision.ts'
import type { JobId, JobResult } from './job.ts'
import type { NodeId } from './node-spec.ts'

/**
 * The status of a node: that of its job, and `pruned` for one that a decision took out of the tree's work
 * before it ended.
 */
export type NodeStatus = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled' | 'pruned'

/** A node of the tree. Nodes are replaced whole, never changed: one you hold is a picture of its moment. */
export interface TreeNode {
  readonly id: NodeId
  readonly parentId: NodeId | undefined
  /** 0 for a root. */
  readonly depth: number
  readonly children: readonly NodeId[]
  readonly handler: string
  readonly label: string
  readonly key: string | undefined
  readonly input: unknown
  /** The node's current job; a revision gets a new one. */
  readonly jobId: JobId
  readonly status: NodeStatus
  readonly result: JobResult | undefined
  readonly score: number | undefined
  /** What was decided after the node's last end. */
  readonly decision: DecisionRecord | undefined
  /** How often the node was revised. */
  readonly revisions: number
}

/** The tree of a run. */
export interface Tree {
  readonly rootIds: readonly NodeId[]
  readonly nodes: Readonly<Record<NodeId, TreeNode>>
}

/** In which order a tree is explored, where slots are scarce. */
export type Strategy = 'depth-first' | 'breadth-first' | 'best-first'

/** Why a run ended. */
export type RunReason = 'satisfied' | 'exhausted' | 'limit' | 'failed' | 'cancelled'
