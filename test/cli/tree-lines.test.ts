import { describe, expect, test } from 'vitest'
import { lineText } from '../../src/cli/line.ts'
import { treeLines } from '../../src/cli/tree-lines.ts'
import { decisionOf, nodeOf, resultOf, treeOf } from './trees.ts'

const draw = (tree: Parameters<typeof treeLines>[0], linesMax = 100, hasDecisions = true) =>
  treeLines(tree, { linesMax, hasDecisions }).map(lineText)

describe('a tree', () => {
  test('shows status, score, duration and decision of each node', () => {
    const cut = [
      { by: 'maxNodes' as const, count: 2 },
      { by: 'duplicateKey' as const, count: 1 },
    ]
    const tree = treeOf(
      nodeOf('n0', {
        result: resultOf(),
        score: 0.7123,
        decision: decisionOf({ type: 'grow', why: 'go on', nodeIds: ['n1', 'n2'], cut }),
      }),
      nodeOf('n1', {
        parentId: 'n0',
        status: 'failed',
        result: resultOf({ error: new Error('no luck') }),
        score: 9,
      }),
      nodeOf('n2', {
        parentId: 'n0',
        status: 'cancelled',
        result: resultOf({ startedAt: undefined, reason: 'satisfied' }),
      }),
      nodeOf('n3', { status: 'pruned' }),
      nodeOf('n4', { status: 'running', score: 3, revisions: 1, decision: decisionOf({ type: 'revise' }) }),
      nodeOf('n5', { status: 'queued' }),
    )
    expect(draw(tree)).toEqual([
      '✓ n0 label of n0  score 0.712  (1.2s)',
      '  → grew 2: go on (cut: 2 by maxNodes, 1 by duplicateKey)',
      '  ✗ n1 label of n1  (1.2s)  failed: no luck',
      '  ○ n2 label of n2  cancelled (satisfied)',
      '× n3 label of n3  pruned',
      '▸ n4 label of n4  revision 1  running',
      '  → revised nothing',
      '· n5 label of n5  queued',
    ])
  })

  test('that is too long keeps what runs and what failed, with its ancestors, and counts the rest', () => {
    const branch = (id: string) => [
      nodeOf(id, { parentId: 'n0', result: resultOf({ endedAt: 100 }) }),
      nodeOf(`${id}.0`, {
        parentId: id,
        status: id === 'b' ? 'failed' : 'completed',
        result: resultOf({ endedAt: 200 }),
      }),
    ]
    const tree = treeOf(
      nodeOf('n0'),
      ...branch('a'),
      ...branch('b'),
      ...branch('c'),
      nodeOf('r', { parentId: 'n0', status: 'running' }),
    )
    expect(draw(tree, 5)).toEqual([
      '✓ n0 label of n0',
      '  ✓ b label of b  (1.2s)',
      '    ✗ b.0 label of b.0  (1.2s)  failed: no reason given',
      '  ▸ r label of r  running',
      '… 4 lines hidden: 4 completed',
    ])
    expect(draw(tree, 3)).toEqual([
      '✓ n0 label of n0',
      '  ▸ r label of r  running',
      '… 6 lines hidden: 1 failed, 5 completed',
    ])
  })

  test('is never longer than asked, whatever its shape', () => {
    const nodes = Array.from({ length: 60 }, (_, index) => {
      const parentId = index % 7 === 0 ? undefined : `n${index - 1 - (index % 3 === 0 ? 0 : (index % 7) - 1)}`
      const status = (['completed', 'failed', 'queued', 'running'] as const)[index % 4] as 'completed'
      return nodeOf(`n${index}`, {
        parentId,
        status,
        decision: decisionOf({ why: index % 2 === 0 ? 'because' : undefined }),
      })
    })
    for (let linesMax = 1; linesMax < 100; linesMax++) {
      for (const hasDecisions of [true, false]) {
        expect(draw(treeOf(...nodes), linesMax, hasDecisions).length).toBeLessThanOrEqual(linesMax)
      }
    }
  })

  test('of any depth is drawn, and indented only so far', () => {
    const nodes = Array.from({ length: 20_000 }, (_, depth) =>
      nodeOf(`n${depth}`, { parentId: depth === 0 ? undefined : `n${depth - 1}` }),
    )
    const lines = draw(treeOf(...nodes), 30_000)
    expect(lines).toHaveLength(20_000)
    expect(lines[13]).toBe(`${' '.repeat(24)}(13) ✓ n13 label of n13`)
  })

  test('of any depth is as quickly cut as a flat one', () => {
    const decision = decisionOf({ type: 'grow', why: 'go on' })
    const flat = Array.from({ length: 5_000 }, (_, index) => nodeOf(`n${index}`, { decision }))
    const deep = flat.map((node, index) => ({ ...node, parentId: index === 0 ? undefined : `n${index - 1}` }))
    const msOf = (nodes: typeof flat) => {
      const tree = treeOf(...nodes)
      const startedAt = performance.now()
      // An odd number of lines is never filled by nodes of two lines each.
      expect(draw(tree, 40).length).toBeLessThanOrEqual(40)
      return performance.now() - startedAt
    }
    msOf(flat)
    expect(msOf(deep)).toBeLessThan(msOf(flat) * 10)
  })
})
