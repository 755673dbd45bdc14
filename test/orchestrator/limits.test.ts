import { type Budget, grow, node, revise, satisfy } from 'espalier'
import { describe, expect, test } from 'vitest'
import { broken, decide, grown, held, started, value } from './harness.ts'

const many = (count: number, prefix = 'c') =>
  Array.from({ length: count }, (_, index) => value(`${prefix}${index}`))

describe('maxNodes', () => {
  test('cuts a decision to what fits, in the order given, and ends the run by limit', async () => {
    const trial = await grown({ limits: { maxNodes: 4 }, expand: decide({ root: grow(many(5)) }) })
    expect(Object.keys(trial.statuses)).toEqual(['root', 'c0', 'c1', 'c2'])
    expect(trial.node('root').decision).toMatchObject({
      type: 'grow',
      nodeIds: ['n1', 'n2', 'n3'],
      cut: [{ by: 'maxNodes', count: 2 }],
      error: undefined,
    })
    expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'limit', error: undefined })
  })

  test('counts the whole tree, ended nodes too', async () => {
    const trial = await grown({
      limits: { maxNodes: 5 },
      expand: decide({ root: grow(many(3)), c0: grow(many(3, 'd')), c1: grow(many(3, 'e')) }),
    })
    expect(Object.keys(trial.statuses)).toEqual(['root', 'c0', 'c1', 'c2', 'd0'])
    expect(trial.node('c1').decision).toMatchObject({ nodeIds: [], cut: [{ by: 'maxNodes', count: 3 }] })
  })

  test('does not count revisions', async () => {
    const trial = await grown({
      limits: { maxNodes: 1 },
      expand: ({ node: { revisions } }) => (revisions < 2 ? revise({}) : undefined),
    })
    expect(trial.outcome).toMatchObject({ reason: 'exhausted', metrics: { nodes: 1, revisions: 2 } })
  })

  test('that is just enough is not reached', async () => {
    const trial = await grown({ limits: { maxNodes: 4 }, expand: decide({ root: grow(many(3)) }) })
    expect(trial.outcome.reason).toBe('exhausted')
  })

  test('cuts roots too', async () => {
    const trial = await grown({ limits: { maxNodes: 2 }, root: () => many(3) })
    expect(trial.outcome).toMatchObject({ reason: 'limit', tree: { rootIds: ['n0', 'n1'] } })
  })

  test('that was reached does not hide that the run was satisfied or failed', async () => {
    const grower = { root: grow(many(3)) }
    const satisfied = await grown({
      limits: { maxNodes: 2 },
      expand: decide({ ...grower, c0: satisfy('gold') }),
    })
    expect(satisfied.outcome).toMatchObject({ status: 'completed', reason: 'satisfied' })
    const failed = await grown({
      limits: { maxNodes: 2 },
      failFast: true,
      expand: decide({ root: grow([broken('c0'), value('c1')]) }),
    })
    expect(failed.outcome).toMatchObject({ status: 'failed', reason: 'failed' })
  })
})

describe('maxChildrenPerNode', () => {
  test('cuts a decision to what fits, in the order given', async () => {
    const trial = await grown({ limits: { maxChildrenPerNode: 2 }, expand: decide({ root: grow(many(5)) }) })
    expect(trial.node('root').children).toEqual(['n1', 'n2'])
    expect(trial.nodes.map(({ key }) => key)).toEqual(['root', 'c0', 'c1'])
    expect(trial.node('root').decision?.cut).toEqual([{ by: 'maxChildrenPerNode', count: 3 }])
    expect(trial.outcome.reason).toBe('exhausted')
  })

  test('is not used up by nodes whose key is taken', async () => {
    const trial = await grown({
      limits: { maxChildrenPerNode: 2 },
      expand: decide({ root: grow([value('root'), value('a'), value('a'), value('b'), value('c')]) }),
    })
    expect(Object.keys(trial.statuses)).toEqual(['root', 'a', 'b'])
    expect(trial.node('root').decision?.cut).toEqual([
      { by: 'duplicateKey', count: 2 },
      { by: 'maxChildrenPerNode', count: 1 },
    ])
  })

  test('is told apart from maxNodes', async () => {
    const trial = await grown({
      limits: { maxChildrenPerNode: 3, maxNodes: 3 },
      expand: decide({ root: grow(many(5)) }),
    })
    expect(trial.node('root').decision).toMatchObject({
      nodeIds: ['n1', 'n2'],
      cut: [
        { by: 'maxChildrenPerNode', count: 2 },
        { by: 'maxNodes', count: 1 },
      ],
    })
  })

  test('that cuts a node others depend on does not cost the nodes that could grow', async () => {
    const specs = [value('a'), value('b', { dependencies: ['cut'] }), value('cut')]
    const trial = await grown({ limits: { maxChildrenPerNode: 2 }, expand: decide({ root: grow(specs) }) })
    expect(trial.statuses).toMatchObject({ root: 'completed', a: 'completed' })
    expect(trial.node('root').decision).toMatchObject({ type: 'grow', error: undefined })
  })
})

