import type { JobId, JobResult } from './job.ts'
import type { Priority } from './priority.ts'

/** Identifies a node within its tree: `n0` for the first root, then counted in the order of growth. */
export type NodeId = string

/** What the workflow asks for when it grows a node. */
export interface NodeSpec {
  /** The name of one of the workflow's handlers. */
  readonly handler: string
  /** The handler's first argument. */
  readonly input?: unknown
  /** What people read; default: the handler's name. */
  readonly label?: string
  /** A name within the tree: others may depend on it, and a second node of the same key is not grown. */
  readonly key?: string
  /** Default `'normal'`. */
  readonly priority?: Priority
  /** How promising the node is; `best-first` starts the highest. Default: its parent's score. */
  readonly score?: number
  /** Node ids or keys that must complete first, besides the parent; siblings of the same decision too. */
  readonly dependencies?: readonly string[]
  readonly executor?: string
  readonly timeoutMs?: number
  readonly maxRetries?: number
}

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

/** Why, and how promising the decided node turned out to be. */
export interface DecisionOptions {
  readonly why?: string
  /** Recorded as the decided node's own score, and inherited by its children. */
  readonly score?: number
}

interface DecisionBase {
  readonly why: string | undefined
  readonly score: number | undefined
}

export interface GrowDecision extends DecisionBase {
  readonly type: 'grow'
  readonly nodes: readonly NodeSpec[]
}
export interface StopDecision extends DecisionBase {
  readonly type: 'stop'
}
/** What a revision may change: a node keeps its key and what it depends on, since others rely on them. */
export type NodePatch = Partial<Omit<NodeSpec, 'key' | 'dependencies'>>

export interface ReviseDecision extends DecisionBase {
  readonly type: 'revise'
  readonly patch: NodePatch
}
export interface PruneDecision extends DecisionBase {
  readonly type: 'prune'
  readonly ids: readonly NodeId[]
}
export interface SatisfyDecision extends DecisionBase {
  readonly type: 'satisfy'
  readonly value: unknown
}

/** What `expand` answers after a node has completed or failed. */
export type Decision = GrowDecision | StopDecision | ReviseDecision | PruneDecision | SatisfyDecision

/** A decision as it was carried out. */
export interface DecisionRecord {
  readonly type: Decision['type']
  readonly why: string | undefined
  /** The score that the decision gave the node. */
  readonly score: number | undefined
  /** The nodes grown, pruned or run again. */
  readonly nodeIds: readonly NodeId[]
  /** What of the decision was not carried out, and for which limit; empty when all of it was. */
  readonly cut: readonly DecisionCut[]
  /** What went wrong when `expand` was asked; the decision is then `stop`. */
  readonly error: Error | undefined
  readonly at: number
}

export interface DecisionCut {
  readonly by:
    | 'maxNodes'
    | 'maxChildrenPerNode'
    | 'maxDepth'
    | 'maxRevisions'
    | 'duplicateKey'
    | 'ended'
    | 'unknownNode'
  /** How many nodes it concerned. */
  readonly count: number
}

/** Bounds of a tree's growth. */
export interface TreeLimits {
  /** Nodes of the whole tree, revisions not counted. Default 10,000. */
  readonly maxNodes: number
  /** Default 100. */
  readonly maxChildrenPerNode: number
  /** Below a node at this depth nothing grows, though `expand` is asked about it; roots are at 0. Default 100. */
  readonly maxDepth: number
  /** How long a run may take, in ms. Default: any time. */
  readonly maxRunMs: number | undefined
  /** How often one node may be revised. Default 3. */
  readonly maxRevisions: number
  /** How long one `expand` may take, in ms. Default 60,000. */
  readonly expandTimeoutMs: number
  /** How many `expand` calls may be open at a time. Default 16. */
  readonly maxParallelExpands: number
}

export const DEFAULT_LIMITS: TreeLimits = {
  maxNodes: 10_000,
  maxChildrenPerNode: 100,
  maxDepth: 100,
  maxRunMs: undefined,
  maxRevisions: 3,
  expandTimeoutMs: 60_000,
  maxParallelExpands: 16,
}

/** What the limits still allow, for the node that is being decided. */
export interface Budget {
  readonly nodes: number
  readonly children: number
  readonly depth: number
  readonly revisions: number
  /** In ms; `Infinity` when the run may take for ever. */
  readonly runMs: number
}

/** In which order a tree is explored, where slots are scarce. */
export type Strategy = 'depth-first' | 'breadth-first' | 'best-first'

/** Why a run ended. */
export type RunReason = 'satisfied' | 'exhausted' | 'limit' | 'failed' | 'cancelled'

/** A node to grow. */
export function node(spec: NodeSpec): NodeSpec {
  return spec
}

/** Grows children below the decided node. */
export function grow(nodes: readonly NodeSpec[], options?: string | DecisionOptions): GrowDecision {
  return { type: 'grow', nodes, ...explain(options) }
}

/** Ends the branch here. */
export function stop(options?: string | DecisionOptions): StopDecision {
  return { type: 'stop', ...explain(options) }
}

/** Runs the decided node again, with its spec changed by `patch`. */
export function revise(patch: NodePatch, options?: string | DecisionOptions): ReviseDecision {
  return { type: 'revise', patch, ...explain(options) }
}

/** Takes other branches out of the tree's work: these nodes and all below them are cancelled. */
export function prune(ids: readonly NodeId[], options?: string | DecisionOptions): PruneDecision {
  return { type: 'prune', ids, ...explain(options) }
}

/** Ends the run with its answer. */
export function satisfy(value: unknown, options?: string | DecisionOptions): SatisfyDecision {
  return { type: 'satisfy', value, ...explain(options) }
}

function explain(options: string | DecisionOptions | undefined): DecisionBase {
  if (typeof options === 'string') return { why: options, score: undefined }
  return { why: options?.why, score: options?.score }
}
