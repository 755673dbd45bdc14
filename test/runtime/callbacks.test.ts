import type { JobResult } from 'espalier'
import { describe, expect, test } from 'vitest'
import { createHeld, createPool, expectAllSlotsFree, failing, never } from './harness.ts'

describe('a callback', () => {
  test.each(['completed', 'failed', 'cancelled'] as const)(
    'is called once with the result of a %s job',
    async (status) => {
      const { pool, clock } = createPool()
      const results: JobResult[] = []
      const job = pool.submitJob({
        execute: status === 'failed' ? failing() : () => 'value',
        delayMs: status === 'cancelled' ? 100 : 0,
        callback: (result) => results.push(result as JobResult),
      })
      if (status === 'cancelled') job.cancel()
      const result = await job.result()
      await clock.advance(1_000)
      expect(results).toHaveLength(1)
      expect(results[0]).toBe(result)
      expect(result.status).toBe(status)
    },
  )

  test('is called after the last attempt only, not after those that are retried', async () => {
    const { pool } = createPool({ maxRetries: 2, backoff: { type: 'fixed', delayMs: 0 } })
    let calls = 0
    const job = pool.submitJob({ execute: failing(), callback: () => void calls++ })
    expect(await job.result()).toMatchObject({ attempts: 3 })
    expect(calls).toBe(1)
  })

  test('finds the job ended and the numbers up to date', async () => {
    const { pool } = createPool()
    const seen: unknown[] = []
    const job = pool.submitJob({
      execute: () => 1,
      callback: ({ jobId }) =>
        seen.push(pool.job(jobId)?.status, pool.getStatus().completed, pool.getStatus().running),
    })
    await job.result()
    expect(seen).toEqual(['completed', 1, 0])
  })

  test('that throws or rejects is logged and counted, and changes nothing', async () => {
    const { pool, clock, logger } = createPool()
    const thrown = new Error('callback broke')
    const callbacks = [
      () => {
        throw thrown
      },
      async () => {
        throw thrown
      },
    ]
    for (const callback of callbacks) {
      const job = pool.submitJob({ execute: () => 'value', callback })
      expect(await job.result()).toMatchObject({ status: 'completed', value: 'value' })
    }
    await clock.settle()
    expect(pool.getMetrics()).toMatchObject({ callbackFaults: 2, callbackMs: { count: 2 } })
    expect(logger.lines.map(({ level, details }) => [level, details])).toEqual([
      ['error', thrown],
      ['error', thrown],
    ])
    await expectAllSlotsFree(pool, clock)
  })

  test('does not hold the slot of its job', async () => {
    const { pool } = createPool({ maxParallelJobs: 1 })
    pool.submitJob({ execute: () => 1, callback: never })
    const next = pool.submitJob({ execute: () => 2 })
    expect(await next.value()).toBe(2)
  })

  test('that takes too long is given up, logged and counted', async () => {
    const { pool, clock, logger } = createPool({ callbackTimeoutMs: 50 })
    const job = pool.submitJob({ id: 'j', execute: () => 1, callback: never })
    await job.result()
    await clock.advance(49)
    expect(pool.getMetrics().callbackFaults).toBe(0)
    await clock.advance(1)
    expect(pool.getMetrics()).toMatchObject({ callbackFaults: 1, callbackMs: { count: 1, maxMs: 50 } })
    expect(logger.lines[0]?.details).toMatchObject({
      code: 'ESP_CALLBACK_TIMEOUT',
      details: { jobId: 'j', timeoutMs: 50 },
    })
  })

  test('that ends after its timeout is counted once', async () => {
    const { pool, clock } = createPool({ callbackTimeoutMs: 50 })
    let end = () => {}
    pool.submitJob({
      execute: () => 1,
      callback: () =>
        new Promise<void>((resolve) => {
          end = resolve
        }),
    })
    await clock.advance(50)
    end()
    await clock.advance(10)
    expect(pool.getMetrics()).toMatchObject({ callbackFaults: 1, callbackMs: { count: 1 } })
  })

  test('has its own metric, apart from the execution of jobs', async () => {
    const { pool, clock } = createPool()
    const callback = createHeld()
    const job = pool.submitJob({ execute: () => 1, callback: () => callback.execute({ jobId: 'c' }) })
    await job.result()
    await clock.advance(40)
    callback.of('c').resolve()
    await clock.settle()
    const { callbackMs, executionMs } = pool.getMetrics()
    expect(callbackMs).toMatchObject({ count: 1, maxMs: 40, averageMs: 40 })
    expect(executionMs).toMatchObject({ count: 1, maxMs: 0 })
    // Its deadline went with it.
    expect(clock.wishes).toBe(0)
  })

  test('is awaited when it returns a thenable that is no Promise', async () => {
    const { pool, clock, logger } = createPool()
    const thrown = new Error('from a foreign promise')
    // biome-ignore lint/suspicious/noThenProperty: a foreign promise is what is tested.
    const foreign = { then: (_: unknown, reject: (error: Error) => void) => reject(thrown) }
    pool.submitJob({ execute: () => 1, callback: () => foreign })
    await clock.settle()
    expect(pool.getMetrics().callbackFaults).toBe(1)
    expect(logger.lines[0]?.details).toBe(thrown)
  })

  test('is not called when callbacks are disabled', async () => {
    const { pool, clock } = createPool({ enableCallbacks: false })
    let calls = 0
    await pool.submitJob({ execute: () => 1, callback: () => void calls++ }).result()
    await clock.settle()
    expect(calls).toBe(0)
    expect(pool.getMetrics().callbackMs.count).toBe(0)
  })
})