describe('maxDepth', () => {
  test('is the depth at which nodes are not grown from', async () => {
    const trial = await grown({
      limits: { maxDepth: 2 },
      expand: ({ node: { depth } }) => grow([value(`d${depth + 1}`), value(`e${depth + 1}`)]),
    })
    expect(Object.keys(trial.statuses)).toEqual(['root', 'd1', 'e1', 'd2', 'e2'])
    expect(Math.max(...trial.nodes.map(({ depth }) => depth))).toBe(2)
    expect(trial.node('d2').decision).toMatchObject({
      type: 'grow',
      nodeIds: [],
      cut: [{ by: 'maxDepth', count: 2 }],
    })
    expect(trial.outcome.reason).toBe('exhausted')
  })

  test('of 0 leaves the roots alone', async () => {
    const trial = await grown({ limits: { maxDepth: 0 }, expand: decide({ root: grow(many(2)) }) })
    expect(Object.keys(trial.statuses)).toEqual(['root'])
  })

  test('does not keep a deepest node from satisfying the run', async () => {
    const trial = await grown({ limits: { maxDepth: 0 }, expand: decide({ root: satisfy('deep') }) })
    expect(trial.outcome).toMatchObject({ reason: 'satisfied', value: 'deep' })
  })
})

describe('maxRevisions', () => {
  test('ends a node that is revised again and again, with the result it has', async () => {
    const trial = await grown({
      limits: { maxRevisions: 2 },
      expand: ({ node: { revisions } }) => revise({ input: revisions + 1 }),
    })
    expect(trial.node('root')).toMatchObject({
      revisions: 2,
      status: 'completed',
      result: { value: 2 },
      decision: { type: 'revise', nodeIds: [], cut: [{ by: 'maxRevisions', count: 1 }] },
    })
    expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'exhausted' })
  })

  test('of 0 revises nothing, and a failed root that may not be revised fails the run', async () => {
    const trial = await grown({
      limits: { maxRevisions: 0 },
      root: () => broken('root'),
      expand: () => revise({}),
    })
    expect(trial.outcome).toMatchObject({ status: 'failed', reason: 'failed', error: { message: 'broken' } })
  })

  test('is three by default', async () => {
    const trial = await grown({ expand: () => revise({}) })
    expect(trial.node('root').revisions).toBe(3)
  })
})

describe('the budget', () => {
  test('tells what the limits still allow, at the moment of asking', async () => {
    const budgets: Record<string, Budget> = {}
    const decisions = decide({ root: grow([value('a'), held('b')]), a: grow([value('c')]) })
    const trial = await started({
      limits: { maxNodes: 10, maxChildrenPerNode: 4, maxDepth: 2, maxRevisions: 1, maxRunMs: 5_000 },
      expand: (request) => {
        budgets[String(request.node.key)] = request.budget
        return decisions(request)
      },
    })
    await trial.clock.advance(1_000)
    await trial.complete('b')
    expect(budgets).toEqual({
      root: { nodes: 9, children: 4, depth: 2, revisions: 1, runMs: 5_000 },
      a: { nodes: 7, children: 4, depth: 1, revisions: 1, runMs: 5_000 },
      c: { nodes: 6, children: 4, depth: 0, revisions: 1, runMs: 5_000 },
      b: { nodes: 6, children: 4, depth: 1, revisions: 1, runMs: 4_000 },
    })
  })

  test('of time has no end when the run has none', async () => {
    let budget: Budget | undefined
    await grown({
      root: () => node({ handler: 'value' }),
      expand: (request) => {
        budget = request.budget
      },
    })
    expect(budget?.runMs).toBe(Number.POSITIVE_INFINITY)
  })
})

test.each([
  { maxNodes: 0 },
  { maxNodes: 1.5 },
  { maxNodes: '5' as never },
  { maxChildrenPerNode: 0 },
  { maxDepth: -1 },
  { maxRevisions: Number.NaN },
  { maxParallelExpands: 0 },
  { expandTimeoutMs: 0 },
  { expandTimeoutMs: Number.POSITIVE_INFINITY },
  { maxRunMs: 0 },
  { maxRunMs: -5 },
])('a limit that makes no sense is refused by name: %o', async (limits) => {
  const option = `limits.${Object.keys(limits)[0]}`
  await expect(grown({ limits })).rejects.toMatchObject({ code: 'ESP_INVALID_OPTION', details: { option } })
})

test('a limit that is undefined has its default', async () => {
  const limits = { maxNodes: undefined, maxDepth: 0 } as never
  const trial = await grown({ limits, expand: decide({ root: grow([value('a')]) }) })
  expect(trial.node('root').decision?.cut).toEqual([{ by: 'maxDepth', count: 1 }])
})
