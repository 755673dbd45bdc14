import type { PoolStreamEvent, RunOutcome, RunStreamEvent } from 'espalier'
import { describe, expect, test } from 'vitest'
import { Activities } from '../../src/cli/activities.ts'
import { lineText } from '../../src/cli/line.ts'
import { noticeLine, poolEventLine, runEventLine } from '../../src/cli/plain-view.ts'
import { type Finished, verdictLines } from '../../src/cli/report.ts'
import { decisionOf, nodeOf, treeOf } from './trees.ts'

const tree = treeOf(
  nodeOf('n0', { decision: decisionOf({ type: 'satisfy', why: 'good enough', at: 5 }) }),
  nodeOf('n1', { decision: decisionOf({ type: 'satisfy', why: 'good, but later', at: 6 }) }),
)

function verdict(changes: Partial<RunOutcome>): string[] {
  const metrics = {
    startedAt: 0,
    endedAt: 1_500,
    durationMs: 1_500,
    nodes: 1,
    completed: 1,
    failed: 0,
    cancelled: 0,
  }
  const outcome: RunOutcome = {
    runId: 'r1',
    status: 'completed',
    reason: 'exhausted',
    value: undefined,
    error: undefined,
    tree,
    metrics: { ...metrics, revisions: 0, decisions: 0 },
    ...changes,
  }
  const finished = { workflow: 'demo', outcome, timeline: [], metrics: {}, file: 'results/x.json' }
  return verdictLines(finished as unknown as Finished, 80).map(lineText)
}

describe('why a run has ended', () => {
  const cut = [{ by: 'maxNodes' as const, count: 3 }]
  test.each([
    [{ reason: 'exhausted' }, 'exhausted: every branch has come to its end'],
    [{ reason: 'satisfied' }, 'satisfied by n0 label of n0: good enough'],
    [{ reason: 'satisfied', tree: treeOf() }, 'satisfied'],
    [{ reason: 'limit' }, 'limit: the run may take no longer (maxRunMs)'],
    [
      { reason: 'limit', tree: treeOf(nodeOf('n0', { decision: decisionOf({ type: 'grow', cut }) })) },
      'limit: the tree may hold no more nodes (maxNodes)',
    ],
    [{ reason: 'failed', status: 'failed', error: new Error('no luck\u001b[2J') }, 'failed: no luck'],
    [{ reason: 'failed', status: 'failed' }, 'failed: no reason given'],
    [{ reason: 'cancelled', status: 'cancelled' }, 'cancelled'],
  ] as const)('%j', (changes, why) => {
    expect(verdict(changes)[1]).toBe(`  why    ${why}`)
  })
})

describe('the value of a run', () => {
  const valueLines = (value: unknown) => verdict({ reason: 'satisfied', value }).slice(2, -1)

  test.each([
    [undefined, 'undefined'],
    [3, '3'],
    ['a\u001b]0;x\u0007b\nc', "'a\\x1B]0;x\\x07b\\nc'"],
    [{ winner: 'k=3', score: 0.71 }, "{ winner: 'k=3', score: 0.71 }"],
  ])('%j is shown as it would be written', (value, shown) => {
    expect(valueLines(value)).toEqual([`  value  ${shown}`])
  })

  test('calls nothing of its own, and is of bounded length', () => {
    const lines = valueLines({
      [Symbol.for('nodejs.util.inspect.custom')]: () => 'whatever it likes',
      rows: Array.from({ length: 500 }, (_, row) => ({ row, text: 'x'.repeat(60) })),
      ...Object.fromEntries(Array.from({ length: 100 }, (_, key) => [`key ${key}`, key])),
    })
    expect(lines).toHaveLength(25)
    expect(lines.join()).not.toContain('whatever')
    expect(lines.at(-1)).toMatch(/^ {9}… \d+ more lines in the file$/)
  })
})

