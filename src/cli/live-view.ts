import type { Strategy, TreeNode } from '../index.ts'
import { type Line, type Segment, styled } from './line.ts'
import { markOf, nameOf, progressOf, retryText } from './node-text.ts'
import { countStatuses, type RunPicture } from './picture.ts'
import { clean, clip, formatDuration, listShort, pad, widthOf } from './text.ts'
import { treeLines } from './tree-lines.ts'

const NEXT_MAX = 3
const RETRIES_MAX = 3
const LABEL_COLUMNS = 28

/**
 * Draws a run as it is now: what it is, its counts, what runs, what waits, and the tree.
 *
 * @param rows - Of the terminal; the view takes one less, for the cursor.
 */
export function liveLines(picture: RunPicture, rows: number): Line[] {
  const nodes = Object.values(picture.tree.nodes)
  const lines: Line[] = [
    titleLine(picture),
    countsLine(picture, nodes),
    ...runningLines(picture, nodes, rows),
    ...retryLines(picture, nodes),
  ]
  const waiting = waitingLine(picture, nodes)
  if (waiting !== undefined) lines.push(waiting)
  const linesMax = rows - 1 - lines.length - 1
  if (linesMax < 2 || nodes.length === 0) return lines.slice(0, Math.max(1, rows - 1))
  return [...lines, [], ...treeLines(picture.tree, { linesMax, hasDecisions: false })]
}

/** Has nothing in it that changes with time: what is the same is not drawn again. */
function titleLine({ workflow, runId, notice }: RunPicture): Line {
  const line: Segment[] = [
    styled('bold', clip(clean(workflow), LABEL_COLUMNS)),
    styled('dim', `  run ${clean(runId, 60)}`),
  ]
  return notice === undefined ? line : [...line, '  ', styled('yellow', clean(notice))]
}

function countsLine({ startedAt, now, slots }: RunPicture, nodes: readonly TreeNode[]): Line {
  const counts = countStatuses(nodes)
  const line: Segment[] = [formatDuration(now - startedAt).padEnd(7), `slots ${slots.busy}/${slots.total}`]
  for (const status of ['running', 'queued', 'completed', 'failed', 'cancelled', 'pruned'] as const) {
    const isAlwaysShown = status !== 'cancelled' && status !== 'pruned'
    if (isAlwaysShown || counts[status] > 0) line.push('  ', markOf(status), ` ${counts[status]} ${status}`)
  }
  return line
}

function runningLines({ activities, now }: RunPicture, nodes: readonly TreeNode[], rows: number): Line[] {
  const running = nodes.filter(({ status }) => status === 'running')
  const shown = running.slice(0, Math.max(1, Math.floor(rows / 3)))
  const columns = Math.min(LABEL_COLUMNS, Math.max(0, ...shown.map((node) => widthOf(nameOf(node)))))
  const lines = shown.map((node): Line => {
    const activity = activities.get(node.id)
    const label = pad(clip(nameOf(node), columns), columns)
    return [
      '  ',
      markOf('running'),
      ` ${label}`,
      ...(activity === undefined ? [] : progressOf(activity, now)),
    ]
  })
  const more = running.length - shown.length
  return more > 0 ? [...lines, [styled('dim', `    and ${more} more`)]] : lines
}

function retryLines({ retries, now }: RunPicture, nodes: readonly TreeNode[]): Line[] {
  const lines = nodes.flatMap((node): Line[] => {
    const retry = node.status === 'queued' ? retries.get(node.id) : undefined
    if (retry === undefined) return []
    const text = retryText(retry.attempt, retry.retryAt - now)
    return [['  ', styled('yellow', '↻'), ` ${clip(nameOf(node), LABEL_COLUMNS)}  ${text}`]]
  })
  const more = lines.length - RETRIES_MAX
  return more > 0 ? [...lines.slice(0, RETRIES_MAX), [styled('dim', `    and ${more} more`)]] : lines
}

function waitingLine({ strategy, retries }: RunPicture, nodes: readonly TreeNode[]): Line | undefined {
  const waiting = nodes.filter(({ id, status }) => status === 'queued' && !retries.has(id))
  if (waiting.length === 0) return undefined
  const next = waiting.toSorted(inOrderOf(strategy)).slice(0, NEXT_MAX + 1)
  const names = listShort(
    next.slice(0, NEXT_MAX).map((node) => clip(nameOf(node), LABEL_COLUMNS)),
    NEXT_MAX,
  )
  const rest = waiting.length > NEXT_MAX ? ` and ${waiting.length - NEXT_MAX} more` : ''
  return ['  ', markOf('queued'), styled('dim', ` ${waiting.length} wait: ${names}${rest}`)]
}

/** What the strategy starts first; dependencies and priorities may still put another node before it. */
function inOrderOf(strategy: Strategy): (a: TreeNode, b: TreeNode) => number {
  const byScore = (a: TreeNode, b: TreeNode) => (b.score ?? 0) - (a.score ?? 0)
  if (strategy === 'best-first') return byScore
  const direction = strategy === 'depth-first' ? -1 : 1
  return (a, b) => direction * (a.depth - b.depth) || byScore(a, b)
}
