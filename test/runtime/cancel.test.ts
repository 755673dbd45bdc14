import type { Job, JobPool } from 'espalier'
import { describe, expect, test } from 'vitest'
import {
  createHeld,
  createPool,
  expectAllSlotsFree,
  expectConsistent,
  expectRefusal,
  obedient,
  stateOf,
} from './harness.ts'

const prepared = {
  blocked: (pool: ReturnType<typeof createPool>['pool']) => {
    const parent = pool.submitJob({ execute: createHeld().execute })
    return pool.submitJob({ execute: () => 1, dependencies: [parent] })
  },
  ready: (pool: ReturnType<typeof createPool>['pool']) => {
    pool.submitJob({ execute: createHeld().execute })
    return pool.submitJob({ execute: () => 1 })
  },
  delayed: (pool: ReturnType<typeof createPool>['pool']) =>
    pool.submitJob({ execute: () => 1, delayMs: 500 }),
}

describe('cancelling a queued job', () => {
  test.each(Object.entries(prepared))(
    'ends it at once when %s, and it never starts',
    async (state, prepare) => {
      const { pool, clock } = createPool({ maxParallelJobs: 1 })
      const job = prepare(pool)
      expect(stateOf(job)).toBe(`queued.${state}`)
      expect(job.cancel('enough')).toBe(true)
      expect(job.status).toBe('cancelled')
      expect(await job.result()).toMatchObject({
        status: 'cancelled',
        reason: 'enough',
        attempts: 0,
        durationMs: 0,
      })
      expect(job.cancel('again')).toBe(false)
      expect(pool.cancelJob(job.id)).toBe(false)
      await clock.advance(1_000)
      expect(await job.result()).toMatchObject({ reason: 'enough', attempts: 0 })
      expectConsistent(pool)
    },
  )

  test('ends it while it rests before a retry', async () => {
    const { pool, clock } = createPool({ maxRetries: 3 })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    held.of(job.id).reject(new Error('once'))
    await clock.settle()
    expect(job.cancel()).toBe(true)
    await clock.advance(100_000)
    expect(await job.result()).toMatchObject({ status: 'cancelled', reason: 'user', attempts: 1 })
    expect(held.attempts).toHaveLength(1)
    expect(clock.wishes).toBe(0)
  })
})

describe('cancelling a running job', () => {
  test('aborts its signal with the reason, and holds the slot until it has ended', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const held = createHeld()
    const job = pool.submitJob({ id: 'j', execute: held.execute })
    const next = pool.submitJob({ execute: held.execute })
    expect(pool.cancelJob('j', 'enough')).toBe(true)
    const { signal } = held.of('j').context
    expect(signal.aborted).toBe(true)
    expect(signal.reason).toMatchObject({
      code: 'ESP_JOB_CANCELLED',
      details: { jobId: 'j', reason: 'enough' },
    })
    await clock.settle()
    expect([stateOf(job), next.status]).toEqual(['running.stopping', 'queued'])
    held.of('j').resolve('whatever')
    await clock.settle()
    expect(await job.result()).toMatchObject({
      status: 'cancelled',
      reason: 'enough',
      cancelledBy: 'user',
      value: undefined,
      attempts: 1,
    })
    expect(next.status).toBe('running')
    await expect(job.value()).rejects.toMatchObject({ code: 'ESP_JOB_CANCELLED' })
  })

  test('twice keeps the first reason; after the end it answers false', async () => {
    const { pool, clock } = createPool()
    const job = pool.submitJob({ execute: obedient })
    expect(job.cancel('first')).toBe(true)
    expect(job.cancel('second')).toBe(true)
    await clock.settle()
    expect(await job.result()).toMatchObject({ reason: 'first' })
    expect(job.cancel('third')).toBe(false)
    await expectAllSlotsFree(pool, clock)
  })

  test('overrules its timeout: no retry follows', async () => {
    const { pool, clock } = createPool({ timeoutMs: 100, maxRetries: 5 })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    await clock.advance(100)
    expect(stateOf(job)).toBe('running.stopping')
    expect(job.cancel('enough')).toBe(true)
    held.of(job.id).reject(new Error('aborted'))
    await clock.advance(100_000)
    expect(await job.result()).toMatchObject({ status: 'cancelled', reason: 'enough', attempts: 1 })
    expect(held.attempts).toHaveLength(1)
  })

  test('never lets another attempt start, though it fails at the same moment', async () => {
    const { pool, clock } = createPool({ maxRetries: 5, backoff: { type: 'fixed', delayMs: 0 } })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    job.cancel()
    held.of(job.id).reject(new Error('broken'))
    await clock.settle()
    expect(await job.result()).toMatchObject({ status: 'cancelled', attempts: 1 })
    expect(held.attempts).toHaveLength(1)
  })
})

