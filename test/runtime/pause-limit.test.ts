import { describe, expect, test } from 'vitest'
import { createHeld, createPool, createTracer, expectConsistent, recordEvents, typesOf } from './harness.ts'

describe('a paused pool', () => {
  test('starts nothing, lets what runs go on, and takes jobs', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 2 })
    const held = createHeld()
    const running = pool.submitJob({ execute: held.execute })
    pool.pause()
    const waiting = pool.submitJob({ execute: held.execute })
    held.of(running.id).resolve('fine')
    await clock.advance(1_000)
    expect([running.status, waiting.status]).toEqual(['completed', 'queued'])
    expect(pool.getStatus().states).toEqual({ lifecycle: 'accepting', dispatch: 'paused' })
    pool.resume()
    expect(waiting.status).toBe('running')
  })

  test('fills all its slots when resumed, best jobs first', async () => {
    const { pool } = createPool({ maxParallelJobs: 1 })
    const { order, spec } = createTracer()
    pool.pause()
    pool.submitJobs([spec('normal'), spec('low', { priority: 'low' }), spec('high', { priority: 'high' })])
    pool.resume()
    await pool.waitForAll()
    expect(order).toEqual(['high', 'normal', 'low'])
  })

  test('tells of it once, however often it is asked', () => {
    const { pool } = createPool()
    const events = recordEvents(pool)
    pool.resume()
    pool.pause()
    pool.pause()
    pool.resume()
    pool.resume()
    expect(typesOf(events)).toEqual(['pool.paused', 'pool.resumed'])
  })

  test('lets its jobs be cancelled, time out and retry', async () => {
    const { pool, clock } = createPool({
      maxRetries: 1,
      timeoutMs: 100,
      backoff: { type: 'fixed', delayMs: 0 },
    })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    pool.pause()
    const queued = pool.submitJob({ execute: held.execute })
    expect(queued.cancel()).toBe(true)
    await clock.advance(100)
    held.of(job.id).reject(new Error('aborted'))
    await clock.settle()
    expect(pool.getStatus()).toMatchObject({ running: 0, queued: 1, cancelled: 1 })
    pool.resume()
    await clock.settle()
    expect(held.attempts).toHaveLength(2)
    expectConsistent(pool)
  })
})

describe('the limit of parallel jobs', () => {
  test('is three unless told otherwise', () => {
    const { pool } = createPool()
    const held = createHeld()
    for (let count = 0; count < 5; count++) pool.submitJob({ execute: held.execute })
    expect(pool.getStatus()).toMatchObject({ maxParallelJobs: 3, running: 3, queued: 2 })
  })

  test('raised while running: the new slots are filled at once', () => {
    const { pool } = createPool({ maxParallelJobs: 1 })
    const held = createHeld()
    for (let count = 0; count < 5; count++) pool.submitJob({ execute: held.execute })
    pool.setMaxParallelJobs(4)
    expect(pool.getStatus()).toMatchObject({ maxParallelJobs: 4, running: 4, queued: 1 })
  })

  test('lowered while running: nothing is stopped, and nothing starts until enough has ended', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 3 })
    const held = createHeld()
    for (let count = 0; count < 6; count++) pool.submitJob({ execute: held.execute })
    pool.setMaxParallelJobs(1)
    expect(pool.getStatus()).toMatchObject({ maxParallelJobs: 1, running: 3 })
    for (const running of [2, 1, 1, 1]) {
      const [id] = pool.getStatus().runningJobIds
      held.of(id as string).resolve()
      await clock.settle()
      expect(pool.getStatus().running).toBe(running)
    }
    expectConsistent(pool)
  })

  test('raised while paused: nothing starts until resumed', () => {
    const { pool } = createPool({ maxParallelJobs: 1 })
    const held = createHeld()
    pool.pause()
    for (let count = 0; count < 3; count++) pool.submitJob({ execute: held.execute })
    pool.setMaxParallelJobs(2)
    expect(pool.getStatus().running).toBe(0)
    pool.resume()
    expect(pool.getStatus().running).toBe(2)
  })

  test('is told when it changes', () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const events = recordEvents(pool)
    pool.setMaxParallelJobs(4)
    expect(events).toEqual([{ type: 'pool.limited', at: clock.now(), maxParallelJobs: 4 }])
  })
})
