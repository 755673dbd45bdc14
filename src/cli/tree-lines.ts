import type { Tree, TreeNode } from '../index.ts'
import { type Line, styled } from './line.ts'
import { decisionText, nodeLine } from './node-text.ts'
import { type Activity, countStatuses, showCounts } from './picture.ts'
import { plural } from './text.ts'

/** Deeper nodes are not indented further, but show their depth. */
const INDENTED_DEPTH_MAX = 12

export interface TreeStyle {
  readonly activities: ReadonlyMap<string, Activity>
  readonly now: number
  /** How many lines there may be, the note of what is hidden included. */
  readonly linesMax: number
  /** Whether each decision gets a line below its node. */
  readonly hasDecisions: boolean
}

/**
 * Draws a tree, a node a line, children below their parent.
 *
 * Where it is too long, nodes that run, have failed or came last are kept, each with its ancestors where these fit, and
 * a last line counts the hidden ones, failures first.
 */
export function treeLines(tree: Tree, { activities, now, linesMax, hasDecisions }: TreeStyle): Line[] {
  const nodes = [...walk(tree)]
  const drawn = new Map(
    nodes.map((node) => {
      const lines = [[indent(node), ...nodeLine(node, activities.get(node.id), now)]]
      const decision = hasDecisions && node.decision ? decisionText(node.decision, tree, false) : undefined
      if (decision !== undefined) lines.push([indent(node), styled('dim', `  → ${decision}`)])
      return [node, lines]
    }),
  )
  const kept = keep(nodes, tree, linesMax, (node) => (drawn.get(node) as Line[]).length)
  const lines = nodes.filter((node) => kept.has(node)).flatMap((node) => drawn.get(node) as Line[])
  const hidden = nodes.filter((node) => !kept.has(node))
  if (hidden.length === 0) return lines
  const hiddenLines = hidden.reduce((sum, node) => sum + (drawn.get(node) as Line[]).length, 0)
  const counts = showCounts(countStatuses(hidden), ['failed', 'running', 'completed', 'cancelled', 'pruned', 'queued'])
  return [...lines, [styled('dim', `… ${plural(hiddenLines, 'line')} hidden: ${counts}`)]]
}

/** Each node before its children; a loop, for trees may be deep. */
function* walk(tree: Tree): Generator<TreeNode> {
  const open = tree.rootIds.toReversed()
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const node = tree.nodes[id]
    if (node === undefined) continue
    yield node
    open.push(...node.children.toReversed())
  }
}

function indent({ depth }: TreeNode): string {
  const shown = '  '.repeat(Math.min(depth, INDENTED_DEPTH_MAX))
  return depth > INDENTED_DEPTH_MAX ? `${shown}(${depth}) ` : shown
}

/** Chooses the nodes to draw. */
function keep(
  nodes: readonly TreeNode[],
  tree: Tree,
  linesMax: number,
  heightOf: (node: TreeNode) => number,
): ReadonlySet<TreeNode> {
  const height = nodes.reduce((sum, node) => sum + heightOf(node), 0)
  if (height <= linesMax) return new Set(nodes)
  const kept = new Set<TreeNode>()
  let room = linesMax - 1
  for (const node of byInterest(nodes)) {
    if (room <= 0) break
    const missing = withAncestors(node, tree).filter((each) => !kept.has(each))
    for (const wanted of [missing, kept.has(node) ? [] : [node]]) {
      const needed = wanted.reduce((sum, each) => sum + heightOf(each), 0)
      if (needed > room) continue
      for (const each of wanted) kept.add(each)
      room -= needed
      break
    }
  }
  return kept
}

function byInterest(nodes: readonly TreeNode[]): TreeNode[] {
  const rank = ({ status }: TreeNode) => (status === 'running' ? 0 : status === 'failed' ? 1 : status === 'queued' ? 3 : 2)
  const newest = (node: TreeNode) => node.result?.endedAt ?? 0
  return nodes.toSorted((a, b) => rank(a) - rank(b) || newest(b) - newest(a))
}

function withAncestors(node: TreeNode, tree: Tree): TreeNode[] {
  const found = [node]
  for (let parent = parentOf(node, tree); parent !== undefined; parent = parentOf(parent, tree)) found.push(parent)
  return found
}

function parentOf({ parentId }: TreeNode, tree: Tree): TreeNode | undefined {
  return parentId === undefined ? undefined : tree.nodes[parentId]
}
