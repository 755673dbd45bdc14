import { defineWorkflow, grow, node, Orchestrator, stop } from 'espalier'
import { describe, expect, test } from 'vitest'
import { Feed } from '../../../src/http/feed/feed.ts'
import {
  decodeBlock,
  decodeRecording,
  EVENTS,
  JOB_STATES,
  RUN_STATES,
  RunModel,
} from '../../../src/protocol/index.ts'
import type { PoolCore } from '../../../src/runtime/pool/job-pool.ts'
import { durablePool, FaultyStore, full } from '../../durable/world.ts'

const feedOf = (pool: PoolCore) => new Feed(pool, { title: 'pool', historyBytesMax: 1e6, documents: {} })

async function modelOf(feed: Feed): Promise<RunModel> {
  const model = new RunModel()
  for (const block of decodeRecording(await feed.recording()).blocks) model.apply(decodeBlock(block))
  return model
}

/** What is told of each job, by its id. */
async function livesIn(feed: Feed): Promise<Record<string, string[]>> {
  const model = await modelOf(feed)
  const { header } = feed
  const { events, jobs } = model.tables
  const lives = Array.from({ length: jobs.sequence.length }, (_, row) => ({
    id: model.jobId(row, header.idPrefix),
    told: [] as string[],
  }))
  for (let row = 0; row < events.at.length; row++) {
    const event = EVENTS[events.code.get(row)]
    if (event?.subject !== 'job') continue
    lives[events.subject.get(row)]?.told.push(`${event.name} ${JOB_STATES[events.state.get(row)]}`)
  }
  expect(new Set(lives.map(({ id }) => id)).size).toBe(lives.length)
  return Object.fromEntries(lives.map(({ id, told }) => [id, told]))
}

const RUNNING = [
  'job.submitted queued.blocked',
  'dependencies.met queued.ready',
  'slot.granted running.executing',
  'attempt.started running.executing',
]
const COMPLETED = [...RUNNING, 'attempt.completed completed']

