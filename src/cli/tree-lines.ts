import type { Tree, TreeNode } from '../index.ts'
import { type Line, styled } from './line.ts'
import { decisionText, nodeLine } from './node-text.ts'
import { countStatuses, showCounts } from './picture.ts'
import { plural } from './text.ts'

/** Deeper nodes are not indented further, but show their depth. */
const INDENTED_DEPTH_MAX = 12

export interface TreeStyle {
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
export function treeLines(tree: Tree, style: TreeStyle): Line[] {
  const nodes = [...walk(tree)]
  const decisions = style.hasDecisions ? decisionsOf(nodes, tree) : NO_DECISIONS
  const heightOf = (node: TreeNode) => (decisions.has(node) ? 2 : 1)
  const kept = keep(nodes, tree, style.linesMax, heightOf)
  const lines: Line[] = []
  for (const node of nodes) {
    if (!kept.has(node)) continue
    lines.push([indent(node), ...nodeLine(node)])
    const decision = decisions.get(node)
    if (decision !== undefined) lines.push([indent(node), styled('dim', `  → ${decision}`)])
  }
  const hidden = nodes.filter((node) => !kept.has(node))
  if (hidden.length > 0) lines.push([styled('dim', hiddenNote(hidden, heightOf))])
  return lines
}

/** What was decided about the nodes, in words, where that says something. */
function decisionsOf(nodes: readonly TreeNode[], tree: Tree): ReadonlyMap<TreeNode, string> {
  const found = new Map<TreeNode, string>()
  for (const node of nodes) {
    const text = node.decision && decisionText(node.decision, tree, false)
    if (text !== undefined) found.set(node, text)
  }
  return found
}

const NO_DECISIONS: ReadonlyMap<TreeNode, string> = new Map()

/** Each node before its children; a loop, for trees may be deep. */
function* walk(tree: Tree): Generator<TreeNode> {
  const open = tree.rootIds.toReversed()
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const node = tree.nodes[id]
    if (node === undefined) continue
    yield node
    for (const child of node.children.toReversed()) open.push(child)
  }
}

function indent({ depth }: TreeNode): string {
  const shown = '  '.repeat(Math.min(depth, INDENTED_DEPTH_MAX))
  return depth > INDENTED_DEPTH_MAX ? `${shown}(${depth}) ` : shown
}

function hiddenNote(hidden: readonly TreeNode[], heightOf: (node: TreeNode) => number): string {
  const counts = showCounts(countStatuses(hidden))
  return `… ${plural(totalHeight(hidden, heightOf), 'line')} hidden: ${counts}`
}

function totalHeight(nodes: readonly TreeNode[], heightOf: (node: TreeNode) => number): number {
  return nodes.reduce((sum, node) => sum + heightOf(node), 0)
}

/** Chooses the nodes to draw. */
function keep(
  nodes: readonly TreeNode[],
  tree: Tree,
  linesMax: number,
  heightOf: (node: TreeNode) => number,
): ReadonlySet<TreeNode> {
  if (totalHeight(nodes, heightOf) <= linesMax) return new Set(nodes)
  const kept = new Set<TreeNode>()
  let room = linesMax - 1
  for (const node of byInterest(nodes)) {
    if (room <= 0) break
    if (kept.has(node)) continue
    const wanted = withAncestors(node, tree, kept, room, heightOf)
    for (const each of wanted) kept.add(each)
    room -= totalHeight(wanted, heightOf)
  }
  return kept
}

/** The node, with all its ancestors that are not kept yet where these fit into the room; nothing where it does not. */
function withAncestors(
  node: TreeNode,
  tree: Tree,
  kept: ReadonlySet<TreeNode>,
  room: number,
  heightOf: (node: TreeNode) => number,
): TreeNode[] {
  const found: TreeNode[] = []
  let height = 0
  for (let each: TreeNode | undefined = node; each !== undefined; each = parentOf(each, tree)) {
    if (kept.has(each)) continue
    height += heightOf(each)
    if (height > room) return found.slice(0, 1)
    found.push(each)
  }
  return found
}

function byInterest(nodes: readonly TreeNode[]): TreeNode[] {
  const rank = ({ status }: TreeNode) => {
    if (status === 'running') return 0
    if (status === 'failed') return 1
    return status === 'queued' ? 3 : 2
  }
  const endedAt = ({ result }: TreeNode) => result?.endedAt ?? 0
  return nodes.toSorted((a, b) => rank(a) - rank(b) || endedAt(b) - endedAt(a))
}

function parentOf({ parentId }: TreeNode, tree: Tree): TreeNode | undefined {
  return parentId === undefined ? undefined : tree.nodes[parentId]
}
