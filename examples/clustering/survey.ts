import type { Tree, TreeNode } from 'espalier'
import type { ClusterInput, Clustering, Projected } from './values.ts'

/** A clustering of the tree: the node that made it, and what came out. */
export interface Finding {
  readonly node: TreeNode
  readonly clustering: Clustering
}

/**
 * How promising a clustering must be, as a share of the best score so far, for its neighbours to be tried;
 * and how good a scaling's best must be for the scaling to be pursued.
 */
const PROMISING = 0.75
const PURSUED = 0.5

/** After how many ended clusterings a scaling is judged: those of its first projection. */
const ENOUGH_TO_JUDGE = 4

/** The clusterings that came out, best first; among equals the earlier grown one. */
export function findings(tree: Tree): Finding[] {
  return Object.values(tree.nodes)
    .filter((node) => clusteringOf(node) !== undefined)
    .map((node) => ({ node, clustering: clusteringOf(node)! }))
    .sort((a, b) => b.clustering.score - a.clustering.score)
}

/** What a clustering node answered; absent for other nodes, and for those that did not complete. */
export function clusteringOf(node: TreeNode): Clustering | undefined {
  return node.handler === 'cluster' && node.status === 'completed'
    ? (node.result?.value as Clustering)
    : undefined
}

/** Whether a score is near enough to the best so far for its neighbours to be tried. */
export function isPromising(score: number, best: number): boolean {
  return score > 0 && score >= PROMISING * best
}

/** The node above; absent for a root. */
export function parent(tree: Tree, node: TreeNode): TreeNode | undefined {
  return node.parentId === undefined ? undefined : tree.nodes[node.parentId]
}

/** Whether a clustering is the first of its kind below a projection, rather than a neighbour of another one. */
export function isProbe(tree: Tree, node: TreeNode): boolean {
  return node.handler === 'cluster' && parent(tree, node)?.handler === 'project'
}

/** The points that a clustering groups. */
export function projectedOf(tree: Tree, node: TreeNode): Projected | undefined {
  return tree.nodes[(node.input as ClusterInput).pointsNode]?.result?.value as Projected | undefined
}

/**
 * The nodes still to run that are not worth it: below a scaling whose clusterings are all poor, or neighbours of a
 * clustering that later ones left behind.
 *
 * A poor node stays poor, whatever comes: the best score only rises.
 */
export function poorNodes(tree: Tree): TreeNode[] {
  const found = findings(tree)
  const best = found[0]?.clustering.score ?? 0
  const poorScalings = new Set(
    Object.values(tree.nodes)
      .filter((node) => node.handler === 'scale' && isPoorScaling(tree, node, found, best))
      .map((node) => node.id),
  )
  const scoreOf = new Map(found.map(({ node, clustering }) => [node.id, clustering.score]))
  return Object.values(tree.nodes).filter((node) => {
    if (node.status !== 'queued' && node.status !== 'running') return false
    const scaling = ancestor(tree, node, 'scale')
    if (scaling !== undefined && poorScalings.has(scaling.id)) return true
    const origin = scoreOf.get(node.parentId ?? '')
    return origin !== undefined && !isPromising(origin, best)
  })
}

/**
 * Whether the score has stopped improving: every scaling and projection worth it has been tried, and nothing that
 * follows from the best clustering is outstanding.
 *
 * @param asked - The node that is being decided, and will not grow.
 */
export function hasStoppedImproving(tree: Tree, asked: TreeNode): boolean {
  const best = findings(tree)[0]
  if (best === undefined) return false
  const poor = new Set(poorNodes(tree).map((node) => node.id))
  const line = probeAbove(tree, best.node)
  return Object.values(tree.nodes).every((node) => {
    const isOpen = node.status === 'queued' || node.status === 'running' || isUndecided(node)
    if (!isOpen || node.id === asked.id || poor.has(node.id)) return true
    return node.handler === 'cluster' && !isProbe(tree, node) && probeAbove(tree, node)?.id !== line?.id
  })
}

function isPoorScaling(tree: Tree, scaling: TreeNode, found: readonly Finding[], best: number): boolean {
  const ended = Object.values(tree.nodes).filter(
    (node) =>
      node.handler === 'cluster' &&
      (node.status === 'completed' || (node.status === 'failed' && !isUndecided(node))) &&
      ancestor(tree, node, 'scale')?.id === scaling.id,
  )
  const own =
    found.find(({ node }) => ancestor(tree, node, 'scale')?.id === scaling.id)?.clustering.score ?? 0
  return ended.length >= ENOUGH_TO_JUDGE && own < PURSUED * best
}

/** Whether a node has ended, and its decision, which may grow or revise it, is still to come. */
function isUndecided(node: TreeNode): boolean {
  return (node.status === 'completed' || node.status === 'failed') && node.decision === undefined
}

/** The nearest node above this one, or itself, with the given handler. */
function ancestor(tree: Tree, node: TreeNode, handler: string): TreeNode | undefined {
  let at: TreeNode | undefined = node
  while (at !== undefined && at.handler !== handler) at = parent(tree, at)
  return at
}

/** The first clustering of the line that this one belongs to. */
function probeAbove(tree: Tree, node: TreeNode): TreeNode | undefined {
  let at: TreeNode | undefined = node
  while (at !== undefined && !isProbe(tree, at)) at = parent(tree, at)
  return at
}