describe('a cancel and a completion in the same tick', () => {
  test('cancel first: the job is cancelled', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    expect(job.cancel()).toBe(true)
    held.of(job.id).resolve('value')
    await clock.settle()
    expect(await job.result()).toMatchObject({ status: 'cancelled', value: undefined })
    await expectAllSlotsFree(pool, clock)
  })

  test('completion first: the cancel comes too late, or is told so', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    held.of(job.id).resolve('value')
    // The promise has been resolved, and the pool has not heard of it: what was said to the caller holds.
    const wasAccepted = job.cancel()
    await clock.settle()
    expect((await job.result()).status).toBe(wasAccepted ? 'cancelled' : 'completed')
    await expectAllSlotsFree(pool, clock)
  })

  test('completion heard first: the outcome stands', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    const answers: boolean[] = []
    pool.on('job.completed', () => answers.push(job.cancel()))
    held.of(job.id).resolve('value')
    await clock.settle()
    expect(answers).toEqual([false])
    expect(await job.result()).toMatchObject({ status: 'completed', value: 'value' })
    await expectAllSlotsFree(pool, clock)
  })

  test('of the timeout: one outcome, whichever order the clock gives', async () => {
    for (const order of ['cancel', 'timeout'] as const) {
      const { pool, clock } = createPool({ timeoutMs: 100 })
      const job = pool.submitJob({ execute: obedient })
      if (order === 'timeout') {
        await clock.advance(100)
        expect(job.cancel()).toBe(false)
      } else {
        await clock.advance(99)
        job.cancel()
        await clock.advance(1)
      }
      expect((await job.result()).status).toBe(order === 'timeout' ? 'failed' : 'cancelled')
      await expectAllSlotsFree(pool, clock)
    }
  })
})

test('cancelling a job that was never submitted is refused', () => {
  const { pool } = createPool()
  expectRefusal(pool, 'ESP_UNKNOWN_JOB', () => pool.cancelJob('nobody'))
})

describe('a reason that is no string is refused', () => {
  const unprintable = {
    toString() {
      throw new Error('no words')
    },
  }
  const ways = {
    'by its job': (job, _, reason) => job.cancel(reason),
    'by the pool': (job, pool, reason) => pool.cancelJob(job.id, reason),
    'as an event': (job, _, reason) => job.send({ type: 'job.cancel', at: 0, by: 'user', reason }),
  } satisfies Record<string, (job: Job, pool: JobPool, reason: string) => unknown>
  const reasons = [Object.create(null), Symbol('why'), unprintable, 5, null, () => 'why', new Error('why')]

  test.each(Object.entries(ways))('%s, and nothing has changed', async (_, cancel) => {
    const { pool, clock } = createPool({ maxParallelJobs: 1, timeoutMs: 100 })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    const next = pool.submitJob({ execute: obedient })
    for (const reason of reasons) {
      const { message } = expectRefusal(pool, 'ESP_INVALID_OPTION', () => cancel(job, pool, reason))
      expect(message).toContain('"reason"')
    }
    expect(stateOf(job)).toBe('running.executing')
    expect(held.of(job.id).context.signal.aborted).toBe(false)
    await clock.advance(100)
    held.of(job.id).reject(new Error('aborted'))
    expect(await job.result()).toMatchObject({ status: 'failed', reason: 'timeout' })
    expect(next.status).toBe('running')
    await pool.shutdown({ wait: false })
    expect(next.status).toBe('cancelled')
  })

  test('also of a job that has ended', async () => {
    const { pool } = createPool()
    const job = pool.submitJob({ execute: () => 1 })
    await job.result()
    for (const cancel of Object.values(ways))
      expectRefusal(pool, 'ESP_INVALID_OPTION', () => cancel(job, pool, null as never))
  })
})

describe('cancelling the root of', () => {
  const SIZE = 10_000

  test('a chain of 10,000 cancels all of it', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const jobs = pool.submitJobs(
      Array.from({ length: SIZE }, (_, index) => ({
        id: `c${index}`,
        execute: held.execute,
        dependencies: index === 0 ? [] : [`c${index - 1}`],
      })),
    )
    jobs[0]?.cancel()
    held.of('c0').reject(new Error('aborted'))
    await clock.settle()
    expect(pool.getStatus()).toMatchObject({ cancelled: SIZE, queued: 0, running: 0 })
    expect(await jobs.at(-1)?.result()).toMatchObject({ reason: 'dependency', causedBy: `c${SIZE - 2}` })
    await expectAllSlotsFree(pool, clock)
  })

  test('a fan-out of 10,000 cancels all of it', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const root = pool.submitJob({ id: 'root', execute: held.execute })
    const leaves = pool.submitJobs(
      Array.from({ length: SIZE }, () => ({ execute: held.execute, dependencies: [root] })),
    )
    root.cancel()
    held.of('root').reject(new Error('aborted'))
    await clock.settle()
    expect(pool.getStatus()).toMatchObject({ cancelled: SIZE + 1, queued: 0, running: 0 })
    expect(await leaves.at(-1)?.result()).toMatchObject({ causedBy: 'root' })
    expect(held.started()).toEqual(['root'])
  })

  test('a fan-in of 10,000 cancels the one that waits for them', async () => {
    const { pool, clock } = createPool()
    const ids = Array.from({ length: SIZE }, (_, index) => `p${index}`)
    pool.submitJobs(ids.map((id) => ({ id, execute: () => 1, delayMs: 1_000 })))
    const last = pool.submitJob({ execute: () => 2, dependencies: ids })
    pool.cancelJob('p7')
    expect(await last.result()).toMatchObject({ status: 'cancelled', causedBy: 'p7' })
    await clock.advance(1_000)
    expect(pool.getStatus()).toMatchObject({ completed: SIZE - 1, cancelled: 2, queued: 0 })
  })
})
