import type { Clock } from 'espalier'
import { SimulatedClock } from 'espalier/testing'
import { describe, expect, test } from 'vitest'
import {
  createHeld,
  createPool,
  expectAllSlotsFree,
  expectConsistent,
  never,
  obedient,
  stateOf,
} from './harness.ts'

describe('an attempt that takes too long', () => {
  test('is told to end by its signal, at its deadline and not before', async () => {
    const { pool, clock } = createPool({ timeoutMs: 100 })
    const held = createHeld()
    const job = pool.submitJob({ id: 'slow', execute: held.execute })
    const { signal } = held.of('slow').context
    await clock.advance(99.9)
    expect([signal.aborted, stateOf(job)]).toEqual([false, 'running.executing'])
    await clock.advance(0.1)
    expect([signal.aborted, stateOf(job)]).toEqual([true, 'running.stopping'])
    expect(signal.reason).toMatchObject({
      code: 'ESP_ATTEMPT_TIMEOUT',
      details: { jobId: 'slow', attempt: 1, timeoutMs: 100 },
    })
  })

  test('fails its job when it obeys, and frees its slot then', async () => {
    const { pool, clock } = createPool({ timeoutMs: 100 })
    const job = pool.submitJob({ execute: obedient })
    await clock.advance(100)
    const result = await job.result()
    expect(result).toMatchObject({ status: 'failed', reason: 'timeout', attempts: 1, durationMs: 100 })
    expect(result.error).toMatchObject({ code: 'ESP_ATTEMPT_TIMEOUT' })
    await expectAllSlotsFree(pool, clock)
  })

  test('is retried once it has ended, by error or by value', async () => {
    const { pool, clock } = createPool({
      timeoutMs: 100,
      maxRetries: 2,
      backoff: { type: 'fixed', delayMs: 10 },
    })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    await clock.advance(100)
    held.of(job.id).reject(new Error('aborted'))
    await clock.advance(10)
    expect(held.attempts).toHaveLength(2)
    await clock.advance(100)
    held.of(job.id).resolve('too late')
    await clock.advance(10)
    expect(held.attempts).toHaveLength(3)
    held.of(job.id).resolve('in time')
    expect(await job.result()).toMatchObject({ status: 'completed', value: 'in time', attempts: 3 })
    await expectAllSlotsFree(pool, clock)
  })

  test('keeps its late value to itself', async () => {
    const { pool, clock } = createPool({ timeoutMs: 100 })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    await clock.advance(100)
    held.of(job.id).resolve('too late')
    expect(await job.result()).toMatchObject({ status: 'failed', reason: 'timeout', value: undefined })
  })

  test('is measured from its own start, not from submission', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1, timeoutMs: 100 })
    const held = createHeld()
    pool.submitJob({ id: 'a', execute: held.execute })
    const second = pool.submitJob({ id: 'b', execute: held.execute })
    await clock.advance(90)
    held.of('a').resolve()
    await clock.advance(99)
    expect(stateOf(second)).toBe('running.executing')
    await clock.advance(1)
    expect(stateOf(second)).toBe('running.stopping')
  })

  test('may have a limit of its own', async () => {
    const { pool, clock } = createPool({ timeoutMs: 100 })
    const patient = pool.submitJob({ execute: never, timeoutMs: 500 })
    const hasty = pool.submitJob({ execute: never, timeoutMs: 5 })
    await clock.advance(5)
    expect([stateOf(hasty), stateOf(patient)]).toEqual(['running.stopping', 'running.executing'])
    await clock.advance(494)
    expect(stateOf(patient)).toBe('running.executing')
  })
})

describe('a deadline', () => {
  test('of a job that has ended leaves nothing behind that wakes the clock', async () => {
    const { pool, clock } = createPool({ timeoutMs: 100 })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    expect(clock.nextWakeAt).toBe(clock.now() + 100)
    held.of(job.id).resolve()
    await clock.settle()
    expect(clock.wishes).toBe(0)
  })

  test('is carried out late rather than never when the clock jumps', async () => {
    const { pool, clock } = createPool({ timeoutMs: 100 })
    const jobs = Array.from({ length: 3 }, () => pool.submitJob({ execute: obedient }))
    clock.jump(1_000_000)
    await clock.advance(0)
    for (const job of jobs)
      expect(await job.result()).toMatchObject({ reason: 'timeout', durationMs: 1_000_000 })
    expectConsistent(pool)
  })

  test('is not early when the clock wakes too soon', async () => {
    const wakes: (() => void)[] = []
    const wakeAll = () => {
      for (const wake of wakes.splice(0)) wake()
    }
    const clock = new SimulatedClock()
    const eager: Clock = {
      now: () => clock.now(),
      soon: (run: () => void) => clock.soon(run),
      wakeAt: (_: number, wake: () => void) => {
        wakes.push(wake)
        return () => {}
      },
    }
    const { pool } = createPool({ clock: eager, timeoutMs: 100 })
    const job = pool.submitJob({ execute: obedient })
    for (let round = 0; round < 5; round++) wakeAll()
    expect(stateOf(job)).toBe('running.executing')
    clock.jump(100)
    wakeAll()
    expect(await job.result()).toMatchObject({ reason: 'timeout' })
  })
})