describe('the recording of a pool with a store', () => {
  test('has nothing of what the store refuses, whenever it is asked for', async () => {
    const disk = new FaultyStore()
    const { pool, clock, hands } = durablePool(disk.process().store)
    const feed = feedOf(pool)
    pool.submitJob({ id: 'kept', execute: 'held' })
    await clock.settle()
    disk.onCommit = () => {
      throw full()
    }
    pool.submitJob({ id: 'gone', execute: 'one' })
    pool.submitJob({ execute: 'one' })
    hands.of('kept').resolve()
    await Promise.resolve()
    void feed.cut()
    await clock.settle()
    expect(pool.getStatus()).toMatchObject({ running: 1, completed: 0 })
    expect(await livesIn(feed)).toEqual({ kept: RUNNING })
    disk.onCommit = () => {}
    await clock.advance(60_000)
    expect(await livesIn(feed)).toEqual({ kept: COMPLETED })
    await feed.close()
  })

  test('has each step once when it is asked for before the commit', async () => {
    const { pool, clock } = durablePool(new FaultyStore().process().store)
    const feed = feedOf(pool)
    const first = pool.submitJob({ execute: 'one' })
    void feed.cut()
    pool.submitJob({ id: 'second', execute: 'one', dependencies: [first] })
    await clock.settle()
    expect(await livesIn(feed)).toEqual({ [first.id]: COMPLETED, second: COMPLETED })
    await feed.close()
  })

  test('has the jobs that wait for their commit when it begins, and what they wait for', async () => {
    const { pool, clock } = durablePool(new FaultyStore().process().store)
    const [first] = pool.submitJobs([
      { execute: 'one', dependencies: ['second'] },
      { id: 'second', execute: 'held' },
    ])
    const feed = feedOf(pool)
    await clock.settle()
    expect(await livesIn(feed)).toEqual({
      [first?.id ?? '']: ['job.submitted queued.blocked'],
      second: RUNNING,
    })
    const model = await modelOf(feed)
    const { dependencies } = model.tables
    const ids = [dependencies.job, dependencies.on].map((rows) =>
      Array.from({ length: rows.length }, (_, row) => model.jobId(rows.get(row), feed.header.idPrefix)),
    )
    expect(ids).toEqual([[first?.id], ['second']])
    await feed.close()
  })

  test('has the grant of an attempt whose job is cancelled before it begins, while the store refuses that', async () => {
    const disk = new FaultyStore()
    const { pool, clock } = durablePool(disk.process().store)
    const feed = feedOf(pool)
    disk.onCommit = () => {
      if (disk.commits === 1) throw full()
    }
    const job = pool.submitJob({ id: 'a', execute: 'one' })
    job.subscribe(() => job.status === 'running' && job.cancel())
    await clock.settle()
    expect(await livesIn(feed)).toEqual({ a: RUNNING.slice(0, 3) })
    await feed.close()
  })

  test('has the end of an attempt behind that of its job, which waited for a commit', async () => {
    const { pool, clock, hands } = durablePool(new FaultyStore().process().store, { killGraceMs: 10 })
    const feed = feedOf(pool)
    const job = pool.submitJob({ id: 'deaf', execute: 'held' })
    await clock.settle()
    job.cancel()
    await clock.settle()
    const soon = clock.soon.bind(clock)
    clock.soon = (run) => {
      hands.of('deaf').resolve()
      soon(run)
    }
    await clock.advance(10)
    expect((await livesIn(feed)).deaf?.slice(RUNNING.length)).toEqual([
      'job.cancel running.stopping',
      'deadline.reached cancelled',
      'attempt.ended cancelled',
      'job.ignored cancelled',
    ])
    await feed.close()
  })

  test('has each node of a tree once, though its run is told when it has its roots already', async () => {
    const { pool, clock } = durablePool(new FaultyStore().process().store)
    const feed = feedOf(pool)
    const workflow = defineWorkflow({
      name: 'deep',
      handlers: { one: () => 1 },
      root: () => [node({ handler: 'one' }), node({ handler: 'one' })],
      expand: ({ node: { depth } }) => (depth < 2 ? grow([node({ handler: 'one' })]) : stop()),
    })
    const run = new Orchestrator(workflow, { pool, runId: 'r' }).run()
    await clock.advance(1_000)
    expect((await run).metrics.nodes).toBe(6)
    const { nodes } = (await modelOf(feed)).tables
    const rows = Array.from({ length: nodes.run.length }, (_, row) => nodes.parent.get(row))
    expect(rows).toEqual([0, 0, 1, 2, 3, 4])
    await feed.close()
  })

  test('has the jobs of a run that is taken up after it began', async () => {
    const disk = new FaultyStore()
    const workflow = defineWorkflow({
      name: 'two',
      handlers: { held: () => {}, one: () => 1 },
      root: () => node({ handler: 'one' }),
      expand: ({ node: { depth } }) => (depth === 0 ? grow([node({ handler: 'held' })]) : stop()),
    })
    const before = durablePool(disk.process().store)
    const first = { ...workflow, handlers: { ...workflow.handlers, held: before.hands.handlers.held } }
    const left = new Orchestrator(first, { pool: before.pool, runId: 'r' }).run().catch(() => {})
    for (let turn = 0; turn < 5; turn++) await before.clock.settle()
    expect(before.hands.started).toEqual(['r.n1#1'])
    const shutdown = before.pool.shutdown({ wait: false })
    await before.clock.advance(60_000)
    await shutdown
    await left
    const { pool, clock } = durablePool(disk.process().store)
    const feed = feedOf(pool)
    const again = new Orchestrator(workflow, { pool, runId: 'r' }).run()
    await clock.advance(60_000)
    await again
    expect(await livesIn(feed)).toEqual({ 'r.n0': COMPLETED, 'r.n1': COMPLETED })
    await feed.close()
  })

  test('has the jobs and the tree of a run that had ended when it began, each attempt in a lane of its own', async () => {
    const disk = new FaultyStore()
    const before = durablePool(disk.process().store, { maxParallelJobs: 3 })
    const workflow = defineWorkflow({
      name: 'wide',
      handlers: { held: before.hands.handlers.held as () => unknown },
      root: () => [1, 2, 3].map((input) => node({ handler: 'held', input })),
    })
    const run = new Orchestrator(workflow, { pool: before.pool, runId: 'r' }).run()
    await before.clock.settle()
    for (const id of ['r.n1', 'r.n2', 'r.n0']) {
      await before.clock.advance(100)
      before.hands.of(id).resolve()
    }
    await before.clock.settle()
    await run
    const { pool, clock } = durablePool(disk.process().store)
    const feed = feedOf(pool)
    const again = new Orchestrator(workflow, { pool, runId: 'r' }).run()
    await clock.settle()
    expect(await again).toMatchObject({ status: 'completed' })
    const { attempts, nodes, runs, tables } = await modelOf(feed)
    expect([attempts.slot.get(0), attempts.slot.get(1), attempts.slot.get(2)].toSorted()).toEqual([0, 1, 2])
    expect([tables.nodes.run.length, nodes.state.length]).toEqual([3, 3])
    expect(RUN_STATES[runs.state.get(0)]).toBe('completed')
    await feed.close()
  })
})
