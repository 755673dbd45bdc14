import { describe, expect, test } from 'vitest'
import { createHeld, createPool, expectConsistent, obedient } from './harness.ts'

const empty = {
  running: 0,
  queued: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  total: 0,
  maxParallelJobs: 2,
  queuedByState: { blocked: 0, ready: 0, delayed: 0 },
  queuedByPriority: { critical: 0, high: 0, normal: 0, low: 0 },
  zombies: 0,
  runningJobIds: [],
  failedJobIds: [],
  states: { lifecycle: 'accepting', dispatch: 'open' },
}

describe('the status', () => {
  test('is all zeros at first', () => {
    expect(createPool({ maxParallelJobs: 2 }).pool.getStatus()).toEqual(empty)
  })

  test('has the right numbers at every step', async () => {
    const { pool, clock } = createPool({
      maxParallelJobs: 2,
      maxRetries: 1,
      backoff: { type: 'fixed', delayMs: 10 },
    })
    const held = createHeld()
    const numbers = () => {
      expectConsistent(pool)
      const { running, completed, failed, cancelled, queuedByState } = pool.getStatus()
      return [...Object.values(queuedByState), running, completed, failed, cancelled].join(' ')
    }
    pool.submitJobs([
      { id: 'a', execute: held.execute, priority: 'high' },
      { id: 'b', execute: held.execute },
      { id: 'c', execute: held.execute, priority: 'low' },
      { id: 'd', execute: held.execute, dependencies: ['a'] },
      { id: 'e', execute: held.execute, dependencies: ['b'], priority: 'critical' },
      { id: 'f', execute: held.execute, delayMs: 100 },
    ])
    // blocked, ready, delayed, running, completed, failed, cancelled
    expect(numbers()).toBe('2 1 1 2 0 0 0')
    expect(pool.getStatus()).toMatchObject({
      runningJobIds: ['a', 'b'],
      queuedByPriority: { critical: 1, high: 0, normal: 2, low: 1 },
    })
    held.of('a').resolve()
    await clock.settle()
    expect(numbers()).toBe('1 1 1 2 1 0 0')
    held.of('b').reject(new Error('1'))
    await clock.settle()
    expect(numbers()).toBe('1 0 2 2 1 0 0')
    held.of('d').resolve()
    await clock.advance(10)
    expect(numbers()).toBe('1 0 1 2 2 0 0')
    held.of('b').reject(new Error('2'))
    await clock.settle()
    expect(numbers()).toBe('0 0 1 1 2 1 1')
    expect(pool.getStatus().failedJobIds).toEqual(['b'])
    pool.cancelJob('c')
    expect(numbers()).toBe('0 0 1 1 2 1 1')
    held.of('c').resolve()
    await clock.settle()
    expect(numbers()).toBe('0 0 1 0 2 1 2')
    await clock.advance(100)
    held.of('f').resolve()
    await clock.settle()
    expect(numbers()).toBe('0 0 0 0 3 1 2')
    expect(pool.getStatus()).toMatchObject({ total: 6, runningJobIds: [] })
  })

  test('is a picture of its moment', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    const before = pool.getStatus()
    held.of(job.id).resolve()
    await clock.settle()
    expect(before).toMatchObject({ running: 1, completed: 0, runningJobIds: [job.id] })
  })

  test('shows running jobs that are being stopped', async () => {
    const { pool } = createPool()
    const job = pool.submitJob({ execute: createHeld().execute })
    job.cancel()
    expect(pool.getStatus()).toMatchObject({ running: 1, runningJobIds: [job.id], cancelled: 0 })
  })
})

