import {
  grow,
  type HandlerContext,
  node,
  Orchestrator,
  type RunStreamEvent,
  stop,
  type TreeNode,
} from 'espalier'
import { describe, expect, test } from 'vitest'
import { createAnswer, decide, grown, held, nameOf, started, Trial, value } from './harness.ts'

/** An event in a few words. */
const brief = (event: RunStreamEvent): string => {
  switch (event.type) {
    case 'run.started':
    case 'run.ended':
      return event.type
    case 'node.progress':
      return `${event.type} ${event.nodeId} ${event.fraction}`
    case 'node.decided':
      return `${event.type} ${nameOf(event.node)} ${event.decision.type}`
    default:
      return `${event.type} ${nameOf(event.node)} ${event.node.status}`
  }
}

describe('the events of a run', () => {
  const story = [
    'run.started',
    'node.added root queued',
    'node.changed root running',
    'node.changed root completed',
    'node.added a queued',
    'node.changed root completed',
    'node.decided root grow',
    'node.changed a running',
    'node.changed a completed',
    'node.decided a stop',
    'run.ended',
  ]

  test('tell the whole story in its order, when `expand` answers at once', async () => {
    const trial = await grown({ expand: decide({ root: grow([value('a')]), a: stop() }) })
    expect(trial.events.map(brief)).toEqual(story)
  })

  test('tell the same story when `expand` answers later: no node starts before its decision is told', async () => {
    const expand = decide({ root: grow([value('a')]), a: stop() })
    const trial = await grown({ expand: async (request) => expand(request) })
    expect(trial.events.map(brief)).toEqual(story)
  })

  test('let a child that is asked about find its parent decided', async () => {
    for (const isLate of [false, true]) {
      const seen: unknown[] = []
      const decisions = decide({
        root: grow([value('a')], 'two'),
        a: ({ tree }) => void seen.push(tree.nodes.n0?.decision?.why),
      })
      await grown({ expand: isLate ? async (request) => decisions(request) : decisions })
      expect(seen).toEqual(['two'])
    }
  })

  test('carry the run’s id and the time', async () => {
    const trial = await started({ root: () => held('root') })
    const startedAt = trial.clock.now()
    await trial.clock.advance(250)
    await trial.complete('root')
    trial.expectNothingLeft()
    expect(trial.events.every(({ runId }) => runId === 'run')).toBe(true)
    const at = Object.fromEntries(trial.events.map((event) => [brief(event), event.at - startedAt]))
    expect(at).toEqual({
      'run.started': 0,
      'node.added root queued': 0,
      'node.changed root running': 0,
      'node.changed root completed': 250,
      'node.decided root stop': 250,
      'run.ended': 250,
    })
  })

  test('tell the progress of a node while it runs, and not after', async () => {
    let context: HandlerContext | undefined
    const trial = await started({
      handlers: {
        work: (_: unknown, given: HandlerContext) => {
          context = given
          given.progress(0.5, 'half')
          return gate.promise
        },
      },
      root: () => node({ handler: 'work' }),
    })
    expect(trial.events.map(brief)).toEqual([
      'run.started',
      'node.added n0 queued',
      'node.changed n0 running',
      'node.progress n0 0.5',
    ])
    expect(trial.events.at(-1)).toMatchObject({ nodeId: 'n0', fraction: 0.5, note: 'half' })
    gate.resolve()
    await trial.settle()
    context?.progress(0.9)
    expect(trial.events.filter(({ type }) => type === 'node.progress')).toHaveLength(1)
    trial.expectNothingLeft()
  })
  const gate = createAnswer<void>()

  test('carry the decision and the node as decided', async () => {
    const trial = await grown({ expand: decide({ root: stop({ why: 'poor', score: 2 }) }) })
    const event = trial.events.find(({ type }) => type === 'node.decided')
    expect(event).toMatchObject({ node: { id: 'n0', score: 2 }, decision: { type: 'stop', why: 'poor' } })
    expect((event as { node: TreeNode }).node).toBe(trial.node('root'))
    expect((event as { decision: unknown }).decision).toBe(trial.node('root').decision)
  })

  test('end with the outcome itself', async () => {
    const trial = await grown({})
    expect(trial.events.at(-1)).toMatchObject({ type: 'run.ended', outcome: { runId: 'run' } })
    expect((trial.events.at(-1) as { outcome: unknown }).outcome).toBe(trial.outcome)
  })

  test('come one type at a time, or all, until the listener is taken away', async () => {
    const trial = new Trial({ root: () => [value('a'), value('b')] })
    const added: string[] = []
    const withdraw = trial.orchestrator.on('node.added', ({ node }) => {
      added.push(nameOf(node))
      withdraw()
    })
    await trial.start()
    expect(added).toEqual(['a'])
  })

  test('reach all listeners when one throws, and the fault is logged', async () => {
    const trial = new Trial({})
    const told: string[] = []
    trial.orchestrator.on('node.added', () => {
      throw new Error('bad listener')
    })
    trial.orchestrator.on('node.added', ({ node }) => told.push(node.id))
    await trial.start()
    expect(trial.expectNothingLeft().status).toBe('completed')
    expect(told).toEqual(['n0'])
    expect(trial.logger.at('error')).toEqual([expect.stringContaining('node.added')])
  })

  test('replayed, give the tree', async () => {
    const trial = await grown({
      expand: decide({ root: grow([value('a'), value('b')], { score: 1 }), a: grow([value('c')]) }),
    })
    const nodes: Record<string, TreeNode> = {}
    for (const event of trial.events) if ('node' in event) nodes[event.node.id] = event.node
    expect(nodes).toEqual({ ...trial.outcome.tree.nodes })
  })
})

