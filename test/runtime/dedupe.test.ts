import { describe, expect, test } from 'vitest'
import { createHeld, createPool, expectRefusal } from './harness.ts'

describe('a dedupe key', () => {
  test('shares one job between submitters until it has ended', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const spec = { execute: held.execute, dedupeKey: 'report' }
    const first = pool.submitJob(spec)
    expect(pool.submitJob(spec)).toBe(first)
    expect(pool.getStatus().total).toBe(1)
    held.of(first.id).resolve()
    await clock.settle()
    const second = pool.submitJob(spec)
    expect(second).not.toBe(first)
    expect(held.attempts).toHaveLength(2)
  })

  test.each(['fails', 'is cancelled'])('is free again when its job %s', async (how) => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const first = pool.submitJob({ execute: held.execute, dedupeKey: 'k' })
    if (how === 'is cancelled') first.cancel()
    held.of(first.id).reject(new Error('broken'))
    await clock.settle()
    expect(pool.submitJob({ execute: held.execute, dedupeKey: 'k' })).not.toBe(first)
  })

  test('is still taken while its job rests before a retry, waits, or is being stopped', async () => {
    const { pool, clock } = createPool({ maxRetries: 1 })
    const held = createHeld()
    const spec = { execute: held.execute, dedupeKey: 'k', delayMs: 10 }
    const first = pool.submitJob(spec)
    expect(pool.submitJob(spec)).toBe(first)
    await clock.advance(10)
    held.of(first.id).reject(new Error('once'))
    await clock.settle()
    expect(pool.submitJob(spec)).toBe(first)
    await clock.advance(1_000)
    first.cancel()
    expect(first.status).toBe('running')
    expect(pool.submitJob(spec)).toBe(first)
  })

  test('works inside a batch, and for those that depend on the twin', async () => {
    const { pool } = createPool()
    const [a, b, c] = pool.submitJobs([
      { id: 'a', execute: () => 1, dedupeKey: 'k' },
      { id: 'b', execute: () => 2, dedupeKey: 'k' },
      { id: 'c', execute: (context) => context.parentResults, dependencies: ['b'] },
    ])
    expect(b).toBe(a)
    expect(await c?.value()).toEqual({ a: 1 })
    expect(pool.getStatus().total).toBe(2)
  })

  test('does not let a twin in whose spec is wrong', () => {
    const { pool } = createPool()
    pool.submitJob({ execute: createHeld().execute, dedupeKey: 'k' })
    expectRefusal(pool, 'ESP_INVALID_OPTION', () =>
      pool.submitJob({ execute: () => 1, dedupeKey: 'k', delayMs: -1 }),
    )
  })
})
