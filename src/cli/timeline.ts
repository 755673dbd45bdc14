import type { TimelineEntry } from '../index.ts'
import { type Line, type Style, styled } from './line.ts'
import { formatDuration } from './text.ts'

const LANES_MAX = 24

interface Span {
  readonly name: string
  readonly isFailed: boolean
  readonly from: number
  readonly to: number
}

/**
 * Draws when each slot worked: a lane a slot, a bar an attempt, with the node's id where there is room for it.
 *
 * @param width - Of the terminal; the lanes fill it.
 */
export function timelineLines(
  entries: readonly TimelineEntry[],
  { startedAt, endedAt }: { readonly startedAt: number; readonly endedAt: number },
  width: number,
): Line[] {
  const lanes = lanesOf(entries, endedAt)
  if (lanes.length === 0) return []
  const nameWidth = `slot ${lanes.length - 1}`.length
  const columns = Math.max(10, width - nameWidth - 3)
  const scale = columns / Math.max(1, endedAt - startedAt)
  const column = (at: number) => Math.min(columns, Math.max(0, Math.round((at - startedAt) * scale)))
  const shown = lanes.slice(0, LANES_MAX)
  const lines = shown.map((spans, slot): Line => {
    const name = `slot ${slot}`.padEnd(nameWidth)
    return [`${name} |`, styled(styleOf(spans), drawLane(spans, columns, column)), '|']
  })
  const length = formatDuration(endedAt - startedAt)
  const axis = `${' '.repeat(nameWidth + 2)}0${length.padStart(columns - 1)}`
  const more = lanes.length - shown.length
  return [...lines, ...(more > 0 ? [[styled('dim', `… and ${more} more slots`)]] : []), [styled('dim', axis)]]
}

/** The attempts by slot, in order of their start. */
function lanesOf(entries: readonly TimelineEntry[], endedAt: number): Span[][] {
  const lanes: Span[][] = []
  for (const { jobId, nodeId, status, attempts } of entries) {
    attempts.forEach((attempt, index) => {
      const isFailed = status === 'failed' || index < attempts.length - 1
      const span = {
        name: nodeId ?? jobId,
        isFailed,
        from: attempt.startedAt,
        to: attempt.endedAt ?? endedAt,
      }
      while (lanes.length <= attempt.slot) lanes.push([])
      lanes[attempt.slot]?.push(span)
    })
  }
  for (const lane of lanes) lane.sort((a, b) => a.from - b.from)
  return lanes
}

/** `[n0==][n3========]  [n7xx]`; what is too short for brackets is a single `=` or `x`. */
function drawLane(spans: readonly Span[], columns: number, column: (at: number) => number): string {
  const cells = new Array<string>(columns).fill(' ')
  for (const { name, isFailed, from, to } of spans) {
    const start = Math.min(columns - 1, column(from))
    const length = Math.max(1, column(to) - start)
    const fill = isFailed ? 'x' : '='
    const bar = length < 3 ? fill.repeat(length) : `[${nameIn(name, length).padEnd(length - 2, fill)}]`
    for (const [offset, character] of [...bar].entries()) {
      // A failure that shares its column with others stays visible.
      if (cells[start + offset] !== 'x' || length > 1) cells[start + offset] = character
    }
  }
  return cells.slice(0, columns).join('')
}

function nameIn(name: string, length: number): string {
  return name.length <= length - 2 ? name : ''
}

function styleOf(spans: readonly Span[]): Style {
  return spans.some(({ isFailed }) => isFailed) ? 'yellow' : 'green'
}
