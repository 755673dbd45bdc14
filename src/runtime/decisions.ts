import { EspalierError } from '../domain/errors.ts'
import type { Decision, DecisionCut, NodeSpec, TreeLimits } from '../domain/tree.ts'

const TYPES: readonly string[] = ['grow', 'stop', 'revise', 'prune', 'satisfy'] satisfies Decision['type'][]

/**
 * Reads what `expand` answered; nothing means `stop`.
 *
 * @throws {EspalierError} `ESP_INVALID_DECISION` for anything that is not a decision.
 */
export function readDecision(nodeId: string, answer: unknown): Decision {
  if (answer === undefined || answer === null) return { type: 'stop', why: undefined, score: undefined }
  const refuse = (expected: string, got: unknown): never => {
    throw new EspalierError('ESP_INVALID_DECISION', { nodeId, expected, got })
  }
  const decision = answer as Partial<Decision>
  if (typeof answer !== 'object' || !TYPES.includes(decision.type as string))
    return refuse('a decision', answer)
  if (decision.score !== undefined && !Number.isFinite(decision.score)) {
    return refuse('a finite `score`', decision.score)
  }
  if (decision.type === 'grow') {
    if (!Array.isArray(decision.nodes)) return refuse('an array of nodes to grow', decision.nodes)
    // Not `find`: a hole in the list is wrong too.
    for (const spec of decision.nodes as readonly (Partial<NodeSpec> | null | undefined)[]) {
      if (typeof spec?.handler !== 'string') return refuse('nodes with a `handler`', spec)
    }
  }
  if (decision.type === 'prune' && !Array.isArray(decision.ids))
    return refuse('an array of node ids', decision.ids)
  if (decision.type === 'revise' && (typeof decision.patch !== 'object' || decision.patch === null)) {
    return refuse('a patch of the node', decision.patch)
  }
  return answer as Decision
}

/** How much room a node has for children. */
export interface Room {
  readonly depth: number
  readonly children: number
  readonly nodes: number
  hasKey(key: string): boolean
}

/** Cuts a growth to the limits, in the order given. */
export function cutGrowth(
  nodes: readonly NodeSpec[],
  room: Room,
  limits: TreeLimits,
): { readonly specs: readonly NodeSpec[]; readonly cut: readonly DecisionCut[] } {
  if (nodes.length > 0 && room.depth >= limits.maxDepth) {
    return { specs: [], cut: [{ by: 'maxDepth', count: nodes.length }] }
  }
  const keys = new Set<string>()
  const fresh = nodes.filter(({ key }) => {
    if (key === undefined) return true
    if (keys.has(key) || room.hasKey(key)) return false
    keys.add(key)
    return true
  })
  const cut: DecisionCut[] = []
  const note = (by: DecisionCut['by'], count: number) => {
    if (count > 0) cut.push({ by, count })
  }
  note('duplicateKey', nodes.length - fresh.length)
  const children = firstOf(fresh, limits.maxChildrenPerNode - room.children)
  note('maxChildrenPerNode', fresh.length - children.length)
  const specs = firstOf(children, limits.maxNodes - room.nodes)
  note('maxNodes', children.length - specs.length)
  return { specs, cut }
}

/** The first `count` nodes, without those that wait for one which is cut off. */
function firstOf(nodes: readonly NodeSpec[], count: number): readonly NodeSpec[] {
  if (nodes.length <= count) return nodes
  const kept = nodes.slice(0, Math.max(0, count))
  const gone = new Set(nodes.slice(kept.length).flatMap(({ key }) => (key === undefined ? [] : [key])))
  for (let size = -1; size !== gone.size; ) {
    size = gone.size
    for (const { key, dependencies = [] } of kept) {
      if (key !== undefined && dependencies.some((name) => gone.has(name))) gone.add(key)
    }
  }
  return kept.filter(({ dependencies = [] }) => !dependencies.some((name) => gone.has(name)))
}