describe('an event as a line', () => {
  const fact = { jobId: 'r.n0', nodeId: 'n0', treeId: 'r' }
  const runLine = (event: object) => {
    const line = runEventLine({ at: 12_345, runId: 'r', ...event } as RunStreamEvent, 0, tree)
    return line && lineText(line)
  }
  const poolLine = (event: object) => {
    const line = poolEventLine({ at: 12_345, ...event } as PoolStreamEvent, 0, tree)
    return line && lineText(line)
  }

  test.each([
    [{ type: 'grow', nodeIds: ['n1'], why: 'try more' }, 'grew 1 (n1 label of n1): try more'],
    [{ type: 'prune', nodeIds: ['n1', 'gone'] }, 'pruned 2 (n1 label of n1 · gone)'],
    [{ type: 'revise', nodeIds: ['n0'], why: 'wrong' }, 'revised: wrong'],
    [{ type: 'stop', why: 'enough' }, 'stopped: enough'],
    [{ type: 'stop', cut: [{ by: 'ended', count: 2 }] }, 'stopped (cut: 2 by ended)'],
    [{ type: 'satisfy' }, 'satisfied'],
  ] as const)('decision %j', (changes, text) => {
    const decision = decisionOf(changes as Parameters<typeof decisionOf>[0])
    const line = runLine({ type: 'node.decided', node: nodeOf('n0', { decision }), decision })
    expect(line).toBe(`  12.3s  → n0 label of n0  ${text}`)
  })

  test('a plain stop is worth a line only for its score', () => {
    const decision = decisionOf()
    expect(runLine({ type: 'node.decided', node: nodeOf('n0', { decision }), decision })).toBeUndefined()
    const judged = nodeOf('n0', { decision, score: 0.5 })
    expect(runLine({ type: 'node.decided', node: judged, decision })).toBe(
      '  12.3s  → n0 label of n0  score 0.5  stopped',
    )
  })

  test('of the pool: logs and retries', () => {
    expect(poolLine({ type: 'job.log', ...fact, line: 'read\u001b[K 5 rows' })).toBe(
      '  12.3s    n0 label of n0: read 5 rows',
    )
    expect(poolLine({ type: 'job.retrying', ...fact, attempt: 1, retryAt: 14_345 })).toBe(
      '  12.3s  ↻ n0 label of n0  attempt 1 failed, the next starts in 2.0s',
    )
    expect(poolLine({ type: 'job.started', ...fact, attempt: 1 })).toBeUndefined()
    expect(poolLine({ type: 'pool.paused' })).toBeUndefined()
    expect(lineText(noticeLine('careful\u0007!', 500, 0))).toBe('   0.5s  ! careful !')
  })

  test('what a running node does is followed across its attempts', () => {
    const activities = new Activities()
    const pool = (event: object) => activities.takePoolEvent({ at: 0, ...fact, ...event } as PoolStreamEvent)
    const run = (event: object) => activities.takeRunEvent({ at: 0, runId: 'r', ...event } as RunStreamEvent)
    const now = () => activities.byNode.get('n0')
    run({ type: 'node.progress', nodeId: 'n0', fraction: 0.1, note: 'too early' })
    expect(now()).toBeUndefined()
    pool({ type: 'job.started', at: 100 })
    run({ type: 'node.progress', nodeId: 'n0', fraction: 0.5, note: 'half' })
    run({ type: 'node.progress', nodeId: 'n0', fraction: 0.6, note: undefined })
    expect(now()).toEqual({ startedAt: 100, fraction: 0.6, note: 'half' })
    run({ type: 'node.changed', node: nodeOf('n0', { status: 'queued' }) })
    pool({ type: 'job.retrying', attempt: 1, retryAt: 500 })
    expect(now()).toBeUndefined()
    expect(activities.retries.get('n0')).toEqual({ attempt: 1, retryAt: 500 })
    pool({ type: 'job.started', at: 500 })
    run({ type: 'node.changed', node: nodeOf('n0', { status: 'running' }) })
    expect(activities.retries.size).toBe(0)
    pool({ type: 'job.log', line: 'again' })
    expect(now()).toEqual({ startedAt: 500, fraction: undefined, note: 'again' })
    run({ type: 'node.changed', node: nodeOf('n0', { status: 'failed' }) })
    expect(now()).toBeUndefined()
  })

  test('a status is news once for each job of a node', () => {
    const activities = new Activities()
    const running = nodeOf('n0', { status: 'running' })
    const told = [
      running,
      running,
      nodeOf('n0'),
      nodeOf('n0', { children: ['n1'] }),
      nodeOf('n0', { jobId: 'run.n0.1' }),
    ]
    expect(told.map((node) => activities.isNews(node))).toEqual([true, false, true, false, true])
  })
})
