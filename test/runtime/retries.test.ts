import type { Executor } from 'espalier'
import { describe, expect, test } from 'vitest'
import {
  createHeld,
  createPool,
  expectAllSlotsFree,
  expectConsistent,
  recordEvents,
  stateOf,
  typesOf,
} from './harness.ts'

const backoff = { type: 'fixed', delayMs: 100 } as const

describe('an attempt that is retried at once', () => {
  test('takes its own slot again, and no other gets it as well', async () => {
    const { pool, clock } = createPool({
      maxParallelJobs: 2,
      maxRetries: 3,
      backoff: { type: 'fixed', delayMs: 0 },
    })
    const held = createHeld()
    for (const id of ['a', 'b', 'c']) pool.submitJob({ id, execute: held.execute })
    for (let retry = 1; retry <= 3; retry++) {
      held.of('b').reject(new Error('again'))
      await clock.settle()
      expect(pool.getStatus()).toMatchObject({ running: 2, runningJobIds: ['a', 'b'] })
      expect(held.started().filter((id) => id === 'c')).toEqual([])
    }
    for (const id of ['a', 'b', 'c']) {
      held.of(id).resolve()
      await clock.settle()
    }
    expect(pool.getStatus()).toMatchObject({ completed: 3, running: 0, queued: 0 })
    await expectAllSlotsFree(pool, clock)
  })
})

describe('a failed attempt', () => {
  test('is the end without retries, which is the default', async () => {
    const { pool } = createPool()
    const error = new Error('broken')
    const job = pool.submitJob({
      execute: () => {
        throw error
      },
    })
    const result = await job.result()
    expect(result).toMatchObject({ status: 'failed', reason: 'error', attempts: 1 })
    expect(result.error).toBe(error)
    await expect(job.value()).rejects.toBe(error)
  })

  test('is followed by another after its backoff, numbered from 1, and never by more than 1 + maxRetries', async () => {
    const { pool, clock } = createPool({ maxRetries: 2, backoff })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    for (const attempt of [1, 2, 3]) {
      expect(held.attempts.map(({ context }) => context.attempt)).toEqual([1, 2, 3].slice(0, attempt))
      held.of(job.id).reject(new Error(`attempt ${attempt}`))
      await clock.settle()
      if (attempt === 3) break
      expect(stateOf(job)).toBe('queued.delayed')
      await clock.advance(99)
      expect(stateOf(job)).toBe('queued.delayed')
      await clock.advance(1)
    }
    expect(await job.result()).toMatchObject({
      status: 'failed',
      attempts: 3,
      error: { message: 'attempt 3' },
    })
    await clock.advance(100_000)
    expect(held.attempts).toHaveLength(3)
    expect(pool.getMetrics().retries).toBe(2)
    await expectAllSlotsFree(pool, clock)
  })

  test('frees its slot while the job rests', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1, maxRetries: 1, backoff })
    const held = createHeld()
    pool.submitJob({ id: 'flaky', execute: held.execute })
    pool.submitJob({ id: 'other', execute: held.execute })
    held.of('flaky').reject(new Error('once'))
    await clock.settle()
    expect(held.started()).toEqual(['flaky', 'other'])
    await clock.advance(100)
    expect(pool.getStatus()).toMatchObject({ running: 1, queued: 1, queuedByState: { ready: 1 } })
    expectConsistent(pool)
  })

  test('is followed at once with a backoff of 0', async () => {
    const { pool, clock } = createPool({ maxRetries: 3, backoff: { type: 'exponential', delayMs: 0 } })
    let attempts = 0
    const job = pool.submitJob({
      execute: () => {
        if (++attempts < 4) throw new Error('again')
        return attempts
      },
    })
    expect(await job.value()).toBe(4)
    expect(clock.now()).toBe((await job.result()).queuedAt)
  })
})

describe('the backoff', () => {
  /** The rests between the attempts of a job that always fails. */
  async function restsOf(options: Parameters<typeof createPool>[0], retries: number): Promise<number[]> {
    const { pool, clock } = createPool(options)
    const starts: number[] = []
    const job = pool.submitJob({
      maxRetries: retries,
      execute: () => {
        starts.push(clock.now())
        throw new Error('again')
      },
    })
    while (job.status === 'queued')
      await clock.advance(Math.max(0, (clock.nextWakeAt ?? clock.now()) - clock.now()))
    await job.result()
    return starts.slice(1).map((at, index) => Math.round(at - (starts[index] as number)))
  }

  test('doubles from one second, unless told otherwise', async () => {
    expect(await restsOf({}, 4)).toEqual([1_000, 2_000, 4_000, 8_000])
  })

  test('may be fixed, and capped', async () => {
    expect(await restsOf({ backoff }, 3)).toEqual([100, 100, 100])
    expect(await restsOf({ backoff: { type: 'exponential', delayMs: 100, maxDelayMs: 250 } }, 4)).toEqual([
      100, 200, 250, 250,
    ])
  })

  test('is spread by the jitter, by chance', async () => {
    const draws = [0, 0.5, 0.999]
    let draw = 0
    const random = { next: () => draws[draw++ % draws.length] as number }
    const rests = await restsOf({ random, backoff: { type: 'fixed', delayMs: 1_000, jitter: 0.2 } }, 3)
    expect(rests).toEqual([800, 1_000, 1_200])
  })

  test('of a job goes before the one of the pool, and so do its maxRetries', async () => {
    const { pool, clock } = createPool({ backoff, maxRetries: 9 })
    const held = createHeld()
    const job = pool.submitJob({
      execute: held.execute,
      maxRetries: 1,
      backoff: { type: 'fixed', delayMs: 5_000 },
    })
    held.of(job.id).reject(new Error('once'))
    await clock.advance(4_999)
    expect(held.attempts).toHaveLength(1)
    await clock.advance(1)
    held.of(job.id).reject(new Error('twice'))
    expect(await job.result()).toMatchObject({ status: 'failed', attempts: 2 })
  })
})

