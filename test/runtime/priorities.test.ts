import { describe, expect, test } from 'vitest'
import { createHeld, createPool, createTracer } from './harness.ts'

/** A pool with one slot, and a held job in it, so that what is submitted waits. */
function createBusyPool(options: Parameters<typeof createPool>[0] = {}) {
  const { pool, clock } = createPool({ maxParallelJobs: 1, ...options })
  const held = createHeld()
  pool.submitJob({ id: 'first', execute: held.execute })
  const free = async () => {
    held.of('first').resolve()
    await clock.settle()
  }
  return { pool, clock, free }
}

describe('the order of jobs', () => {
  test('is by priority first', async () => {
    const { pool, free } = createBusyPool()
    const { order, spec } = createTracer()
    for (const priority of ['low', 'normal', 'critical', 'high'] as const)
      pool.submitJob(spec(priority, { priority }))
    pool.submitJob(spec('default'))
    await free()
    expect(order).toEqual(['critical', 'high', 'normal', 'default', 'low'])
  })

  test('is by score inside a priority, the higher first; a score never crosses priorities', async () => {
    const { pool, free } = createBusyPool()
    const { order, spec } = createTracer()
    pool.submitJobs([
      spec('minus', { score: -1 }),
      spec('zero'),
      spec('half', { score: 0.5 }),
      spec('ten', { score: 10 }),
      spec('high', { priority: 'high', score: -100 }),
    ])
    await free()
    expect(order).toEqual(['high', 'ten', 'half', 'zero', 'minus'])
  })

  test('is that of submission among equals, whether scored or not', async () => {
    const { pool, free } = createBusyPool()
    const { order, spec } = createTracer()
    const ids = Array.from({ length: 50 }, (_, index) => `j${index}`)
    for (const id of ids) pool.submitJob(spec(id))
    const scored = Array.from({ length: 50 }, (_, index) => `s${index}`)
    for (const id of scored) pool.submitJob(spec(id, { score: 1 }))
    await free()
    expect(order).toEqual([...scored, ...ids])
  })

  test('is kept by a job that is tried again: it goes before later ones', async () => {
    const { pool, clock, free } = createBusyPool({ maxRetries: 1, backoff: { type: 'fixed', delayMs: 0 } })
    const { order, spec } = createTracer()
    let attempts = 0
    pool.submitJob({
      id: 'flaky',
      execute: () => {
        order.push(`flaky ${++attempts}`)
        if (attempts === 1) throw new Error('once')
      },
    })
    pool.submitJob(spec('later'))
    await free()
    await clock.settle()
    expect(order).toEqual(['flaky 1', 'flaky 2', 'later'])
  })

  test('counts a dependant from its submission, not from when it got ready', async () => {
    const { pool, free } = createBusyPool()
    const { order, spec } = createTracer()
    pool.submitJob(spec('child', { dependencies: ['first'] }))
    pool.submitJob(spec('other'))
    await free()
    expect(order).toEqual(['child', 'other'])
  })

  test('gives a free slot to the best job at that instant, not to the best of an earlier one', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const held = createHeld()
    for (const [id, priority] of [
      ['a', 'low'],
      ['b', 'low'],
      ['c', 'high'],
    ] as const) {
      pool.submitJob({ id, priority, execute: held.execute })
    }
    held.of('a').resolve()
    await clock.settle()
    expect(held.started()).toEqual(['a', 'c'])
    pool.submitJob({ id: 'd', priority: 'critical', execute: held.execute })
    held.of('c').resolve()
    await clock.settle()
    expect(held.started()).toEqual(['a', 'c', 'd'])
  })
})

describe('ageing', () => {
  /** Keeps one slot busy with a stream of urgent jobs, and tells after how many a low one got its turn. */
  async function turnsUntilStart(ageing: { afterMs: number } | undefined, turns: number): Promise<number> {
    const { pool, clock } = createPool({ maxParallelJobs: 1, ...(ageing === undefined ? {} : { ageing }) })
    const held = createHeld()
    pool.submitJob({ id: 'urgent-0', priority: 'critical', execute: held.execute })
    pool.submitJob({ id: 'patient', priority: 'low', execute: held.execute })
    for (let turn = 1; turn <= turns; turn++) {
      pool.submitJob({ id: `urgent-${turn}`, priority: 'critical', execute: held.execute })
      await clock.advance(10)
      held.of(`urgent-${turn - 1}`).resolve()
      await clock.settle()
      if (held.started().includes('patient')) return turn
    }
    return Number.POSITIVE_INFINITY
  }

  test('brings a low job to its turn, where it would starve without', async () => {
    expect(await turnsUntilStart({ afterMs: 50 }, 40)).toBeLessThanOrEqual(3 * 5 + 2)
    expect(await turnsUntilStart(undefined, 40)).toBe(Number.POSITIVE_INFINITY)
  })

  test('leaves the order alone before its time', async () => {
    const { pool, clock, free } = createBusyPool({ ageing: { afterMs: 1_000 } })
    const { order, spec } = createTracer()
    pool.submitJob(spec('low', { priority: 'low' }))
    await clock.advance(900)
    pool.submitJob(spec('normal'))
    await free()
    expect(order).toEqual(['normal', 'low'])
  })

  test('does not change the priority that the status counts', async () => {
    const { pool, clock } = createBusyPool({ ageing: { afterMs: 10 } })
    const { spec } = createTracer()
    pool.submitJob(spec('low', { priority: 'low' }))
    await clock.advance(100)
    expect(pool.getStatus().queuedByPriority).toEqual({ critical: 0, high: 0, normal: 0, low: 1 })
  })
})
