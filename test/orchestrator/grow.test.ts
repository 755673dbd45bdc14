import { grow, node } from 'espalier'
import { describe, expect, test } from 'vitest'
import { broken, decide, grown, held, started, value } from './harness.ts'

describe('a decision to grow', () => {
  test('plants children below the decided node, in the order given', async () => {
    const trial = await grown({ expand: decide({ root: grow([value('a'), value('b')], 'two ways') }) })
    expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'exhausted' })
    expect(trial.outcome.tree.rootIds).toEqual(['n0'])
    expect(trial.node('root')).toMatchObject({
      id: 'n0',
      parentId: undefined,
      depth: 0,
      children: ['n1', 'n2'],
    })
    expect(trial.node('a')).toMatchObject({
      id: 'n1',
      parentId: 'n0',
      depth: 1,
      children: [],
      status: 'completed',
    })
    expect(trial.node('b')).toMatchObject({ id: 'n2', parentId: 'n0', depth: 1 })
    expect(trial.node('root').decision).toEqual({
      type: 'grow',
      why: 'two ways',
      nodeIds: ['n1', 'n2'],
      cut: [],
      error: undefined,
      at: trial.clock.now(),
    })
  })

  test('gives each node its label, or its handler’s name', async () => {
    const specs = [value('a', { label: 'first try' }), value('b')]
    const trial = await grown({ expand: decide({ root: grow(specs) }) })
    expect(trial.nodes.map(({ label }) => label)).toEqual(['value', 'first try', 'value'])
  })

  test('hands each node its own input, of any kind, uncopied', async () => {
    const input = { deep: [1, { two: 2 }] }
    const seen: unknown[] = []
    const trial = await grown({
      handlers: { look: (given: unknown) => void seen.push(given) },
      root: () => [
        node({ handler: 'look', input }),
        node({ handler: 'look', input: null }),
        node({ handler: 'look' }),
      ],
    })
    expect(seen).toEqual([input, null, undefined])
    expect(seen[0]).toBe(input)
    expect(trial.node('n0').input).toBe(input)
  })

  test('names nodes without a key by their id only', async () => {
    const trial = await grown({ expand: decide({ root: grow([node({ handler: 'value' })]) }) })
    expect(trial.node('n1').key).toBeUndefined()
  })

  test('does not grow a second node of the same key, wherever in the tree the first is', async () => {
    const trial = await grown({
      expand: decide({
        root: grow([value('a'), value('a', { label: 'again' }), value('b')]),
        b: grow([value('a'), value('root'), value('c')]),
      }),
    })
    expect(Object.keys(trial.statuses)).toEqual(['root', 'a', 'b', 'c'])
    expect(trial.node('a').label).toBe('value')
    expect(trial.node('root').decision?.cut).toEqual([{ by: 'duplicateKey', count: 1 }])
    expect(trial.node('b').decision).toMatchObject({
      nodeIds: ['n3'],
      cut: [{ by: 'duplicateKey', count: 2 }],
    })
  })

  test('does not plant two roots of the same key', async () => {
    const trial = await grown({ root: () => [value('a'), value('a'), value('b')] })
    expect(trial.nodes.map(({ key }) => key)).toEqual(['a', 'b'])
  })

  test('may grow nothing, which ends the branch', async () => {
    const trial = await grown({ expand: decide({ root: grow([]) }) })
    expect(trial.node('root')).toMatchObject({
      children: [],
      decision: { type: 'grow', nodeIds: [], cut: [] },
    })
    expect(trial.outcome.reason).toBe('exhausted')
  })

  test('may come from an answer that is awaited', async () => {
    const trial = await grown({ expand: async (request) => decide({ root: grow([value('a')]) })(request) })
    expect(trial.statuses).toEqual({ root: 'completed', a: 'completed' })
  })

  test('grows a chain of ten thousand levels without running out of stack', async () => {
    const trial = await grown({
      limits: { maxDepth: 20_000, maxNodes: 10_001 },
      root: () => node({ handler: 'value', input: 0 }),
      expand: ({ node: { depth } }) =>
        depth < 10_000 ? grow([node({ handler: 'value', input: depth })]) : undefined,
    })
    expect(trial.outcome.metrics).toMatchObject({ nodes: 10_001, completed: 10_001 })
    expect(trial.node('n10000').depth).toBe(10_000)
  })
})

