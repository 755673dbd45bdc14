import type { DecisionRecord, NodeId, NodeStatus, Tree, TreeNode } from '../index.ts'
import { type Line, type Segment, type Style, styled } from './line.ts'
import type { Activity } from './picture.ts'
import { clean, clip, formatDuration, formatScore, listShort, progressBar, shareOf } from './text.ts'

const LABEL_WIDTH_MAX = 60
const NAMES_MAX = 4

const MARKS: Readonly<Record<NodeStatus, { readonly mark: string; readonly style: Style }>> = {
  queued: { mark: '·', style: 'dim' },
  running: { mark: '▸', style: 'cyan' },
  completed: { mark: '✓', style: 'green' },
  failed: { mark: '✗', style: 'red' },
  cancelled: { mark: '○', style: 'yellow' },
  pruned: { mark: '×', style: 'yellow' },
}

/** A sign for a status that reads without colour. */
export function markOf(status: NodeStatus): Segment {
  const { mark, style } = MARKS[status]
  return styled(style, mark)
}

function labelOf(node: TreeNode): string {
  return clip(clean(node.label), LABEL_WIDTH_MAX) || node.id
}

/** How lines speak of a node; labels repeat, ids do not. */
export function nameOf(node: TreeNode): string {
  return `${node.id} ${labelOf(node)}`
}

/** A node in one line: mark, id, label, score, duration, and what the mark alone would leave open. */
export function nodeLine(node: TreeNode): Line {
  const { status, result, revisions } = node
  const line: Segment[] = [markOf(status), styled('dim', ` ${node.id}`), ` ${labelOf(node)}`]
  if (isJudged(node)) line.push(`  score ${formatScore(node.score)}`)
  if (revisions > 0) line.push(styled('dim', `  revision ${revisions}`))
  if (result?.startedAt !== undefined) line.push(styled('dim', `  (${formatDuration(result.durationMs)})`))
  return [...line, ...outcomeOf(node)]
}

/** Before a node is decided, its score is only what its parent hoped; one that failed has none of its own. */
export function isJudged(node: TreeNode): node is TreeNode & { readonly score: number } {
  const { status, score, decision } = node
  return score !== undefined && status === 'completed' && decision !== undefined && decision.type !== 'revise'
}

function outcomeOf({ status, result }: TreeNode): Segment[] {
  if (status === 'failed') return [styled('red', `  failed: ${failureOf(result)}`)]
  if (status === 'cancelled') {
    const reason =
      result?.reason === undefined || result.reason === 'cancelled' ? '' : ` (${clean(result.reason, 100)})`
    return [styled('yellow', `  cancelled${reason}`)]
  }
  return status === 'completed' ? [] : [styled('dim', `  ${status}`)]
}

function failureOf(result: TreeNode['result']): string {
  return clean(result?.error?.message || result?.reason || 'no reason given')
}

/** How far a running node is: bar and fraction where it reports one, elapsed time, and its note. */
export function progressOf({ startedAt, fraction, note }: Activity, now: number): Segment[] {
  const line: Segment[] = []
  if (fraction !== undefined) {
    const percent = Math.floor(shareOf(fraction) * 100)
    line.push('  ', styled('cyan', progressBar(fraction, 12)), ` ${percent}%`)
  }
  line.push(`  ${formatDuration(now - startedAt)}`)
  if (note !== undefined && note !== '') line.push(styled('dim', `  ${clean(note, 120)}`))
  return line
}

/** What a node waits for that has failed before, and when the next attempt may start, in ms from now. */
export function retryText(attempt: number, restMs: number): string {
  const next = restMs > 0 ? `the next starts in ${formatDuration(restMs)}` : 'the next waits for a slot'
  return `attempt ${attempt} failed, ${next}`
}

/**
 * What was decided after a node's end, with its why and what was cut; nothing for a plain stop, which says nothing.
 *
 * @param names - Whether the nodes grown or pruned are named: where they are not in sight.
 */
export function decisionText(decision: DecisionRecord, tree: Tree, names: boolean): string | undefined {
  const { type, why, cut, error } = decision
  if (error !== undefined) return `stopped: ${clean(error.message)}`
  if (type === 'stop' && why === undefined && cut.length === 0) return undefined
  const parts = [didOf(decision, tree, names)]
  if (why !== undefined) parts.push(`: ${clean(why)}`)
  if (cut.length > 0) parts.push(` (cut: ${cut.map(({ by, count }) => `${count} by ${by}`).join(', ')})`)
  return parts.join('')
}

const namesOf = (nodeIds: readonly NodeId[], tree: Tree): string[] =>
  nodeIds.map((id) => {
    const node = tree.nodes[id]
    return node === undefined ? id : nameOf(node)
  })

function didOf({ type, nodeIds }: DecisionRecord, tree: Tree, names: boolean): string {
  const which = names && nodeIds.length > 0 ? ` (${listShort(namesOf(nodeIds, tree), NAMES_MAX)})` : ''
  switch (type) {
    case 'grow':
      return `grew ${nodeIds.length}${which}`
    case 'prune':
      return `pruned ${nodeIds.length}${which}`
    case 'revise':
      return nodeIds.length === 0 ? 'revised nothing' : 'revised'
    case 'stop':
      return 'stopped'
    case 'satisfy':
      return 'satisfied'
  }
}
