import { defineWorkflow, type JobPoolOptions, node, Orchestrator, verifyStore } from 'espalier'
import { SimulatedClock } from 'espalier/testing'
import { describe, expect, test } from 'vitest'
import { durablePool, expectFolded, FaultyStore } from './world.ts'

/** Lets a pool work on a disk, then ends its process; `again` starts the next one, `laterMs` after. */
function processes(options: JobPoolOptions = {}) {
  const disk = new FaultyStore()
  const start = (now: number, more: JobPoolOptions = {}) => {
    const process = disk.process()
    return {
      ...durablePool(process.store, { ...options, clock: new SimulatedClock(now), ...more }),
      die: process.die,
    }
  }
  return { disk, start }
}

describe('after its process has died', () => {
  test('what was queued is started, in the order of priority and submission', async () => {
    const { disk, start } = processes({ maxParallelJobs: 1 })
    const first = start(1_000)
    for (const [id, priority] of [['a'], ['b', 'low'], ['c', 'high'], ['d']] as const)
      first.pool.submitJob({ id, execute: 'held', args: [id], ...(priority && { priority }) })
    await first.clock.settle()
    first.hands.of('a').resolve()
    await first.clock.settle()
    first.die()
    const second = start(2_000)
    await second.clock.settle()
    expect(second.hands.started).toEqual(['c#2'])
    for (const id of ['c', 'd', 'b']) {
      second.hands.of(id).resolve()
      await second.clock.settle()
    }
    expect(second.hands.started).toEqual(['c#2', 'd#1', 'b#1'])
    expect(second.hands.of('d').args).toEqual(['d'])
    expect(second.pool.getStatus()).toMatchObject({ completed: 3, running: 0, queued: 0 })
    expectFolded(disk.store)
  })

  test('a job of its own that names a tree is taken up as others that stand alone, also beside a run of that name', async () => {
    const { disk, start } = processes({ maxParallelJobs: 1 })
    const first = start(1_000)
    const { pool } = first
    const workflow = defineWorkflow({
      name: 'w',
      handlers: { held: first.hands.handlers.held },
      root: () => node({ handler: 'held' }),
    })
    void new Orchestrator(workflow, { pool, runId: 'run' }).run().catch(() => {})
    await first.clock.settle()
    pool.submitJob({ id: 'note', execute: 'held', nodeId: 'n0', treeId: 'run' })
    pool.submitJob({ id: 'other', execute: 'held', treeId: 'no-run' })
    await first.clock.settle()
    first.die()
    expectFolded(disk.store)
    expect(disk.store.row('note')).toMatchObject({ runId: undefined, submitted: { treeId: 'run' } })
    const second = start(2_000)
    await second.clock.settle()
    expect(second.pool.job('note')).toMatchObject({ nodeId: 'n0', treeId: 'run' })
    for (const id of ['note', 'other']) {
      second.hands.of(id).resolve(id)
      await second.clock.settle()
      expect(await second.pool.waitForJob(id)).toMatchObject({ status: 'completed', value: id })
    }
    expectFolded(disk.store)
  })

  test('nothing starts before all are taken up, and what starts then is not taken for lost', async () => {
    const { start } = processes({ maxParallelJobs: 1 })
    const first = start(1_000)
    first.pool.pause()
    first.pool.submitJob({ id: 'low', execute: 'held', priority: 'low' })
    first.pool.submitJob({ id: 'high', execute: 'held', priority: 'high' })
    await first.clock.settle()
    first.die()
    const second = start(2_000)
    await second.clock.settle()
    expect(second.hands.started).toEqual(['high#1'])
    expect(second.pool.getStatus()).toMatchObject({ running: 1, queued: 1 })
  })

  test('an ended job that is looked up leaves its dedupe key to the job that has it now', async () => {
    const { start } = processes()
    const first = start(1_000)
    first.pool.submitJob({ id: 'old', execute: 'one', dedupeKey: 'nightly' })
    await first.clock.settle()
    first.die()
    const second = start(2_000)
    const current = second.pool.submitJob({ id: 'new', execute: 'held', dedupeKey: 'nightly' })
    await second.clock.settle()
    expect(second.pool.job('old')?.status).toBe('completed')
    expect(second.pool.submitJob({ execute: 'held', dedupeKey: 'nightly' }).id).toBe(current.id)
  })

  test('attempts that ran are lost, counted apart from retries, and the job goes on', async () => {
    const { disk, start } = processes({ maxRetries: 0, maxLost: 2 })
    const first = start(1_000)
    first.pool.submitJob({ id: 'a', execute: 'held' })
    await first.clock.settle()
    first.die()
    const second = start(2_000)
    await second.clock.settle()
    expect(second.hands.started).toEqual(['a#2'])
    expect(disk.store.job('a')).toMatchObject({ state: 'running.executing', attempt: 2, lost: 1 })
    second.hands.of('a').resolve('done')
    await second.clock.settle()
    await expect(second.pool.waitForJob('a')).resolves.toMatchObject({ value: 'done', attempts: 2 })
    expectFolded(disk.store)
  })

  test('a job that takes its process with it each time ends as lost, and others go on', async () => {
    const { disk, start } = processes({ maxLost: 3 })
    let process = start(1_000)
    process.pool.submitJob({ id: 'poison', execute: 'held' })
    process.pool.submitJob({ id: 'after', execute: 'one', dependencies: ['poison'] })
    process.pool.submitJob({ id: 'other', execute: 'held' })
    let deaths = 0
    for (; disk.store.job('poison')?.end === undefined && deaths < 10; deaths++) {
      await process.clock.settle()
      process.die()
      process = start(2_000 + deaths)
      await process.clock.settle()
    }
    expect(deaths).toBe(4)
    await expect(process.pool.waitForJob('poison')).resolves.toMatchObject({
      status: 'failed',
      reason: 'lost',
      attempts: 4,
      error: { code: 'ESP_ATTEMPT_LOST' },
    })
    expect(disk.store.job('after')).toMatchObject({ state: 'cancelled', end: { causedBy: 'poison' } })
    expectFolded(disk.store)
  })

  test('a death during recovery costs nothing, however often', async () => {
    const { disk, start } = processes({ maxLost: 1 })
    const first = start(1_000)
    first.pool.submitJob({ id: 'a', execute: 'held' })
    await first.clock.settle()
    first.die()
    for (let death = 0; death < 5; death++) start(2_000).die()
    expect(disk.store.job('a')).toMatchObject({ attempt: 1, lost: 0 })
    const last = start(3_000)
    await last.clock.settle()
    expect(disk.store.job('a')).toMatchObject({ attempt: 2, lost: 1 })
  })

  test('delays, backoffs and timeouts go on, never early', async () => {
    const { start, disk } = processes({ maxRetries: 1, timeoutMs: 10_000, killGraceMs: 0 })
    const first = start(0)
    first.pool.submitJob({ id: 'delayed', execute: 'held', delayMs: 5_000 })
    first.pool.submitJob({ id: 'failing', execute: 'bad', backoff: { type: 'fixed', delayMs: 4_000 } })
    await first.clock.settle()
    first.die()
    const second = start(3_000)
    await second.clock.settle()
    expect(second.hands.started).toEqual([])
    await second.clock.advance(999)
    expect(disk.store.job('failing')?.attempt).toBe(1)
    await second.clock.advance(1)
    expect(disk.store.job('failing')).toMatchObject({ state: 'failed', attempt: 2 })
    await second.clock.advance(999)
    expect(second.hands.started).toEqual([])
    await second.clock.advance(1)
    expect(second.hands.started).toEqual(['delayed#1'])
    await second.clock.advance(9_999)
    expect(disk.store.job('delayed')?.state).toBe('running.executing')
    await second.clock.advance(1)
    expect(disk.store.job('delayed')).toMatchObject({ state: 'failed', end: { reason: 'timeout' } })
  })

  test('what was due while nobody ran happens at once, and no more often', async () => {
    const { start, disk } = processes()
    const first = start(0)
    first.pool.submitJob({ id: 'a', execute: 'held', delayMs: 1_000 })
    await first.clock.settle()
    first.die()
    const eightHours = 8 * 3_600_000
    const second = start(eightHours)
    await second.clock.advance(0)
    expect(second.hands.started).toEqual(['a#1'])
    expect(disk.store.job('a')?.startedAt).toBe(eightHours)
  })

  test('a clock that was set back starts nothing early', async () => {
    const { start } = processes()
    const hour = 3_600_000
    const first = start(hour)
    first.pool.submitJob({ id: 'a', execute: 'held', delayMs: 1_000 })
    await first.clock.settle()
    first.die()
    const second = start(0)
    await second.clock.advance(hour)
    expect(second.hands.started).toEqual([])
    await second.clock.advance(1_000)
    expect(second.hands.started).toEqual(['a#1'])
  })

  test('a cancelled job does not start again, also when it was stopping', async () => {
    const { start, disk } = processes()
    const first = start(1_000)
    const job = first.pool.submitJob({ id: 'a', execute: 'held' })
    await first.clock.settle()
    job.cancel('enough')
    await first.clock.settle()
    expect(disk.store.job('a')?.state).toBe('running.stopping')
    first.die()
    const second = start(2_000)
    await second.clock.settle()
    expect(second.hands.started).toEqual([])
    await expect(second.pool.waitForJob('a')).resolves.toMatchObject({
      status: 'cancelled',
      reason: 'enough',
    })
  })

  test('dependencies hold, and give their values, whichever process they ended in', async () => {
    const { start, disk } = processes()
    const first = start(1_000)
    first.pool.submitJob({ id: 'a', execute: 'one' })
    first.pool.submitJob({ id: 'b', execute: 'held', dependencies: ['a'] })
    first.pool.submitJob({ id: 'c', execute: 'held', dependencies: ['a', 'b'] })
    await first.clock.settle()
    first.die()
    const second = start(2_000)
    const late = second.pool.submitJob({ id: 'd', execute: 'held', dependencies: ['a'] })
    await second.clock.settle()
    expect(second.hands.started).toEqual(['b#2', 'd#1'])
    second.hands.of('b').resolve(2)
    await second.clock.settle()
    expect(second.hands.of('c').context.parentResults).toEqual({ a: 1, b: 2 })
    expect(second.hands.of('d').context.parentResults).toEqual({ a: 1 })
    expect(late.status).toBe('running')
    expectFolded(disk.store)
  })

  test('jobs follow the policy of the pool that takes them up, unless they have their own', async () => {
    const { start, disk } = processes({ timeoutMs: 1_000 })
    const first = start(0)
    first.pool.submitJob({ id: 'a', execute: 'held' })
    first.pool.submitJob({ id: 'b', execute: 'held', timeoutMs: 7_000 })
    await first.clock.settle()
    first.die()
    const second = start(100, { timeoutMs: 5_000 })
    await second.clock.settle()
    expect(disk.store.job('a')?.deadlineAt).toBe(5_100)
    expect(disk.store.job('b')?.deadlineAt).toBe(7_100)
    expect(verifyStore(disk.store)).toBeGreaterThan(0)
  })

  test('ended jobs are still known, and their ids taken', async () => {
    const { start } = processes()
    const first = start(1_000)
    first.pool.submitJob({ id: 'a', execute: 'bad' })
    await first.clock.settle()
    first.die()
    const { pool } = start(2_000)
    expect(pool.job('a')?.status).toBe('failed')
    await expect(pool.waitForJob('a')).resolves.toMatchObject({ error: { name: 'TypeError', message: 'no' } })
    expect(() => pool.submitJob({ id: 'a', execute: 'one' })).toThrow(
      expect.objectContaining({ code: 'ESP_DUPLICATE_JOB' }),
    )
  })

  test('a handler that is gone is told before anything is changed', async () => {
    const { start, disk } = processes()
    const first = start(1_000)
    first.pool.submitJob({ id: 'a', execute: 'held' })
    await first.clock.settle()
    first.die()
    const { lastSeq } = disk.store
    expect(() => start(2_000, { handlers: {} })).toThrow(
      expect.objectContaining({
        code: 'ESP_UNKNOWN_HANDLER',
        message: expect.stringContaining(
          'Job "a" of the store has not ended. Handler "held" is not one of the pool\'s handlers',
        ),
      }),
    )
    expect(disk.store.lastSeq).toBe(lastSeq)
  })
})