describe('a retry', () => {
  test.each([
    [0, 0],
    [100, 100],
  ])('with a backoff of %i ms is told with the instant of the next attempt', async (delayMs, restMs) => {
    const { pool, clock } = createPool({ maxRetries: 1, backoff: { type: 'fixed', delayMs } })
    const events = recordEvents(pool)
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    await clock.advance(30)
    held.of(job.id).reject(new Error('once'))
    await clock.settle()
    const retryAt = clock.now() + restMs
    expect(events).toContainEqual(expect.objectContaining({ type: 'job.retrying', attempt: 1, retryAt }))
    await clock.advance(100)
    held.of(job.id).resolve()
    await clock.settle()
    expect(typesOf(events)).toEqual([
      'job.submitted',
      'job.started',
      'job.retrying',
      'job.started',
      'job.completed',
    ])
  })

  test('gets a signal of its own, and the same arguments', async () => {
    const { pool, clock } = createPool({ maxRetries: 1, backoff: { type: 'fixed', delayMs: 0 } })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute, args: [1, 'two'] })
    held.of(job.id).reject(new Error('once'))
    await clock.settle()
    const [first, second] = held.attempts
    expect([first?.args, second?.args]).toEqual([
      [1, 'two'],
      [1, 'two'],
    ])
    expect(first?.context.signal).not.toBe(second?.context.signal)
    expect(second?.context.attempt).toBe(2)
  })

  test('starts the durations anew: the result tells those of the last attempt', async () => {
    const { pool, clock } = createPool({ maxRetries: 1, backoff })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    const queuedAt = clock.now()
    await clock.advance(7)
    held.of(job.id).reject(new Error('once'))
    await clock.advance(100)
    await clock.advance(20)
    held.of(job.id).resolve()
    expect(await job.result()).toMatchObject({
      attempts: 2,
      queuedAt,
      startedAt: queuedAt + 107,
      endedAt: queuedAt + 127,
      durationMs: 20,
    })
  })
})

describe('an attempt that is lost with what ran it', () => {
  /** An executor that loses the first attempts of each job. */
  const losing = (times: number): Executor => ({
    name: 'losing',
    supports: {},
    refuses: () => undefined,
    start(attempt, sink) {
      if (attempt.attempt <= times) sink.lost(attempt)
      else sink.completed(attempt, attempt.attempt)
    },
  })

  test('is replaced at once, and costs no retry', async () => {
    const { pool, clock } = createPool({ executorType: losing(3) })
    const job = pool.submitJob({ execute: () => 0 })
    expect(await job.result()).toMatchObject({ status: 'completed', value: 4, attempts: 4 })
    await clock.settle()
    expect(pool.getStatus()).toMatchObject({ running: 0, completed: 1 })
  })

  test('counts in the metrics as often as it is told of, beside one that fails', async () => {
    const failingOnce: Executor = {
      ...losing(0),
      start(attempt, sink) {
        if (attempt.attempt === 1) sink.lost(attempt)
        else if (attempt.attempt === 2) sink.failed(attempt, new Error('once'))
        else sink.completed(attempt, attempt.attempt)
      },
    }
    const backoff = { type: 'fixed', delayMs: 0 } as const
    const { pool } = createPool({ executorType: failingOnce, maxRetries: 1, backoff })
    const events = recordEvents(pool)
    await pool.submitJob({ execute: () => 0 }).result()
    expect(pool.getMetrics().retries).toBe(2)
    expect(typesOf(events).filter((type) => type === 'job.retrying')).toHaveLength(2)
  })

  test('ends its job as lost when that happens too often', async () => {
    const { pool } = createPool({ executorType: losing(9), maxLost: 1, maxRetries: 5 })
    const job = pool.submitJob({ execute: () => 0 })
    const result = await job.result()
    expect(result).toMatchObject({ status: 'failed', reason: 'lost', attempts: 2 })
    expect(result.error).toMatchObject({ code: 'ESP_ATTEMPT_LOST', details: { jobId: job.id, attempt: 2 } })
  })

  test('is different from one that is rejected: that is never tried again', async () => {
    const reason = new Error('cannot carry it')
    const rejecting: Executor = { ...losing(0), start: (attempt, sink) => sink.rejected(attempt, reason) }
    const { pool } = createPool({ executorType: rejecting, maxRetries: 5 })
    const job = pool.submitJob({ execute: () => 0 })
    expect(await job.result()).toMatchObject({
      status: 'failed',
      reason: 'rejected',
      attempts: 1,
      error: reason,
    })
  })
})
