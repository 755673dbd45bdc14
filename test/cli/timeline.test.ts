import type { TimelineEntry } from 'espalier'
import { expect, test } from 'vitest'
import { lineText } from '../../src/cli/line.ts'
import { timelineLines } from '../../src/cli/timeline.ts'

function entry(
  nodeId: string,
  slot: number,
  startedAt: number,
  endedAt: number,
  status = 'completed',
): TimelineEntry {
  const attempts = [{ attempt: 1, slot, startedAt, endedAt }]
  return { jobId: `run.${nodeId}`, nodeId, status: status as 'completed', queuedAt: 0, endedAt, attempts }
}

const draw = (entries: readonly TimelineEntry[], endedAt = 1_000) =>
  timelineLines(entries, { startedAt: 0, endedAt }, 49).map(lineText)

test('each slot is a lane, each attempt a bar to scale', () => {
  const entries = [entry('n0', 0, 0, 500), entry('n1', 1, 250, 1_000, 'failed'), entry('n2', 0, 525, 575)]
  expect(draw(entries)).toEqual([
    'slot 0 |[n0================] ==                 |',
    'slot 1 |          [n1xxxxxxxxxxxxxxxxxxxxxxxxxx]|',
    '        0                                   1.0s',
  ])
})

test('attempts that were tried again count as failed, and what still runs reaches the end', () => {
  const attempts = [
    { attempt: 1, slot: 0, startedAt: 0, endedAt: 250 },
    { attempt: 2, slot: 0, startedAt: 500, endedAt: undefined },
  ]
  const retried: TimelineEntry = {
    jobId: 'j',
    nodeId: undefined,
    status: 'running',
    queuedAt: 0,
    endedAt: undefined,
    attempts,
  }
  expect(draw([retried])[0]).toBe('slot 0 |[jxxxxxxx]          [j=================]|')
})

test('a failure too short to see does not drown among others', () => {
  const entries = Array.from({ length: 1_000 }, (_, at) =>
    entry(`n${at}`, 0, at, at + 1, at === 500 ? 'failed' : 'completed'),
  )
  const lane = draw(entries)[0] as string
  expect(lane).toHaveLength(49)
  expect(lane.match(/x/g)).toHaveLength(1)
})

test('many slots are cut short, and nothing at all is nothing', () => {
  const lines = draw(Array.from({ length: 100 }, (_, slot) => entry(`n${slot}`, slot, 0, 1_000)))
  expect(lines).toHaveLength(26)
  expect(lines[24]).toBe('… and 76 more slots')
  expect(draw([])).toEqual([])
  expect(draw([entry('n0', 0, 5, 5)], 0)).toHaveLength(2)
})
