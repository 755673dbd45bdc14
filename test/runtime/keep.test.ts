import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { createPool, expectRefusal, failing } from './harness.ts'

const knownIds = (pool: ReturnType<typeof createPool>['pool']) => pool.getTimeline().map(({ jobId }) => jobId)

describe('what is kept of ended jobs', () => {
  test('is the newest of each outcome, by count', async () => {
    const { pool } = createPool({ keep: { completed: 2, failed: { count: 1 } } })
    for (const id of ['c1', 'c2', 'c3']) await pool.submitJob({ id, execute: () => 1 }).result()
    for (const id of ['f1', 'f2']) await pool.submitJob({ id, execute: failing() }).result()
    for (const id of ['x1', 'x2']) pool.submitJob({ id, execute: () => 1, delayMs: 100 }).cancel()
    expect(knownIds(pool)).toEqual(['c2', 'c3', 'f2', 'x1', 'x2'])
    expect(pool.getStatus().failedJobIds).toEqual(['f2'])
  })

  test('is as many of each outcome as a plain number says', async () => {
    const { pool } = createPool({ keep: 1 })
    for (const id of ['a', 'b']) await pool.submitJob({ id, execute: () => 1 }).result()
    await pool.submitJob({ id: 'c', execute: failing() }).result()
    expect(knownIds(pool)).toEqual(['b', 'c'])
  })

  test('is nothing with 0; who holds the job still gets its result', async () => {
    const { pool } = createPool({ keep: 0 })
    const job = pool.submitJob({ id: 'a', execute: () => 'value' })
    expect(await job.value()).toBe('value')
    expect(pool.job('a')).toBeUndefined()
    expect(job.cancel()).toBe(false)
    expect([...(await pool.waitForAll()).keys()]).toEqual([])
  })

  test('is no older than its age allows, seen when another job ends', async () => {
    const { pool, clock } = createPool({ keep: { completed: { ageMs: 100 } } })
    await pool.submitJob({ id: 'old', execute: () => 1 }).result()
    await clock.advance(100)
    await pool.submitJob({ id: 'middle', execute: () => 1 }).result()
    expect(knownIds(pool)).toEqual(['old', 'middle'])
    await clock.advance(1)
    await pool.submitJob({ id: 'new', execute: () => 1 }).result()
    expect(knownIds(pool)).toEqual(['middle', 'new'])
  })

  test('is no older than its age allows, though nothing happens any more', async () => {
    const { pool, clock } = createPool({ keep: { completed: { ageMs: 100 } } })
    await pool.submitJob({ id: 'old', execute: () => 1 }).result()
    await clock.advance(10_000)
    expect(pool.job('old')).toBeUndefined()
  })

  test('does not change the counts: forgotten jobs are counted for ever', async () => {
    const { pool } = createPool({ keep: 0 })
    for (let count = 0; count < 5; count++) await pool.submitJob({ execute: () => 1 }).result()
    await pool.submitJob({ execute: failing() }).result()
    expect(pool.getStatus()).toMatchObject({ completed: 5, failed: 1, total: 6, failedJobIds: [] })
  })

  test('never lets go of a job that has not ended', async () => {
    const { pool } = createPool({ keep: 0 })
    pool.submitJob({ id: 'waits', execute: () => 1, delayMs: 100 })
    await pool.submitJob({ execute: () => 1 }).result()
    expect(pool.job('waits')?.status).toBe('queued')
  })
})

describe('a forgotten job', () => {
  test('is let go by the jobs that depended on it, once they have ended', async () => {
    const { pool } = createPool({ keep: 0 })
    pool.pause()
    const first = new WeakRef(pool.submitJob({ id: 'first', execute: () => 1 }))
    const last = pool.submitJob({ execute: () => 2, dependencies: ['first'] })
    pool.resume()
    await pool.waitForAll()
    setFlagsFromString('--expose-gc')
    // What a WeakRef has given out lives until the event loop has turned.
    await new Promise((resolve) => setImmediate(resolve))
    ;(runInNewContext('gc') as () => void)()
    expect(first.deref()).toBeUndefined()
    expect(last.status).toBe('completed')
  })

  test('with an id of the pool’s own is remembered by how it ended, however many there were', async () => {
    const { pool } = createPool({ keep: 0 })
    const jobs = Array.from({ length: 3_000 }, (_, index) =>
      pool.submitJob({ execute: index === 1_500 ? failing() : () => index }),
    )
    await pool.waitForAll()
    const [first, failed] = [jobs[0], jobs[1_500]].map((job) => job?.id as string)
    expect([pool.job(first as string), pool.cancelJob(first as string)]).toEqual([undefined, false])
    expect(await pool.submitJob({ execute: () => 'goes on', dependencies: [first as string] }).value()).toBe(
      'goes on',
    )
    const stopped = await pool.submitJob({ execute: () => 1, dependencies: [failed as string] }).result()
    expect(stopped).toMatchObject({ status: 'cancelled', causedBy: failed })
    expect(() => pool.cancelJob(`${first}zz`)).toThrow('ESP_UNKNOWN_JOB')
  })

  test('leaves its id taken', async () => {
    const { pool } = createPool({ keep: 0 })
    await pool.submitJob({ id: 'a', execute: () => 1 }).result()
    expectRefusal(pool, 'ESP_DUPLICATE_JOB', () => pool.submitJob({ id: 'a', execute: () => 2 }))
  })

  test('answers a cancel by its id with false', async () => {
    const { pool } = createPool({ keep: 0 })
    await pool.submitJob({ id: 'a', execute: () => 1 }).result()
    expect(pool.cancelJob('a')).toBe(false)
  })

  test('has told its dependants before it was forgotten', async () => {
    const { pool } = createPool({ keep: 0 })
    const [, child, grandchild] = pool.submitJobs([
      { id: 'a', execute: () => 1 },
      { id: 'b', execute: (context) => (context.parentResults.a as number) + 1, dependencies: ['a'] },
      { id: 'c', execute: (context) => (context.parentResults.b as number) + 1, dependencies: ['b'] },
    ])
    expect([await child?.value(), await grandchild?.value()]).toEqual([2, 3])
  })
})
