import { checkKeys } from './check.ts'
import { EspalierError } from './errors.ts'
import type { NodeId, NodePatch, NodeSpec } from './node-spec.ts'

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

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof DecisionOptions>(['why', 'score'])

function explain(options: string | DecisionOptions | undefined): DecisionBase {
  if (typeof options === 'string') return { why: options, score: undefined }
  if (options === undefined) return NOTHING_MORE
  if (typeof options !== 'object' || options === null) {
    const expected = 'a text `why`, or an object of `why` and `score`'
    throw new EspalierError('ESP_INVALID_OPTION', { option: 'options of a decision', expected, got: options })
  }
  checkKeys('a decision', options, OPTION_NAMES)
  return { why: options.why, score: options.score }
}

const NOTHING_MORE: DecisionBase = Object.freeze({ why: undefined, score: undefined })
