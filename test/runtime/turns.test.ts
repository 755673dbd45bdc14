import { expect, test } from 'vitest'
import { createPool } from './harness.ts'

test('a job starts at once in a free slot, however long the turn of the event loop has lasted', () => {
  const { pool, clock } = createPool()
  pool.submitJob({ execute: () => 1, delayMs: 10_000 })
  clock.jump(500)
  expect(pool.submitJob({ execute: () => 1 }).status).toBe('completed')
})

test('jobs that compute leave the event loop its turn after some time, and go on in the next', async () => {
  const { pool, clock } = createPool({ maxParallelJobs: 1 })
  pool.pause()
  const jobs = pool.submitJobs(Array.from({ length: 10 }, () => ({ execute: () => clock.jump(15) })))
  pool.resume()
  const completed = () => jobs.filter(({ status }) => status === 'completed').length
  expect(completed()).toBe(2)
  await pool.waitForAll()
  expect(completed()).toBe(10)
})
