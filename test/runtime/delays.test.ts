import { describe, expect, test } from 'vitest'
import { createHeld, createPool, expectConsistent, stateOf } from './harness.ts'

describe('a delayed job', () => {
  test('starts at its instant and not before', async () => {
    const { pool, clock } = createPool()
    const job = pool.submitJob({ execute: () => clock.now(), delayMs: 1_000 })
    const queuedAt = clock.now()
    expect(stateOf(job)).toBe('queued.delayed')
    await clock.advance(999.5)
    expect(stateOf(job)).toBe('queued.delayed')
    await clock.advance(0.5)
    expect(await job.value()).toBe(queuedAt + 1_000)
  })

  test('takes no slot while it waits', async () => {
    const { pool } = createPool({ maxParallelJobs: 1 })
    pool.submitJob({ execute: () => 1, delayMs: 1_000 })
    const other = pool.submitJob({ execute: () => 2 })
    expect(await other.value()).toBe(2)
    expect(pool.getStatus()).toMatchObject({ queued: 1, queuedByState: { blocked: 0, ready: 0, delayed: 1 } })
  })

  test('waits for its dependencies too, whichever takes longer', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const parent = pool.submitJob({ execute: held.execute })
    const short = pool.submitJob({ execute: () => clock.now(), delayMs: 10, dependencies: [parent] })
    const long = pool.submitJob({ execute: () => clock.now(), delayMs: 1_000, dependencies: [parent] })
    const at = clock.now()
    await clock.advance(500)
    expect([stateOf(short), stateOf(long)]).toEqual(['queued.blocked', 'queued.blocked'])
    held.of(parent.id).resolve()
    await clock.advance(0)
    expect([short.status, stateOf(long)]).toEqual(['completed', 'queued.delayed'])
    await clock.advance(500)
    expect([await short.value(), await long.value()]).toEqual([at + 500, at + 1_000])
  })

  test('is as far off as years, and fires then', async () => {
    const { pool, clock } = createPool()
    const yearMs = 365 * 24 * 3_600_000
    const job = pool.submitJob({ execute: () => 'at last', delayMs: yearMs })
    await clock.advance(yearMs - 1)
    expect(stateOf(job)).toBe('queued.delayed')
    await clock.advance(1)
    expect(await job.value()).toBe('at last')
  })

  test('is in order with others: by instant, then by submission', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const order: number[] = []
    for (const delayMs of [300, 100, 200, 100]) {
      const place = order.length + pool.getStatus().total
      pool.submitJob({ delayMs, execute: () => order.push(delayMs * 10 + place) })
    }
    await clock.advance(300)
    expect(order).toEqual([1_001, 1_003, 2_002, 3_000])
    expectConsistent(pool)
  })
})
