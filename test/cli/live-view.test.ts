import { describe, expect, test } from 'vitest'
import { printable } from '../../src/cli/line.ts'
import { liveLines } from '../../src/cli/live-view.ts'
import type { Activity, RunPicture } from '../../src/cli/picture.ts'
import { nodeOf, resultOf, treeOf } from './trees.ts'

const running: Activity = { startedAt: 10_000, fraction: 0.5, note: 'half way' }
const picture: RunPicture = {
  workflow: 'demo',
  runId: 'r1',
  strategy: 'best-first',
  startedAt: 0,
  now: 12_300,
  tree: treeOf(
    nodeOf('n0', { result: resultOf() }),
    nodeOf('n1', { parentId: 'n0', status: 'running', label: 'k=3' }),
    nodeOf('n2', { parentId: 'n0', status: 'running', label: 'a longer one' }),
    ...[0.1, 0.4, 0.3, 0.2].map((score, index) =>
      nodeOf(`q${index}`, { parentId: 'n0', status: 'queued', label: 'later', score }),
    ),
    nodeOf('n9', { parentId: 'n0', status: 'failed', result: resultOf({ error: new Error('no luck') }) }),
  ),
  activities: new Map<string, Activity>([
    ['n1', running],
    ['n2', { startedAt: 12_000, fraction: undefined, note: undefined }],
  ]),
  retries: new Map(),
  slots: { busy: 2, total: 3 },
  notice: undefined,
}

const draw = (changes: Partial<RunPicture> = {}, rows = 30, width = 100) =>
  liveLines({ ...picture, ...changes }, rows).map((line) => printable(line, { width, hasColors: false }))

describe('the live view', () => {
  test('shows counts, what runs, what waits, and the tree', () => {
    expect(draw()).toEqual([
      'demo  run r1',
      '12.3s  slots 2/3  ▸ 2 running  · 4 queued  ✓ 1 completed  ✗ 1 failed',
      '  ▸ n1 k=3           [#####-----] 50%  2.3s  half way',
      '  ▸ n2 a longer one  300ms',
      '  · 4 wait: q1 later · q2 later · q3 later and 1 more',
      '',
      '✓ n0 label of n0  (1.2s)',
      '  ▸ n1 k=3  running',
      '  ▸ n2 a longer one  running',
      '  · q0 later  queued',
      '  · q1 later  queued',
      '  · q2 later  queued',
      '  · q3 later  queued',
      '  ✗ n9 label of n9  (1.2s)  failed: no luck',
    ])
  })

  test('tells apart what waits for its next attempt', () => {
    const retries = new Map(
      ['q0', 'q1', 'q2', 'q3'].map((id, index) => [id, { attempt: 1, retryAt: 12_300 + index * 2_000 }]),
    )
    expect(draw({ retries }).slice(4, 8)).toEqual([
      '  ↻ q0 later  attempt 1 failed, the next waits for a slot',
      '  ↻ q1 later  attempt 1 failed, the next starts in 2.0s',
      '  ↻ q2 later  attempt 1 failed, the next starts in 4.0s',
      '    and 1 more',
    ])
    retries.delete('q2')
    expect(draw({ retries }).slice(6, 8)).toEqual([
      '  ↻ q3 later  attempt 1 failed, the next starts in 6.0s',
      '  · 1 wait: q2 later',
    ])
  })

  test('says that the run is being cancelled', () => {
    expect(draw({ notice: 'cancelling' })[0]).toBe('demo  run r1  cancelling')
  })

  test('names first what the strategy starts first', () => {
    const tree = treeOf(
      nodeOf('a', { status: 'queued', score: 1 }),
      nodeOf('p'),
      nodeOf('b', { parentId: 'p', status: 'queued', score: 0 }),
    )
    const waiting = (strategy: RunPicture['strategy']) =>
      draw({ tree, strategy }).find((line) => line.includes('wait'))
    expect(waiting('best-first')).toContain('a label of a · b label of b')
    expect(waiting('breadth-first')).toContain('a label of a · b label of b')
    expect(waiting('depth-first')).toContain('b label of b · a label of a')
  })

  test('fits every terminal: lines in its width, and one row left for the cursor', () => {
    const nodes = Array.from({ length: 200 }, (_, index) =>
      nodeOf(`n${index}`, { status: index < 50 ? 'running' : 'queued', label: `日本 ${'x'.repeat(index)}` }),
    )
    const activities = new Map(nodes.slice(0, 50).map(({ id }) => [id, running]))
    for (let rows = 2; rows < 60; rows++) {
      const lines = draw({ tree: treeOf(...nodes), activities }, rows, rows + 8)
      expect(lines.length).toBeLessThan(rows)
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(rows + 8)
    }
  })

  test('prints nothing of a note but text', () => {
    const hostile = { ...running, note: '\u001b]0;x\u0007a\nb' }
    const text = draw({ activities: new Map([['n1', hostile]]), workflow: 'w\u001b[2J' }).join('\n')
    expect(text).toContain('50%  2.3s  a b')
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })
})
