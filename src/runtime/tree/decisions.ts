import { checkKeys } from '../../domain/check.ts'
import type { Decision, DecisionCut } from '../../domain/decision.ts'
import { EspalierError } from '../../domain/errors.ts'
import type { TreeLimits } from '../../domain/limits.ts'
import { checkPatch, type NodeSpec } from '../../domain/node-spec.ts'

/** What each decision has, by its type. */
const PARTS: Readonly<Record<Decision['type'], ReadonlySet<string>>> = {
  grow: new Set(['type', 'nodes', 'why', 'score']),
  stop: new Set(['type', 'why', 'score']),
  revise: new Set(['type', 'patch', 'why', 'score']),
  prune: new Set(['type', 'ids', 'why', 'score']),
  satisfy: new Set(['type', 'value', 'why', 'score']),
}

const STOP: Decision = Object.freeze({ type: 'stop', why: undefined, score: undefined })

/**
 * Reads what `expand` answered; nothing means `stop`.
 *
 * @throws {EspalierError} `ESP_INVALID_DECISION` for anything that is not a decision; `ESP_UNKNOWN_OPTION`.
 */
export function readDecision(nodeId: string, answer: unknown): Decision {
  if (answer === undefined || answer === null) return STOP
  const decision = answer as Decision
  const { type } = decision
  if (typeof answer !== 'object' || !Object.hasOwn(PARTS, type)) return refuse(nodeId, 'a decision', answer)
  checkKeys(`a decision "${type}"`, decision, PARTS[type])
  const { why, score } = decision
  if (why !== undefined && typeof why !== 'string') return refuse(nodeId, 'a text as `why`', why)
  if (score !== undefined && !Number.isFinite(score)) return refuse(nodeId, 'a finite `score`', score)
  switch (type) {
    case 'grow':
      if (!Array.isArray(decision.nodes)) return refuse(nodeId, 'an array of nodes to grow', decision.nodes)
      // Not `find`: a hole in the list is wrong too.
      for (const spec of decision.nodes as readonly (Partial<NodeSpec> | null | undefined)[]) {
        if (typeof spec?.handler !== 'string') return refuse(nodeId, 'nodes with a `handler`', spec)
      }
      return decision
    case 'prune':
      return Array.isArray(decision.ids) ? decision : refuse(nodeId, 'an array of node ids', decision.ids)
    case 'revise':
      if (typeof decision.patch !== 'object' || decision.patch === null)
        return refuse(nodeId, 'a patch of the node', decision.patch)
      checkPatch(decision.patch)
      return decision
    default:
      return decision
  }
}

function refuse(nodeId: string, expected: string, got: unknown): never {
  throw new EspalierError('ESP_INVALID_DECISION', { nodeId, expected, got })
}

/** How much room a tree has, and whether a key is taken. */
export interface Room {
  readonly size: number
  hasKey(key: string): boolean
}

/** The node below which a growth is to be planted. */
export interface Site {
  readonly depth: number
  readonly children: readonly unknown[]
}

/** What is left of a growth inside the limits. */
export interface Cut {
  readonly specs: readonly NodeSpec[]
  readonly cut: readonly DecisionCut[]
}

/**
 * Cuts a growth to the limits, in the order given.
 *
 * @param parent - Absent for roots, of which there may be any number.
 */
export function cutGrowth(
  nodes: readonly NodeSpec[],
  parent: Site | undefined,
  tree: Room,
  limits: TreeLimits,
): Cut {
  if (parent !== undefined && nodes.length > 0 && parent.depth >= limits.maxDepth) {
    return { specs: NO_NODES, cut: [{ by: 'maxDepth', count: nodes.length }] }
  }
  const fresh = withoutDuplicates(nodes, tree)
  const most =
    parent === undefined ? Number.POSITIVE_INFINITY : limits.maxChildrenPerNode - parent.children.length
  const children = firstOf(fresh, most)
  const specs = firstOf(children, limits.maxNodes - tree.size)
  return {
    specs,
    cut: specs === nodes ? NO_CUT : cutsOf(nodes.length, fresh.length, children.length, specs.length),
  }
}

/** What each limit cut, of the numbers that each let through. */
function cutsOf(all: number, fresh: number, children: number, specs: number): readonly DecisionCut[] {
  // A full tree cuts whatever is left to grow: an array of this one is smaller than a filtered one.
  if (children === all) return [{ by: 'maxNodes', count: all - specs }]
  const cuts: DecisionCut[] = [
    { by: 'duplicateKey', count: all - fresh },
    { by: 'maxChildrenPerNode', count: fresh - children },
    { by: 'maxNodes', count: children - specs },
  ]
  return cuts.filter(({ count }) => count > 0)
}

const NO_NODES: readonly NodeSpec[] = Object.freeze([])
const NO_CUT: readonly DecisionCut[] = Object.freeze([])

function withoutDuplicates(nodes: readonly NodeSpec[], tree: Room): readonly NodeSpec[] {
  if (nodes.every(({ key }) => key === undefined)) return nodes
  const keys = new Set<string>()
  const fresh = nodes.filter(({ key }) => {
    if (key === undefined) return true
    if (keys.has(key) || tree.hasKey(key)) return false
    keys.add(key)
    return true
  })
  return fresh.length === nodes.length ? nodes : fresh
}

/** The first `count` nodes, without those that wait for one which is cut off. */
function firstOf(nodes: readonly NodeSpec[], count: number): readonly NodeSpec[] {
  if (nodes.length <= count) return nodes
  if (count <= 0) return NO_NODES
  const kept = nodes.slice(0, count)
  const gone = new Set(nodes.slice(kept.length).flatMap(({ key }) => (key === undefined ? [] : [key])))
  if (gone.size === 0) return kept
  for (let size = -1; size !== gone.size; ) {
    size = gone.size
    for (const { key, dependencies = [] } of kept) {
      if (key !== undefined && dependencies.some((name) => gone.has(name))) gone.add(key)
    }
  }
  return kept.filter(({ dependencies = [] }) => !dependencies.some((name) => gone.has(name)))
}