describe('a node that somebody holds', () => {
  test('is a picture of its moment, and never changes', async () => {
    const trial = new Trial({ expand: decide({ root: grow([held('a')]) }) })
    const pictures = new Map<TreeNode, string>()
    trial.orchestrator.on('*', (event) => {
      if ('node' in event) pictures.set(event.node, JSON.stringify(event.node))
    })
    await trial.start()
    const before = trial.node('a')
    expect(before.status).toBe('running')
    await trial.complete('a')
    trial.expectNothingLeft()
    expect(before).toMatchObject({ status: 'running', result: undefined, decision: undefined })
    expect(trial.node('a')).not.toBe(before)
    for (const [node, picture] of pictures) expect(JSON.stringify(node)).toBe(picture)
    expect(pictures.size).toBeGreaterThan(6)
  })
})

describe('the tree of an orchestrator', () => {
  test('is empty before the run, live while it grows, and that of the outcome after', async () => {
    const trial = new Trial({ expand: decide({ root: grow([held('a')]) }) })
    const { tree } = trial.orchestrator
    expect(tree).toEqual({ rootIds: [], nodes: {} })
    await trial.start()
    expect(tree.rootIds).toEqual(['n0'])
    expect(tree.nodes.n1?.status).toBe('running')
    await trial.complete('a')
    expect(tree.nodes.n1?.status).toBe('completed')
    expect(trial.expectNothingLeft().tree).toEqual(tree)
  })

  test('is live for an `expand` that awaits', async () => {
    const gate = createAnswer<void>()
    const seen: unknown[] = []
    const trial = await started({
      root: () => [value('a'), held('b')],
      expand: decide({
        a: async ({ tree, node }) => {
          await gate.promise
          seen.push(node.status, tree.nodes.n1?.status)
        },
      }),
    })
    await trial.complete('b')
    gate.resolve()
    await trial.settle()
    expect(seen).toEqual(['completed', 'completed'])
    trial.expectNothingLeft()
  })
})

describe('the actor of an orchestrator', () => {
  test('can be watched as any XState actor', async () => {
    const trial = new Trial({ root: () => held('root') })
    const { actor } = trial.orchestrator
    const values: string[] = []
    actor.subscribe(({ value }) => values.push(JSON.stringify(value)))
    expect(actor.getSnapshot().value).toBe('queued')
    await trial.start()
    expect(actor.getSnapshot().matches({ running: 'growing' })).toBe(true)
    expect(actor.getSnapshot().context.tree).toMatchObject({ nodes: 1, jobs: 1, decisions: 0 })
    await trial.complete('root')
    expect(actor.getSnapshot()).toMatchObject({
      status: 'done',
      output: { status: 'completed', reason: 'exhausted' },
    })
    expect(new Set(values)).toEqual(new Set(['{"running":"growing"}', '"completed"']))
  })

  test('lives in the pool’s system, and is inspected with it', async () => {
    const seen = new Set<string>()
    const trial = new Trial(
      {},
      {
        inspect: (event) => {
          if (event.type === '@xstate.snapshot' && event.actorRef === trial.orchestrator.actor)
            seen.add(event.event.type)
        },
      },
    )
    await trial.start()
    expect([...seen]).toEqual(expect.arrayContaining(['run.start', 'tree.changed']))
    expect(trial.orchestrator.actor.system).toBe(trial.pool.actor.system)
  })

  test('has a context of counts only, as JSON, whatever the size of the tree', async () => {
    const trial = await grown({ root: () => Array.from({ length: 50 }, (_, index) => value(`r${index}`)) })
    const { context } = trial.orchestrator.actor.getSnapshot()
    expect(JSON.parse(JSON.stringify(context))).toEqual({
      maxRunMs: 0,
      tree: { nodes: 50, jobs: 0, decisions: 0, isCut: false },
      deadlineAt: 0,
      reason: 'exhausted',
    })
  })

  test('takes a cancel as an event too', async () => {
    const trial = await started({ root: () => node({ handler: 'obeying' }) })
    trial.orchestrator.actor.send({ type: 'run.cancel', at: trial.clock.now() })
    await trial.settle()
    expect(trial.expectNothingLeft()).toMatchObject({ status: 'cancelled', reason: 'cancelled' })
  })
})

test('two orchestrators of one pool tell their own events only', async () => {
  const trial = new Trial({ root: () => held('root') })
  const workflow = { name: 'w', handlers: { h: () => 1 }, root: () => node({ handler: 'h', key: 'other' }) }
  const other = new Orchestrator(workflow, { pool: trial.pool, runId: 'other' })
  const events: RunStreamEvent[] = []
  other.on('*', (event) => events.push(event))
  await trial.start()
  await other.run()
  await trial.complete('root')
  expect(new Set(events.map(({ runId }) => runId))).toEqual(new Set(['other']))
  expect(new Set(trial.events.map(({ runId }) => runId))).toEqual(new Set(['run']))
  trial.expectNothingLeft()
})