describe('the dependencies of a grown node', () => {
  test('make it wait for siblings of the same decision, also for later ones', async () => {
    const trial = await started({
      expand: decide({ root: grow([value('first', { dependencies: ['second'] }), held('second')]) }),
    })
    expect(trial.statuses).toMatchObject({ first: 'queued', second: 'running' })
    await trial.complete('second')
    expect(trial.started).toEqual(['root', 'second', 'first'])
    trial.expectNothingLeft()
  })

  test('name nodes elsewhere in the tree by key or by id', async () => {
    const specs = [value('by-key', { dependencies: ['slow'] }), value('by-id', { dependencies: ['n1'] })]
    const trial = await started({
      expand: decide({ root: grow([held('slow'), value('quick')]), quick: grow(specs) }),
    })
    expect(trial.node('slow').id).toBe('n1')
    expect(trial.statuses).toMatchObject({ 'by-key': 'queued', 'by-id': 'queued' })
    await trial.complete('slow')
    expect(trial.statuses).toMatchObject({ 'by-key': 'completed', 'by-id': 'completed' })
  })

  test('are all waited for', async () => {
    const trial = await started({
      root: () => [held('a'), held('b'), value('c', { dependencies: ['a', 'b', 'a'] })],
    })
    await trial.complete('a')
    expect(trial.statuses.c).toBe('queued')
    await trial.complete('b')
    expect(trial.expectNothingLeft().tree.nodes.n2).toMatchObject({ key: 'c', status: 'completed' })
  })

  test('that fail cancel it, without asking about it', async () => {
    const trial = await grown({
      expand: decide({ root: grow([broken('a'), value('b', { dependencies: ['a'] }), value('c')]) }),
    })
    expect(trial.statuses).toEqual({ root: 'completed', a: 'failed', b: 'cancelled', c: 'completed' })
    expect(trial.node('b').result).toMatchObject({ reason: 'dependency', causedBy: 'run.n1' })
    expect(trial.decided).toEqual(['root', 'a', 'c'])
    expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'exhausted' })
  })

  test('that are unknown, itself or a circle refuse the whole decision', async () => {
    const faults = {
      ESP_DEPENDENCY_UNKNOWN: [value('a'), value('b', { dependencies: ['nobody'] })],
      ESP_DEPENDENCY_SELF: [value('a'), value('b', { dependencies: ['b'] })],
      ESP_DEPENDENCY_CYCLE: [value('a', { dependencies: ['b'] }), value('b', { dependencies: ['a'] })],
    }
    for (const [code, specs] of Object.entries(faults)) {
      const trial = await grown({ expand: decide({ root: grow(specs) }) })
      expect(Object.keys(trial.statuses)).toEqual(['root'])
      expect(trial.node('root').decision).toMatchObject({ type: 'stop', nodeIds: [], error: { code } })
      expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'exhausted' })
    }
  })
})

describe('the results of a node', () => {
  test('reach its children by node id, with those of its own dependencies', async () => {
    const seen: unknown[] = []
    const trial = await grown({
      handlers: { look: (_: unknown, { parentResults }) => void seen.push({ ...parentResults }) },
      expand: decide({
        root: grow([value('a'), value('b')]),
        b: grow([node({ handler: 'look' }), node({ handler: 'look', dependencies: ['a', 'root'] })]),
      }),
    })
    expect(trial.node('b').id).toBe('n2')
    expect(seen).toEqual([{ n2: 'b' }, { n2: 'b', n1: 'a', n0: 'root' }])
  })

  test('reach them also when the pool has forgotten the jobs', async () => {
    const seen: unknown[] = []
    await grown(
      {
        handlers: { look: (_: unknown, { parentResults }) => void seen.push({ ...parentResults }) },
        expand: decide({
          root: grow([value('a'), value('b', { dependencies: ['a'] })]),
          b: async () => grow([node({ handler: 'look', dependencies: ['a'] })]),
        }),
      },
      { keep: 0 },
    )
    expect(seen).toEqual([{ n1: 'a', n2: 'b' }])
  })
})

describe('the score of a node', () => {
  test('is its own, or else its parent’s', async () => {
    const trial = await grown({
      root: () => value('root', { score: 3 }),
      expand: decide({
        root: grow([value('heir'), value('own', { score: 7 })]),
        heir: grow([value('grandchild')]),
      }),
    })
    const scores = Object.fromEntries(trial.nodes.map(({ key, score }) => [key, score]))
    expect(scores).toEqual({ root: 3, heir: 3, own: 7, grandchild: 3 })
  })

  test('is set by a decision, and inherited as set', async () => {
    const trial = await grown({
      root: () => value('root', { score: 3 }),
      expand: decide({ root: grow([value('a')], { score: 0.5, why: 'poor' }) }),
    })
    expect(trial.nodes.map(({ score }) => score)).toEqual([0.5, 0.5])
    expect(trial.node('root').decision?.why).toBe('poor')
  })
})
