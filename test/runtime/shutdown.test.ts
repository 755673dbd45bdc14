import { JobPool } from 'espalier'
import { describe, expect, test } from 'vitest'
import { createHeld, createPool, expectRefusal, never, obedient, RecordingLogger } from './harness.ts'

const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
  const open = Symbol('open')
  return (await Promise.race([promise, Promise.resolve(open)])) !== open
}

describe('a shutdown', () => {
  test('of an idle pool closes it, and refuses jobs from then on', async () => {
    const { pool } = createPool()
    await pool.shutdown()
    expect(pool.getStatus().states).toMatchObject({ lifecycle: 'closed' })
    const error = expectRefusal(pool, 'ESP_POOL_CLOSED', () => pool.submitJob({ execute: () => 1 }))
    expect(error.message).toContain('closed')
    expectRefusal(pool, 'ESP_POOL_CLOSED', () => pool.submitJobs([{ execute: () => 1 }]))
  })

  test('waits for all accepted jobs: running, queued, delayed, blocked and retried ones', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1, maxRetries: 1 })
    const held = createHeld()
    pool.submitJobs([
      { id: 'a', execute: held.execute },
      { id: 'b', execute: () => 2, dependencies: ['a'] },
      { id: 'c', execute: () => 3, delayMs: 500 },
    ])
    const closing = pool.shutdown()
    expectRefusal(pool, 'ESP_POOL_CLOSED', () => pool.submitJob({ execute: () => 1 }))
    held.of('a').reject(new Error('once'))
    await clock.advance(1_000)
    expect(await isSettled(closing)).toBe(false)
    held.of('a').resolve()
    await closing
    expect(pool.getStatus()).toMatchObject({ completed: 3, total: 3 })
  })

  test('waits for callbacks, but no longer than they may take', async () => {
    const { pool, clock } = createPool({ callbackTimeoutMs: 50 })
    await pool.submitJob({ execute: () => 1, callback: never }).result()
    const closing = pool.shutdown()
    await clock.advance(49)
    expect(await isSettled(closing)).toBe(false)
    await clock.advance(1)
    await closing
  })

  test('cancels what is left when its time is over', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const running = pool.submitJob({ execute: obedient })
    const queued = pool.submitJob({ execute: () => 1 })
    const delayed = pool.submitJob({ execute: () => 1, delayMs: 99_999 })
    const closing = pool.shutdown({ timeoutMs: 100 })
    await clock.advance(99)
    expect(running.status).toBe('running')
    await clock.advance(1)
    await closing
    for (const job of [running, queued, delayed]) {
      expect(await job.result()).toMatchObject({
        status: 'cancelled',
        reason: 'shutdown',
        cancelledBy: 'shutdown',
      })
    }
    expect(clock.wishes).toBe(0)
  })

  test('is bounded, though a handler never ends', async () => {
    const { pool, clock } = createPool({ killGraceMs: 20 })
    const job = pool.submitJob({ execute: never })
    const closing = pool.shutdown({ timeoutMs: 100 })
    await clock.advance(119)
    expect(await isSettled(closing)).toBe(false)
    await clock.advance(1)
    await closing
    expect(await job.result()).toMatchObject({ status: 'cancelled', reason: 'shutdown' })
    expect(pool.getStatus().zombies).toBe(1)
  })

  test('waits for 30 seconds unless told otherwise', async () => {
    const { pool, clock } = createPool()
    pool.submitJob({ execute: obedient })
    const closing = pool.shutdown()
    await clock.advance(29_999)
    expect(await isSettled(closing)).toBe(false)
    await clock.advance(1)
    await closing
  })

  test('that does not wait cancels all at once', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const jobs = pool.submitJobs([
      { id: 'a', execute: obedient },
      { execute: () => 1 },
      { execute: () => 1, dependencies: ['a'] },
    ])
    await pool.shutdown({ wait: false })
    for (const job of jobs) expect((await job.result()).status).toBe('cancelled')
    expect(pool.getStatus()).toMatchObject({ cancelled: 3, running: 0, queued: 0 })
    await clock.settle()
    expect(clock.wishes).toBe(0)
  })

  test('may be asked for twice: both resolve, and the second may hurry the first', async () => {
    const { pool, clock } = createPool()
    const job = pool.submitJob({ execute: obedient })
    const first = pool.shutdown()
    const second = pool.shutdown()
    await clock.advance(10)
    expect(job.status).toBe('running')
    await Promise.all([first, second, pool.shutdown({ wait: false })])
    expect(await job.result()).toMatchObject({ status: 'cancelled', reason: 'shutdown' })
    await pool.shutdown()
  })

  test('waits as long as the shortest of those who ask, whoever asks first', async () => {
    for (const timeouts of [
      [5_000, 100],
      [100, 5_000],
    ]) {
      const { pool, clock } = createPool()
      const job = pool.submitJob({ execute: obedient })
      const closing = Promise.all(timeouts.map((timeoutMs) => pool.shutdown({ timeoutMs })))
      await clock.advance(99)
      expect(job.status).toBe('running')
      await clock.advance(1)
      await closing
      expect(await job.result()).toMatchObject({ status: 'cancelled', reason: 'shutdown' })
    }
  })

  test('that is asked to wait longer in the meantime does not', async () => {
    const { pool, clock } = createPool()
    const job = pool.submitJob({ execute: obedient })
    const closing = pool.shutdown({ timeoutMs: 100 })
    await clock.advance(60)
    void pool.shutdown({ timeoutMs: 60 })
    await clock.advance(39)
    expect(job.status).toBe('running')
    await clock.advance(1)
    await closing
    expect(job.status).toBe('cancelled')
  })

  test('of a paused pool opens it, so that it can drain', async () => {
    const { pool } = createPool()
    pool.pause()
    const job = pool.submitJob({ execute: () => 'ran' })
    await pool.shutdown()
    expect(await job.value()).toBe('ran')
  })

  test('from a callback does not wait for that callback', async () => {
    const { pool } = createPool()
    const job = pool.submitJob({ execute: () => 1, callback: () => pool.shutdown() })
    await job.result()
    await pool.shutdown()
    expect(pool.getHealth().status).toBe('closed')
  })

  test('from a handler ends once that handler has', async () => {
    const { pool } = createPool()
    let closing: Promise<void> | undefined
    const job = pool.submitJob({
      execute: () => {
        closing = pool.shutdown()
        return 'done'
      },
    })
    expect(await job.value()).toBe('done')
    await closing
    expect(pool.getHealth().status).toBe('closed')
  })

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 'soon'])(
    'with a timeout of %o is refused, and changes nothing',
    async (timeoutMs) => {
      const { pool } = createPool()
      await expect(pool.shutdown({ timeoutMs: timeoutMs as number })).rejects.toMatchObject({
        code: 'ESP_INVALID_OPTION',
      })
      expect(pool.getHealth().isAccepting).toBe(true)
    },
  )

  test('leaves queries and cancels working', async () => {
    const { pool } = createPool()
    const job = pool.submitJob({ id: 'j', execute: () => 1 })
    await pool.shutdown()
    expect(pool.cancelJob('j')).toBe(false)
    expect(job.cancel()).toBe(false)
    expect(await pool.waitForJob('j')).toMatchObject({ value: 1 })
    expect((await pool.waitForAll()).size).toBe(1)
    pool.pause()
    pool.resume()
    pool.setMaxParallelJobs(7)
    expect(pool.getStatus()).toMatchObject({ completed: 1, states: { lifecycle: 'closed' } })
  })
})

describe('the end of a pool is also brought about by', () => {
  test('its signal: without waiting', async () => {
    const controller = new AbortController()
    const { pool, clock } = createPool({ signal: controller.signal })
    const job = pool.submitJob({ execute: obedient })
    controller.abort()
    expect(await job.result()).toMatchObject({ status: 'cancelled', reason: 'shutdown' })
    await clock.settle()
    expect(pool.getHealth().status).toBe('closed')
  })

  test('a signal that was aborted before', async () => {
    const { pool } = createPool({ signal: AbortSignal.abort() })
    expectRefusal(pool, 'ESP_POOL_CLOSED', () => pool.submitJob({ execute: () => 1 }))
  })

  test('the end of its scope, with `await using`', async () => {
    const results: unknown[] = []
    {
      await using pool = new JobPool({ logger: new RecordingLogger() })
      pool.submitJob({ execute: async () => results.push('ran') })
      pool.submitJob({ execute: () => results.push('too'), delayMs: 1 })
    }
    expect(results).toEqual(['ran', 'too'])
  })
})
