import { checkInteger, checkKeys, checkObject, checkPositive } from './check.ts'
import { present } from './present.ts'

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

/**
 * Checks limits, and completes them with the defaults.
 *
 * @throws {EspalierError} `ESP_INVALID_OPTION` or `ESP_UNKNOWN_OPTION`.
 */
export function resolveLimits(given: Partial<TreeLimits> = {}): TreeLimits {
  checkObject('limits', given)
  checkKeys('limits', given, NAMES)
  const limits = { ...DEFAULT_LIMITS, ...present(given) }
  checkInteger('limits.maxNodes', limits.maxNodes, 1)
  checkInteger('limits.maxChildrenPerNode', limits.maxChildrenPerNode, 1)
  checkInteger('limits.maxDepth', limits.maxDepth)
  checkInteger('limits.maxRevisions', limits.maxRevisions)
  checkInteger('limits.maxParallelExpands', limits.maxParallelExpands, 1)
  checkPositive('limits.expandTimeoutMs', limits.expandTimeoutMs)
  if (limits.maxRunMs !== undefined) checkPositive('limits.maxRunMs', limits.maxRunMs)
  return limits
}

const NAMES: ReadonlySet<string> = new Set(Object.keys(DEFAULT_LIMITS))
