import type { PoolStreamEvent, RunEventOf, RunStreamEvent, Tree } from '../index.ts'
import { type Line, type Segment, styled } from './line.ts'
import { decisionText, isJudged, nameOf, nodeLine, retryText } from './node-text.ts'
import { clean, formatScore } from './text.ts'

/**
 * One event of a run as a line, or `undefined` for one that is not worth it.
 *
 * A node's score comes with the decision on it: before, it is only what its parent hoped.
 */
export function runEventLine(event: RunStreamEvent, startedAt: number, tree: Tree): Line | undefined {
  const text = describe(event, tree)
  return text === undefined ? undefined : timed(event.at, startedAt, text)
}

/** One event of the pool as a line: a node's log, and its retries. */
export function poolEventLine(event: PoolStreamEvent, startedAt: number, tree: Tree): Line | undefined {
  if (!('nodeId' in event) || event.nodeId === undefined) return undefined
  const node = tree.nodes[event.nodeId]
  const label = node === undefined ? event.nodeId : nameOf(node)
  const say = (...text: Segment[]) => timed(event.at, startedAt, text)
  switch (event.type) {
    case 'job.log':
      return say(styled('dim', `  ${label}: ${clean(event.line)}`))
    case 'job.retrying':
      return say(styled('yellow', `↻ ${label}  ${retryText(event.attempt, event.retryAt - event.at)}`))
    default:
      return undefined
  }
}

/** A message of the runtime as a line. */
export function noticeLine(message: string, at: number, startedAt: number): Line {
  return timed(at, startedAt, [styled('yellow', `! ${clean(message)}`)])
}

function describe(event: RunStreamEvent, tree: Tree): Segment[] | undefined {
  switch (event.type) {
    case 'node.changed':
      return event.node.status === 'queued' ? undefined : [...nodeLine(event.node)]
    case 'node.decided':
      return describeDecision(event, tree)
    case 'run.started':
    case 'run.ended':
    case 'node.added':
    case 'node.progress':
      return undefined
  }
}

function describeDecision({ node, decision }: RunEventOf<'node.decided'>, tree: Tree): Segment[] | undefined {
  // What went wrong in a decision is told by the runtime's own message.
  if (decision.error !== undefined) return undefined
  const text = decisionText(decision, tree, true)
  const score = isJudged(node) ? `  score ${formatScore(node.score)}` : ''
  if (text === undefined && score === '') return undefined
  return [`→ ${nameOf(node)}${score}`, styled('dim', `  ${text ?? 'stopped'}`)]
}

function timed(at: number, startedAt: number, text: readonly Segment[]): Line {
  return [styled('dim', `${((at - startedAt) / 1000).toFixed(1)}s`.padStart(7)), '  ', ...text]
}
