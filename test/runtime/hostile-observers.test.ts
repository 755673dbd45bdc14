import type { Logger } from 'espalier'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPool, expectAllSlotsFree, expectConsistent, failing, never } from './harness.ts'

const broken = (): never => {
  throw new Error('observer broke')
}
const throwingLogger: Logger = { debug: broken, info: broken, warn: broken, error: broken }

/** What would have brought the process down. */
let uncaught: unknown[] = []
let listeners: NodeJS.UncaughtExceptionListener[] = []
const note = (error: unknown) => void uncaught.push(error)
beforeEach(() => {
  uncaught = []
  listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', note)
})
afterEach(async () => {
  // Errors that are reported by a timer of 0 ms come before this one.
  await new Promise((resolve) => setTimeout(resolve))
  process.off('uncaughtException', note)
  for (const listener of listeners) process.on('uncaughtException', listener)
})
const timersHaveRun = () => new Promise((resolve) => setTimeout(resolve))

/** Runs jobs of all outcomes and expects the pool to be as if nobody watched. */
async function expectUnharmed({
  pool,
  clock,
}: Pick<ReturnType<typeof createPool>, 'pool' | 'clock'>): Promise<void> {
  const before = pool.getStatus()
  const good = pool.submitJob({ execute: () => 'value' })
  const slow = pool.submitJob({ execute: async () => 'slow' })
  const bad = pool.submitJob({ execute: failing(), maxRetries: 1, backoff: { type: 'fixed', delayMs: 0 } })
  const gone = pool.submitJob({ execute: () => 1, delayMs: 100 })
  const below = pool.submitJob({ execute: () => 1, dependencies: [bad] })
  expect(gone.cancel()).toBe(true)
  await clock.settle()
  expect([good, slow, bad, gone, below].map(({ status }) => status)).toEqual([
    'completed',
    'completed',
    'failed',
    'cancelled',
    'cancelled',
  ])
  const { completed, failed, cancelled, running, queued } = pool.getStatus()
  expect([completed - before.completed, failed - before.failed, cancelled - before.cancelled]).toEqual([
    2, 1, 2,
  ])
  expect([running, queued]).toEqual([0, 0])
  expectConsistent(pool)
  await expectAllSlotsFree(pool, clock)
}

describe('a broken observer harms neither the pool nor the process', () => {
  test('a listener that throws is logged, and others are still told', async () => {
    const created = createPool()
    const { pool, logger } = created
    const heard: string[] = []
    pool.on('*', broken)
    pool.on('job.completed', broken)
    pool.on('job.completed', ({ jobId }) => heard.push(jobId))
    await expectUnharmed(created)
    expect(heard).toHaveLength(2)
    expect(logger.at('error').length).toBeGreaterThan(5)
    expect(uncaught).toEqual([])
  })

  test('a listener that rejects is logged', async () => {
    const created = createPool()
    created.pool.on('job.completed', async () => broken())
    await expectUnharmed(created)
    expect(created.logger.at('error')).toEqual(Array(2).fill(expect.stringContaining('job.completed')))
  })

  test('a logger that throws', async () => {
    const created = createPool({ logger: throwingLogger })
    created.pool.on('*', broken)
    await expectUnharmed(created)
    expect(uncaught).toEqual([])
  })

  test('a logger that throws on account of a callback', async () => {
    const created = createPool({ logger: throwingLogger })
    for (const callback of [broken, async () => broken()]) {
      const job = created.pool.submitJob({ execute: () => 'value', callback })
      await created.clock.settle()
      expect(job.status).toBe('completed')
    }
    await expectUnharmed(created)
    expect(uncaught).toEqual([])
  })

  test('a logger that throws on account of a listener that rejects', async () => {
    const created = createPool({ logger: throwingLogger })
    const rejections: unknown[] = []
    const onRejection = (reason: unknown) => rejections.push(reason)
    const before = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    process.on('unhandledRejection', onRejection)
    try {
      created.pool.on('job.completed', async () => broken())
      await expectUnharmed(created)
      await timersHaveRun()
    } finally {
      process.off('unhandledRejection', onRejection)
      for (const listener of before) process.on('unhandledRejection', listener)
    }
    expect(rejections).toEqual([])
  })

  test('a logger that throws on account of a zombie', async () => {
    const created = createPool({
      logger: throwingLogger,
      maxParallelJobs: 2,
      timeoutMs: 100,
      killGraceMs: 10,
    })
    const stuck = created.pool.submitJob({ execute: never })
    await created.clock.advance(110)
    expect(stuck.status).toBe('failed')
    expect(created.pool.getStatus()).toMatchObject({ failed: 1, zombies: 1, running: 0 })
    expect(await created.pool.submitJob({ execute: () => 1 }).value()).toBe(1)
    expect(uncaught).toEqual([])
  })

  test('an inspector that throws, with a logger that throws', async () => {
    const created = createPool({ logger: throwingLogger, inspect: broken })
    await expectUnharmed(created)
    expect(uncaught).toEqual([])
  })

  test('a subscriber of a job that throws', async () => {
    const created = createPool()
    const { pool } = created
    const job = pool.submitJob({ execute: () => 'value', delayMs: 10 })
    const seen: unknown[] = []
    job.subscribe({ next: broken, complete: broken })
    job.subscribe((snapshot) => seen.push(snapshot.value))
    await created.clock.advance(10)
    expect(await job.value()).toBe('value')
    expect(seen.at(-1)).toBe('completed')
    await expectUnharmed(created)
  })

  test('a subscriber of a job that throws does not end the process', async () => {
    const { pool, clock } = createPool()
    const job = pool.submitJob({ execute: () => 'value', delayMs: 10 })
    job.subscribe(broken)
    await clock.advance(10)
    await timersHaveRun()
    expect(job.status).toBe('completed')
    expect(uncaught).toEqual([])
  })

  test('a subscriber of the pool’s actor that throws', async () => {
    const created = createPool()
    created.pool.actor.subscribe({ next: broken })
    await expectUnharmed(created)
    await created.pool.shutdown()
    expect(created.pool.getHealth().status).toBe('closed')
  })
})