describe('the health', () => {
  test('is healthy while jobs are taken and started', () => {
    expect(createPool().pool.getHealth()).toEqual({
      status: 'healthy',
      reasons: [],
      isAccepting: true,
      isDispatching: true,
      zombies: 0,
    })
  })

  test('is degraded while paused or shutting down, with the reason, and closed after that', async () => {
    const { pool, clock } = createPool()
    pool.submitJob({ execute: obedient })
    pool.pause()
    expect(pool.getHealth()).toMatchObject({ status: 'degraded', isDispatching: false, isAccepting: true })
    expect(pool.getHealth().reasons).toEqual([expect.stringContaining('paused')])
    const closing = pool.shutdown({ timeoutMs: 100 })
    expect(pool.getHealth()).toMatchObject({ status: 'degraded', isDispatching: true, isAccepting: false })
    expect(pool.getHealth().reasons).toEqual([expect.stringContaining('shutting down')])
    await clock.advance(100)
    await closing
    expect(pool.getHealth()).toMatchObject({ status: 'closed', isAccepting: false, isDispatching: false })
    expect(pool.getHealth().reasons).toContain('The pool is closed.')
  })

  test('of a closed pool does not speak of what would hold back a start', async () => {
    const { pool } = createPool()
    await pool.shutdown({ wait: false })
    pool.pause()
    expect(pool.getHealth()).toMatchObject({ status: 'closed', reasons: ['The pool is closed.'] })
  })
})

describe('the timeline', () => {
  test('tells when each job waited and ran, attempt by attempt, in order of submission', async () => {
    const { pool, clock } = createPool({
      maxParallelJobs: 1,
      maxRetries: 1,
      backoff: { type: 'fixed', delayMs: 5 },
    })
    const held = createHeld()
    const t = clock.now()
    pool.submitJob({ id: 'a', nodeId: 'n', execute: held.execute })
    pool.submitJob({ id: 'b', execute: held.execute })
    pool.submitJob({ id: 'c', execute: held.execute, delayMs: 9_999 })
    await clock.advance(10)
    held.of('a').reject(new Error('once'))
    await clock.advance(20)
    held.of('b').resolve()
    await clock.advance(30)
    held.of('a').resolve()
    await clock.settle()
    pool.cancelJob('c')
    const slot = 0
    expect(pool.getTimeline()).toEqual([
      {
        jobId: 'a',
        nodeId: 'n',
        status: 'completed',
        queuedAt: t,
        endedAt: t + 60,
        attempts: [
          { attempt: 1, slot, startedAt: t, endedAt: t + 10 },
          { attempt: 2, slot, startedAt: t + 30, endedAt: t + 60 },
        ],
      },
      {
        jobId: 'b',
        nodeId: undefined,
        status: 'completed',
        queuedAt: t,
        endedAt: t + 30,
        attempts: [{ attempt: 1, slot, startedAt: t + 10, endedAt: t + 30 }],
      },
      { jobId: 'c', nodeId: undefined, status: 'cancelled', queuedAt: t, endedAt: t + 60, attempts: [] },
    ])
  })

  test('never shows two attempts in one slot at the same time', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 3 })
    const held = createHeld()
    for (let count = 0; count < 20; count++) pool.submitJob({ execute: held.execute })
    for (let count = 0; count < 20; count++) {
      await clock.advance(3)
      const ids = pool.getStatus().runningJobIds
      held.of(ids[count % ids.length] as string).resolve()
      await clock.settle()
    }
    const bySlot = Map.groupBy(
      pool.getTimeline().flatMap(({ attempts }) => attempts),
      ({ slot }) => slot,
    )
    expect([...bySlot.keys()].sort()).toEqual([0, 1, 2])
    for (const attempts of bySlot.values()) {
      const sorted = attempts.toSorted((a, b) => a.startedAt - b.startedAt)
      for (const [index, { endedAt }] of sorted.slice(0, -1).entries()) {
        expect(endedAt).toBeLessThanOrEqual((sorted[index + 1] as { startedAt: number }).startedAt)
      }
    }
  })

  test('shows what still runs without an end', async () => {
    const { pool, clock } = createPool()
    const job = pool.submitJob({ execute: createHeld().execute })
    await clock.advance(10)
    expect(pool.getTimeline()).toMatchObject([
      {
        jobId: job.id,
        status: 'running',
        endedAt: undefined,
        attempts: [{ attempt: 1, slot: 0, endedAt: undefined }],
      },
    ])
  })
})
