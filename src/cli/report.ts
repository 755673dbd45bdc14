import { inspect } from 'node:util'
import type { DecisionCut, PoolMetrics, RunOutcome, TimelineEntry, TreeNode } from '../index.ts'
import { type Line, type Segment, type Style, styled } from './line.ts'
import { nameOf } from './node-text.ts'
import { clean, formatDuration, plural } from './text.ts'
import { timelineLines } from './timeline.ts'
import { treeLines } from './tree-lines.ts'

const TREE_LINES_MAX = 200
const VALUE_LINES_MAX = 24

/** All there is to tell of a run that has ended. */
export interface Finished {
  readonly workflow: string
  readonly outcome: RunOutcome
  readonly timeline: readonly TimelineEntry[]
  readonly metrics: PoolMetrics
  /** Where the outcome was written; absent when it could not be. */
  readonly file: string | undefined
}

/** The whole report: tree, timeline, numbers, and last, where the eye lands, how the run ended. */
export function reportLines(finished: Finished, width: number): Line[] {
  const { outcome, timeline } = finished
  const { tree, metrics } = outcome
  return [
    ...section('Tree', treeLines(tree, { linesMax: TREE_LINES_MAX, hasDecisions: true })),
    ...section('Timeline', timelineLines(timeline, metrics, width)),
    ...section('Numbers', numberLines(finished)),
    ...verdictLines(finished, width),
  ]
}

/** How the run ended: status and reason, the value, and the file with everything. */
export function verdictLines({ workflow, outcome, file }: Finished, width: number): Line[] {
  const { status, metrics } = outcome
  const { mark, style } = VERDICTS[status]
  const head: Line = [
    styled(style, `${mark} ${clean(workflow)} ${status}`),
    ` after ${formatDuration(metrics.durationMs)}`,
    styled('dim', `  run ${clean(outcome.runId)}`),
  ]
  const lines: Line[] = [head, ['  why    ', ...whyOf(outcome)]]
  if (outcome.reason === 'satisfied') lines.push(...valueLines(outcome.value, width))
  if (file !== undefined) lines.push([`  file   ${file}`])
  return lines
}

const VERDICTS: Readonly<Record<RunOutcome['status'], { readonly mark: string; readonly style: Style }>> = {
  completed: { mark: '✓', style: 'green' },
  failed: { mark: '✗', style: 'red' },
  cancelled: { mark: '○', style: 'yellow' },
}

function section(title: string, lines: readonly Line[]): Line[] {
  return lines.length === 0 ? [] : [[styled('bold', title)], ...lines, []]
}

function whyOf({ reason, tree, error }: RunOutcome): Segment[] {
  const nodes = Object.values(tree.nodes)
  switch (reason) {
    case 'satisfied': {
      const node = first(nodes, ({ decision }) => decision?.type === 'satisfy')
      const why = node?.decision?.why
      const by = node === undefined ? 'satisfied' : `satisfied by ${nameOf(node)}`
      return [why === undefined ? by : `${by}: ${clean(why)}`]
    }
    case 'exhausted':
      return ['exhausted: every branch has come to its end']
    case 'limit':
      return [`limit: ${limitOf(nodes)}`]
    case 'failed':
      return [styled('red', `failed: ${clean(error?.message || 'no reason given')}`)]
    case 'cancelled':
      return ['cancelled']
  }
}

/** The earliest decided of the nodes that match. */
function first(nodes: readonly TreeNode[], matches: (node: TreeNode) => boolean): TreeNode | undefined {
  const found = nodes.filter(matches)
  return found.toSorted((a, b) => (a.decision?.at ?? 0) - (b.decision?.at ?? 0))[0]
}

function limitOf(nodes: readonly TreeNode[]): string {
  const isCut = ({ decision }: TreeNode) =>
    decision?.cut.some(({ by }: DecisionCut) => by === 'maxNodes') === true
  return nodes.some(isCut)
    ? 'the tree may hold no more nodes (maxNodes)'
    : 'the run may take no longer (maxRunMs)'
}

/** `inspect` calls nothing of the value's own and escapes control characters; what is left is cleaned all the same. */
function valueLines(value: unknown, width: number): Line[] {
  const options = { depth: 4, maxArrayLength: 12, maxStringLength: 400, customInspect: false }
  const text = inspect(value, { ...options, breakLength: Math.max(40, width - 9), compact: 3 })
  const lines = text.split('\n')
  const shown = lines.slice(0, VALUE_LINES_MAX).map((line, index): Line => {
    return [index === 0 ? '  value  ' : '         ', clean(line)]
  })
  const more = lines.length - shown.length
  return more > 0 ? [...shown, [styled('dim', `         … ${plural(more, 'more line')} in the file`)]] : shown
}

function numberLines({ outcome, metrics }: Finished): Line[] {
  const { nodes, completed, failed, cancelled, revisions, decisions } = outcome.metrics
  const { executionMs, queueMs, slotUtilisation, retries } = metrics
  const counts = `${plural(nodes, 'node')}: ${completed} completed, ${failed} failed, ${cancelled} cancelled or pruned`
  const decided = `${plural(decisions, 'decision')}, ${plural(revisions, 'revision')}`
  // A run that had ended is told again by a pool which has run none of its jobs.
  if (executionMs.count === 0) return [[counts], [decided]]
  const busy = Math.round(slotUtilisation * 100)
  const retried = retries === 1 ? '1 retry' : `${retries} retries`
  return [
    [counts],
    [`${decided}, ${retried}`],
    [
      `jobs ran ${formatDuration(executionMs.averageMs)} on average, ${formatDuration(executionMs.maxMs)} at most`,
    ],
    [`jobs waited ${formatDuration(queueMs.averageMs)} on average; slots were ${busy}% busy`],
  ]
}
