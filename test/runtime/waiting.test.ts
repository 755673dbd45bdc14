import type { CancelSource } from 'espalier'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { createHeld, createPool, failing, never } from './harness.ts'

describe('waiting for a job', () => {
  test('gives its result, whether it ends later or has ended', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const job = pool.submitJob({ id: 'j', execute: held.execute })
    const waiting = pool.waitForJob('j')
    held.of('j').resolve('value')
    expect(await waiting).toMatchObject({ jobId: 'j', status: 'completed', value: 'value' })
    expect(await pool.waitForJob('j')).toBe(await job.result())
    await clock.settle()
    expect(clock.wishes).toBe(0)
  })

  test('gives the result of a failed job, and does not reject', async () => {
    const { pool } = createPool()
    pool.submitJob({ id: 'j', execute: failing('broken') })
    expect(await pool.waitForJob('j')).toMatchObject({ status: 'failed', error: { message: 'broken' } })
  })

  test('gives a result whose status tells which of its fields are there', async () => {
    const { pool } = createPool()
    pool.on('job.failed', ({ result }) => expectTypeOf(result.error).toEqualTypeOf<Error>())
    const ends = [() => 1, failing('broken') as () => number].map((execute) =>
      pool.submitJob({ execute }).result(),
    )
    const told = (await Promise.all(ends)).map((result) => {
      if (result.status === 'completed')
        return expectTypeOf(result.value).toEqualTypeOf<number>() && result.value
      if (result.status === 'failed') return result.error.message
      return expectTypeOf(result.cancelledBy).toEqualTypeOf<CancelSource>() && result.reason
    })
    expect(told).toEqual([1, 'broken'])
  })

  test('for its value, which never comes, tells in the stack of the error who waited', async () => {
    const { pool } = createPool()
    pool.pause()
    const job = pool.submitJob({ execute: createHeld().execute })
    const whoWaited = async () => await job.value()
    const waiting = whoWaited().catch((error: Error) => error.stack)
    job.cancel()
    expect(await waiting).toMatch(/ESP_JOB_CANCELLED.*whoWaited/s)
  })

  test('ends at its timeout and not before; the job goes on', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const job = pool.submitJob({ id: 'j', execute: held.execute })
    let error: unknown
    const waiting = pool.waitForJob('j', { timeoutMs: 50 }).catch((thrown) => {
      error = thrown
    })
    await clock.advance(49)
    expect(error).toBeUndefined()
    await clock.advance(1)
    await waiting
    expect(error).toMatchObject({ code: 'ESP_WAIT_TIMEOUT', message: expect.stringContaining('Job "j"') })
    held.of('j').resolve('value')
    expect(await job.value()).toBe('value')
  })

  test('leaves no deadline behind when the job ends in time', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    pool.submitJob({ id: 'j', execute: held.execute })
    const waiting = pool.waitForJob('j', { timeoutMs: 50 })
    held.of('j').resolve('value')
    expect(await waiting).toMatchObject({ value: 'value' })
    await clock.advance(1_000)
    expect(clock.wishes).toBe(0)
  })

  test.each(['never submitted', 'forgotten'])('that was %s is refused', async (how) => {
    const { pool } = createPool({ keep: 0 })
    if (how === 'forgotten') await pool.submitJob({ id: 'j', execute: () => 1 }).result()
    await expect(pool.waitForJob('j')).rejects.toMatchObject({ code: 'ESP_UNKNOWN_JOB' })
  })

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5'])(
    'with a timeout of %o is refused',
    async (timeoutMs) => {
      const { pool } = createPool()
      pool.submitJob({ id: 'j', execute: never })
      const options = { timeoutMs: timeoutMs as number }
      await expect(pool.waitForJob('j', options)).rejects.toMatchObject({ code: 'ESP_INVALID_OPTION' })
      await expect(pool.waitForAll(options)).rejects.toMatchObject({ code: 'ESP_INVALID_OPTION' })
    },
  )
})

describe('waiting for all jobs', () => {
  test('gives all results by id, in order of submission', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 2 })
    const held = createHeld()
    pool.submitJob({ id: 'a', execute: held.execute })
    pool.submitJob({ id: 'b', execute: failing() })
    pool.submitJob({ id: 'c', execute: () => 3, delayMs: 10 })
    const waiting = pool.waitForAll()
    await clock.advance(10)
    held.of('a').resolve(1)
    const results = await waiting
    expect(Array.from(results, ([id, { status }]) => [id, status])).toEqual([
      ['a', 'completed'],
      ['b', 'failed'],
      ['c', 'completed'],
    ])
  })

  test('includes jobs that come while it waits', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    pool.submitJob({ id: 'a', execute: held.execute })
    let hasEnded = false
    const waiting = pool.waitForAll().then((results) => {
      hasEnded = true
      return results
    })
    pool.submitJob({ id: 'b', execute: held.execute })
    held.of('a').resolve()
    await clock.settle()
    expect(hasEnded).toBe(false)
    held.of('b').resolve()
    expect((await waiting).size).toBe(2)
  })

  test('is over at once when nothing is queued or running', async () => {
    const { pool } = createPool()
    expect((await pool.waitForAll()).size).toBe(0)
    await pool.submitJob({ id: 'a', execute: () => 1 }).result()
    expect([...(await pool.waitForAll()).keys()]).toEqual(['a'])
  })

  test('ends at its timeout, and the jobs go on', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    const waiting = pool.waitForAll({ timeoutMs: 50 })
    const refused = expect(waiting).rejects.toMatchObject({ code: 'ESP_WAIT_TIMEOUT' })
    await clock.advance(50)
    await refused
    expect(job.status).toBe('running')
    held.of(job.id).resolve()
    expect((await pool.waitForAll({ timeoutMs: 50 })).size).toBe(1)
    await clock.settle()
    expect(clock.wishes).toBe(0)
  })
})
