import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineWorkflow, grow, JobPool, node, Orchestrator, runWorkflow } from 'espalier'
import { SimulatedClock } from 'espalier/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { RecordingLogger } from '../runtime/harness.ts'
import { durablePool, expectFolded, FaultyStore, full } from './world.ts'

describe('a durable pool that is shut down before its jobs have ended', () => {
  test('leaves them in the store, and the next pool goes on', async () => {
    const disk = new FaultyStore()
    const first = durablePool(disk.process().store, { maxParallelJobs: 1, maxRetries: 0 })
    const running = first.pool.submitJob({ id: 'a', execute: 'held' })
    const waiting = first.pool.submitJob({ id: 'b', execute: 'held', dependencies: ['a'] })
    first.pool.submitJob({ id: 'c', execute: 'one', delayMs: 5_000 })
    await first.clock.settle()
    const closed = first.pool.shutdown({ wait: false })
    expect(first.hands.of('a').context.signal.aborted).toBe(true)
    first.hands.of('a').reject(first.hands.of('a').context.signal.reason)
    await first.clock.settle()
    await closed
    const left = { status: 'cancelled', cancelledBy: 'shutdown', reason: 'left in the store' }
    await expect(Promise.all([running.result(), waiting.result()])).resolves.toMatchObject([left, left])
    expect(Array.from(disk.store.jobs(undefined), ({ id, state, lost }) => [id, state, lost])).toEqual([
      ['a', 'queued.ready', 1],
      ['b', 'queued.blocked', 0],
      ['c', 'queued.delayed', 0],
    ])
    const second = durablePool(disk.process().store, { clock: first.clock })
    await second.clock.settle()
    expect(second.hands.started).toEqual(['a#2'])
    second.hands.of('a').resolve(1)
    await second.clock.advance(5_000)
    second.hands.of('b').resolve(2)
    await second.clock.settle()
    expect(second.pool.getStatus()).toMatchObject({ completed: 3, queued: 0, running: 0 })
    expectFolded(disk.store)
  })

  test('takes the end of what completes within its grace, and leaves what ignores its signal', async () => {
    const disk = new FaultyStore()
    const { pool, clock, hands } = durablePool(disk.process().store, { killGraceMs: 500 })
    const done = pool.submitJob({ id: 'a', execute: 'held' })
    pool.submitJob({ id: 'b', execute: 'held' })
    await clock.settle()
    const closed = pool.shutdown({ wait: false })
    hands.of('a').resolve(3)
    await clock.advance(600)
    await closed
    await expect(done.value()).resolves.toBe(3)
    expect(disk.store.job('b')).toMatchObject({ state: 'queued.ready', attempt: 1, lost: 1 })
    hands.of('b').resolve(4)
    await clock.settle()
    expect(disk.store.job('b')?.end).toBeUndefined()
    expectFolded(disk.store)
  })

  test('asks all that runs to end, also what began while another end waited for its commit, which was refused', async () => {
    const disk = new FaultyStore()
    const { pool, clock, hands } = durablePool(disk.process().store, { maxParallelJobs: 2 })
    disk.onCommit = () => {
      if (disk.commits === 1) throw full()
    }
    pool.submitJobs([
      { id: 'a', execute: 'one' },
      { id: 'b', execute: 'held' },
    ])
    await clock.settle()
    expect([pool.job('a')?.status, pool.getStatus().runningJobIds]).toEqual(['running', ['a', 'b']])
    const closed = pool.shutdown({ wait: false })
    expect(hands.of('b').context.signal.aborted).toBe(true)
    await clock.advance(60_000)
    await closed
  })

  test('asks all that runs to end, also beside a job that was cancelled before it began again, which was refused', async () => {
    const disk = new FaultyStore()
    const { pool, clock, hands } = durablePool(disk.process().store, { maxParallelJobs: 2 })
    const again = { maxRetries: 1, backoff: { type: 'fixed', delayMs: 100 } } as const
    pool.submitJob({ id: 'c', execute: 'held' })
    pool.submitJob({ id: 'a', execute: 'held', ...again })
    await clock.settle()
    hands.of('a').reject(new Error('once more'))
    await clock.settle()
    pool.submitJob({ id: 'b', execute: 'held' })
    await clock.settle()
    await clock.advance(100)
    expect([pool.job('a')?.status, pool.getStatus().runningJobIds]).toEqual(['queued', ['c', 'b']])
    pool.on('job.completed', () => {
      disk.onCommit = () => {
        throw full()
      }
      pool.cancelJob('a')
    })
    hands.of('c').resolve()
    await clock.settle()
    expect([pool.job('a')?.status, pool.getStatus().runningJobIds]).toEqual(['running', ['b']])
    disk.onCommit = () => {}
    const closed = pool.shutdown({ wait: false })
    expect(hands.of('b').context.signal.aborted).toBe(true)
    await clock.advance(60_000)
    await closed
    expectFolded(disk.store)
  })

  test('lets the process end while its store refuses everything: nothing is waited for any more', async () => {
    const disk = new FaultyStore()
    const { pool, clock } = durablePool(disk.process().store, { killGraceMs: 500, pressure: {} })
    pool.submitJob({ id: 'a', execute: 'held' })
    await clock.settle()
    disk.onCommit = () => {
      throw full()
    }
    const closed = pool.shutdown({ wait: false })
    await clock.advance(600)
    await closed
    await clock.settle()
    expect(clock.wishes).toBe(0)
    expect(disk.store.job('a')?.state).toBe('running.executing')
  })

  test('cancels them for good when it is told to leave nothing', async () => {
    const disk = new FaultyStore()
    const { pool, clock } = durablePool(disk.process().store)
    pool.submitJob({ id: 'a', execute: 'one', delayMs: 60_000 })
    await clock.settle()
    const closed = pool.shutdown({ wait: false, leave: false })
    await clock.settle()
    await closed
    expect(disk.store.job('a')).toMatchObject({ state: 'cancelled', end: { cancelledBy: 'shutdown' } })
  })

  test('waits for them first, as long as it is told', async () => {
    const disk = new FaultyStore()
    const { pool, clock, hands } = durablePool(disk.process().store, { maxParallelJobs: 1 })
    for (const id of ['a', 'b', 'c']) pool.submitJob({ id, execute: 'held' })
    await clock.settle()
    const closed = pool.shutdown({ timeoutMs: 10_000 })
    hands.of('a').resolve()
    await clock.advance(10_000)
    hands.of('b').resolve()
    await clock.settle()
    await closed
    expect(hands.started).toEqual(['a#1', 'b#1'])
    expect(Array.from(disk.store.jobs(undefined), ({ state }) => state)).toEqual([
      'completed',
      'completed',
      'queued.ready',
    ])
  })

  test('ends in bounded time where its store refuses everything', async () => {
    const disk = new FaultyStore()
    const { pool, clock } = durablePool(disk.process().store, { killGraceMs: 500 })
    pool.submitJob({ id: 'a', execute: 'held' })
    await clock.settle()
    disk.onCommit = () => {
      throw full()
    }
    const closed = pool.shutdown({ timeoutMs: 1_000 })
    await clock.advance(2_000)
    await closed
    expect(disk.store.job('a')?.state).toBe('running.executing')
  })

  test('lets go of whoever waits for all', async () => {
    const { pool, clock } = durablePool(new FaultyStore().process().store)
    pool.pause()
    pool.submitJob({ id: 'a', execute: 'one', delayMs: 60_000 })
    const all = pool.waitForAll()
    await clock.settle()
    const closed = pool.shutdown({ wait: false })
    await clock.advance(0)
    await closed
    await expect(all).resolves.toEqual(new Map())
  })

  test('leaves a run where it is: what it was about to decide is asked again', async () => {
    const disk = new FaultyStore()
    const asked: string[] = []
    const workflow = (handlers: Record<string, () => unknown>) =>
      defineWorkflow({
        name: 'w',
        handlers,
        root: () => node({ handler: 'held' }),
        expand: ({ node: { id } }) => {
          asked.push(id)
          return id === 'n0' ? grow([node({ handler: 'held' })]) : undefined
        },
      })
    const first = durablePool(disk.process().store)
    const run = new Orchestrator(workflow(first.hands.handlers), { pool: first.pool, runId: 'r' }).run()
    const rejected = expect(run).rejects.toMatchObject({ code: 'ESP_POOL_CLOSED' })
    await first.clock.settle()
    const closed = first.pool.shutdown()
    first.hands.of('r.n0').resolve(1)
    await first.clock.settle()
    await Promise.all([rejected, closed])
    expect([disk.store.run('r')?.status, [...disk.store.nodes('r')].length, asked]).toEqual([
      'running',
      1,
      ['n0'],
    ])
    const { pool, hands, clock } = durablePool(disk.process().store)
    const again = new Orchestrator(workflow(hands.handlers), { pool, runId: 'r' }).run()
    await clock.settle()
    hands.of('r.n1').resolve(2)
    await expect(again).resolves.toMatchObject({ status: 'completed' })
    expect(asked).toEqual(['n0', 'n0', 'n1'])
    expectFolded(disk.store)
  })

  test.each([
    [true, { code: 'ESP_POOL_CLOSED' }, 'running'],
    [false, { status: 'cancelled' }, 'cancelled'],
  ])('lets go of a run that is being decided about: leave %s', async (leave, expected, stored) => {
    const disk = new FaultyStore()
    const { pool, hands, clock } = durablePool(disk.process().store)
    const answer = Promise.withResolvers<undefined>()
    const workflow = defineWorkflow({
      name: 'w',
      handlers: hands.handlers,
      root: () => node({ handler: 'one' }),
      expand: () => answer.promise,
    })
    const ended = new Orchestrator(workflow, { pool, runId: 'r' }).run().catch((error) => error)
    await clock.settle()
    const closed = pool.shutdown({ leave })
    await clock.settle()
    await closed
    answer.resolve(undefined)
    await expect(ended).resolves.toMatchObject(expected)
    expect(disk.store.run('r')?.status).toBe(stored)
    expectFolded(disk.store)
  })
})

