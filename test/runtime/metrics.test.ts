import { describe, expect, test } from 'vitest'
import { createHeld, createPool, failing } from './harness.ts'

describe('the metrics', () => {
  test('are neutral before the first job', () => {
    expect(createPool().pool.getMetrics()).toMatchObject({
      jobsPerSecond: 0,
      queueDepth: 0,
      slotUtilisation: 0,
      successRate: 1,
      retries: 0,
      elapsedMs: 0,
      executionMs: { count: 0 },
    })
  })

  test('tell how long jobs waited and ran, within 3 %', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const held = createHeld()
    pool.submitJob({ id: 'a', execute: held.execute })
    pool.submitJob({ id: 'b', execute: held.execute })
    await clock.advance(100)
    held.of('a').resolve()
    await clock.advance(300)
    held.of('b').resolve()
    await clock.settle()
    const { executionMs, queueMs, elapsedMs } = pool.getMetrics()
    expect(executionMs).toMatchObject({ count: 2, averageMs: 200, maxMs: 300 })
    expect(Math.abs(executionMs.p50Ms - 100)).toBeLessThanOrEqual(3)
    expect(queueMs).toMatchObject({ count: 2, averageMs: 50, maxMs: 100 })
    expect(elapsedMs).toBe(400)
  })

  test('tell the share of slots that was busy since the first job', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 2 })
    const held = createHeld()
    await clock.advance(5_000)
    pool.submitJob({ id: 'a', execute: held.execute })
    await clock.advance(100)
    expect(pool.getMetrics().slotUtilisation).toBeCloseTo(0.5)
    held.of('a').resolve()
    await clock.advance(100)
    expect(pool.getMetrics().slotUtilisation).toBeCloseTo(0.25)
    pool.setMaxParallelJobs(6)
    await clock.advance(100)
    expect(pool.getMetrics().slotUtilisation).toBeCloseTo(0.1)
  })

  test('count no more slots as busy than there are, while more jobs run than the limit allows by now', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 4 })
    const { execute } = createHeld()
    pool.submitJobs(Array.from({ length: 4 }, (_, index) => ({ id: `j${index}`, execute })))
    await clock.settle()
    pool.setMaxParallelJobs(1)
    await clock.advance(100)
    expect(pool.getMetrics().slotUtilisation).toBe(1)
  })

  test('count a slot that a zombie holds as busy', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1, timeoutMs: 10, killGraceMs: 10 })
    pool.submitJob({ execute: createHeld().execute })
    await clock.advance(100)
    expect(pool.getMetrics().slotUtilisation).toBeCloseTo(1)
  })

  test('tell the rate of the last ten seconds', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 100 })
    const burst = async (count: number) => {
      for (let index = 0; index < count; index++) pool.submitJob({ execute: () => 1 })
      await pool.waitForAll()
    }
    await burst(1)
    await clock.advance(1_000)
    await burst(19)
    expect(pool.getMetrics().jobsPerSecond).toBeCloseTo(20)
    await clock.advance(4_000)
    expect(pool.getMetrics().jobsPerSecond).toBeCloseTo(4)
    await clock.advance(20_000)
    expect(pool.getMetrics().jobsPerSecond).toBe(0)
  })

  test('tell the share of successes, among those that ran', async () => {
    const { pool } = createPool()
    const jobs = [() => 1, () => 2, () => 3, failing()].map((execute) => pool.submitJob({ execute }))
    pool.submitJob({ execute: () => 4, delayMs: 100 }).cancel()
    await Promise.all(jobs.map((job) => job.result()))
    expect(pool.getMetrics()).toMatchObject({ successRate: 0.75, queueDepth: 0 })
  })

  test('count the jobs that wait, in any way', () => {
    const { pool } = createPool({ maxParallelJobs: 1 })
    const [first] = pool.submitJobs([
      { id: 'a', execute: createHeld().execute },
      { execute: () => 1 },
      { execute: () => 1, delayMs: 100 },
      { execute: () => 1, dependencies: ['a'] },
    ])
    expect(first?.status).toBe('running')
    expect(pool.getMetrics().queueDepth).toBe(3)
  })

  test('count events that changed nothing', () => {
    const { pool, clock } = createPool()
    const job = pool.submitJob({ execute: createHeld().execute })
    const ignored: string[] = []
    pool.on('job.ignored', ({ event, status }) => ignored.push(`${event} while ${status}`))
    job.send({ type: 'slot.granted', at: clock.now() })
    job.send({ type: 'attempt.completed', at: clock.now(), attempt: 7, value: 1 })
    expect(ignored).toEqual(['slot.granted while running', 'attempt.completed while running'])
    expect(pool.getMetrics().ignoredEvents).toBe(2)
  })
})
