import { describe, expect, test } from 'vitest'
import {
  createHeld,
  createPool,
  expectAllSlotsFree,
  expectConsistent,
  recordEvents,
  typesOf,
} from './harness.ts'

const options = { maxParallelJobs: 1, timeoutMs: 100, killGraceMs: 20 }

describe('an attempt that ignores its signal', () => {
  test('lets its job end after the kill grace, and no earlier', async () => {
    const { pool, clock } = createPool(options)
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute, maxRetries: 5 })
    await clock.advance(119)
    expect(job.status).toBe('running')
    await clock.advance(1)
    expect(await job.result()).toMatchObject({
      status: 'failed',
      reason: 'timeout',
      attempts: 1,
      durationMs: 120,
    })
    expect(held.attempts).toHaveLength(1)
  })

  test('keeps its slot as a zombie until it ends', async () => {
    const { pool, clock, logger } = createPool(options)
    const held = createHeld()
    const events = recordEvents(pool)
    pool.submitJob({ id: 'zombie', execute: held.execute })
    const next = pool.submitJob({ id: 'next', execute: held.execute })
    await clock.advance(10_000)
    expect(pool.getStatus()).toMatchObject({
      running: 0,
      queued: 1,
      failed: 1,
      zombies: 1,
      runningJobIds: [],
    })
    expect(next.status).toBe('queued')
    expect(typesOf(events, 'zombie')).toEqual(['job.submitted', 'job.started', 'job.zombie', 'job.failed'])
    expect(logger.at('warn')).toEqual([expect.stringMatching(/Attempt 1 of job "zombie".*zombie.*slot/)])
    expect(pool.getHealth()).toMatchObject({ status: 'degraded', zombies: 1 })
    expect(pool.getHealth().reasons.join(' ')).toContain('No slot is left')

    held.of('zombie').resolve('far too late')
    await clock.settle()
    expect(next.status).toBe('running')
    expect(pool.getStatus()).toMatchObject({ running: 1, zombies: 0 })
    held.of('next').resolve()
    await clock.settle()
    await expectAllSlotsFree(pool, clock)
  })

  test('changes nothing by its late result', async () => {
    const { pool, clock } = createPool(options)
    const held = createHeld()
    const job = pool.submitJob({ id: 'zombie', execute: held.execute })
    await clock.advance(120)
    const before = await job.result()
    held.of('zombie').reject(new Error('late'))
    await clock.settle()
    expect(await job.result()).toBe(before)
    expect(pool.getStatus()).toMatchObject({ failed: 1, total: 1 })
    expectConsistent(pool)
  })

  test('has its late result recorded as ignored', async () => {
    const { pool, clock } = createPool(options)
    const held = createHeld()
    const ignored: string[] = []
    pool.on('job.ignored', ({ event, status }) => ignored.push(`${event} while ${status}`))
    pool.submitJob({ id: 'zombie', execute: held.execute })
    await clock.advance(120)
    const { ignoredEvents } = pool.getMetrics()
    held.of('zombie').reject(new Error('late'))
    await clock.settle()
    expect(ignored).toEqual(['attempt.failed while failed'])
    expect(pool.getMetrics().ignoredEvents).toBe(ignoredEvents + 1)
  })

  test('gives its slot back at once with releaseZombies, and only once', async () => {
    const { pool, clock } = createPool({ ...options, releaseZombies: true })
    const held = createHeld()
    pool.submitJob({ id: 'zombie', execute: held.execute })
    pool.submitJob({ id: 'next', execute: held.execute, timeoutMs: 10_000 })
    pool.submitJob({ id: 'last', execute: held.execute, timeoutMs: 10_000 })
    await clock.advance(120)
    expect(pool.getStatus()).toMatchObject({ running: 1, queued: 1, zombies: 1, runningJobIds: ['next'] })
    held.of('zombie').resolve()
    await clock.settle()
    expect(pool.getStatus()).toMatchObject({ running: 1, queued: 1, zombies: 0 })
    expect(held.started()).toEqual(['zombie', 'next'])
    held.of('next').resolve()
    await clock.settle()
    held.of('last').resolve()
    await clock.settle()
    await expectAllSlotsFree(pool, clock)
  })

  test('of a cancelled job lets it end as cancelled', async () => {
    const { pool, clock } = createPool(options)
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    job.cancel('enough')
    await clock.advance(19)
    expect(job.status).toBe('running')
    await clock.advance(1)
    expect(await job.result()).toMatchObject({ status: 'cancelled', reason: 'enough' })
    expect(pool.getStatus()).toMatchObject({ cancelled: 1, zombies: 1 })
  })

  test('leaves the progress and the log of its job alone', async () => {
    const { pool, clock } = createPool(options)
    const held = createHeld()
    const events = recordEvents(pool)
    pool.submitJob({ id: 'zombie', execute: held.execute })
    const { progress, log } = held.of('zombie').context
    progress(0.5, 'half')
    log('a line')
    await clock.advance(120)
    held.of('zombie').resolve()
    await clock.settle()
    const { length } = events
    progress(1)
    log('late')
    expect(events).toHaveLength(length)
    expect(typesOf(events)).toEqual(
      expect.arrayContaining(['job.progress', 'job.log', 'job.zombie', 'job.failed']),
    )
  })
})