describe('a pool that was given the path of its store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-leaving-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const handlers = { one: () => 1 }

  test('says after its shutdown that it is closed, and knows no job of the store any more', async () => {
    const pool = new JobPool({ store: join(folder, 'closed.db'), handlers })
    await pool.submitJob({ id: 'a', execute: 'one' }).value()
    await pool.shutdown()
    const root = () => node({ handler: 'one' })
    const workflow = defineWorkflow({ name: 'late', handlers, root })
    await expect(runWorkflow(workflow, { pool })).rejects.toMatchObject({ code: 'ESP_POOL_CLOSED' })
    const unknown = { code: 'ESP_UNKNOWN_JOB' }
    expect(() => pool.explain('zzz')).toThrow(expect.objectContaining(unknown))
    await expect(pool.waitForJob('zzz')).rejects.toMatchObject(unknown)
    expect(pool.job('zzz')).toBeUndefined()
    expect((await pool.waitForJob('a')).value).toBe(1)
  })

  test('and does not start leaves nothing alive', async () => {
    const store = join(folder, 'ghost.db')
    const first = new JobPool({ store, handlers, limits: { gpu: 1 } })
    first.pause()
    first.submitJob({ id: 'later', execute: 'one', delayMs: 50 })
    first.submitJob({ id: 'gpu', execute: 'one', resources: { gpu: 1 } })
    await first.shutdown({ wait: false })
    const clock = new SimulatedClock(Date.now() + 60_000)
    const logger = new RecordingLogger()
    expect(() => new JobPool({ store, handlers, clock, logger })).toThrow(
      expect.objectContaining({ name: 'EspalierError' }),
    )
    await clock.advance(120_000)
    expect(logger.at('error')).toEqual([])
    const next = new JobPool({ store, handlers, limits: { gpu: 1 } })
    await next.waitForAll()
    expect(next.getStatus()).toMatchObject({ completed: 2 })
    await next.shutdown()
  })
})
