import type { Tree, TreeNode } from 'espalier'
import type { ClusterInput, Clustering, Projected } from './values.ts'

/** A clustering of the tree: the node that made it, and what came out. */
export interface Finding {
  readonly node: TreeNode
  readonly clustering: Clustering
}

/** The clusterings that came out, best first; equals by their keys. */
export function findings(tree: Tree): Finding[] {
  return Object.values(tree.nodes)
    .filter((node) => clusteringOf(node) !== undefined)
    .map((node) => ({ node, clustering: clusteringOf(node)! }))
    .sort((a, b) => b.clustering.score - a.clustering.score || (a.node.key! < b.node.key! ? -1 : 1))
}

/** What a clustering node answered; absent for other nodes, and for those that did not complete. */
export function clusteringOf(node: TreeNode): Clustering | undefined {
  return node.handler === 'cluster' && node.status === 'completed'
    ? (node.result?.value as Clustering)
    : undefined
}

/** The node above; absent for a root. */
export function parent(tree: Tree, node: TreeNode): TreeNode | undefined {
  return node.parentId === undefined ? undefined : tree.nodes[node.parentId]
}

/** The other nodes with the same parent. */
export function siblings(tree: Tree, node: TreeNode): TreeNode[] {
  const children = parent(tree, node)?.children ?? []
  return children.filter((id) => id !== node.id).map((id) => tree.nodes[id]!)
}

/** Whether a clustering is one of the first of a projection, rather than a neighbour of another one. */
export function isProbe(tree: Tree, node: TreeNode): boolean {
  return node.handler === 'cluster' && parent(tree, node)?.handler === 'project'
}

/** The points that a clustering groups. */
export function projectedOf(tree: Tree, node: TreeNode): Projected | undefined {
  return tree.nodes[(node.input as ClusterInput).pointsNode]?.result?.value as Projected | undefined
}

/**
 * Whether the score has stopped improving: nothing is outstanding, so every line has been followed to where it gains
 * nothing more.
 *
 * @param asked - The node that is being decided, and will not grow.
 */
export function hasStoppedImproving(tree: Tree, asked: TreeNode): boolean {
  const nodes = Object.values(tree.nodes)
  return nodes.every((node) => node.id === asked.id || !isOpen(node)) && findings(tree).length > 0
}

/** Whether a node may still change the tree: it has not ended, or its decision is still to come. */
function isOpen({ status, decision }: TreeNode): boolean {
  if (status === 'queued' || status === 'running') return true
  return (status === 'completed' || status === 'failed') && decision === undefined
}
