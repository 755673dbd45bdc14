import { expect, test } from 'vitest'
import { createMemoryStore, type Job, JobPool } from '../../src/index.ts'
import { durablePool } from '../durable/world.ts'

test('a queued job goes before others once it has a higher priority, and is counted there', async () => {
  await using pool = new JobPool({ maxParallelJobs: 1 })
  const order: string[] = []
  pool.pause()
  for (const id of ['a', 'b', 'c']) pool.submitJob({ id, execute: () => order.push(id) })
  expect(pool.prioritiseJob('c', 'high')).toBe(true)
  expect(pool.prioritiseJob('a', 'low')).toBe(true)
  expect(pool.getStatus().queuedByPriority).toEqual({ critical: 0, high: 1, normal: 1, low: 1 })
  pool.resume()
  await pool.waitForAll()
  expect(order).toEqual(['c', 'b', 'a'])
  expect(pool.getStatus().queuedByPriority).toEqual({ critical: 0, high: 0, normal: 0, low: 0 })
})

test('a job moved back and forth runs once', async () => {
  await using pool = new JobPool({ maxParallelJobs: 1 })
  let runs = 0
  pool.pause()
  const job = pool.submitJob({ execute: () => ++runs })
  for (const priority of ['high', 'normal', 'high', 'normal'] as const) pool.prioritiseJob(job.id, priority)
  pool.resume()
  await pool.waitForAll()
  expect(runs).toBe(1)
})

test('a job that is not queued any more keeps its priority', async () => {
  await using pool = new JobPool()
  const job = pool.submitJob({ id: 'done', execute: () => 1 })
  await job.result()
  expect(pool.prioritiseJob('done', 'high')).toBe(false)
})

test('a job that is about to start, once its store has taken that, is not moved any more', async () => {
  const { pool, clock } = durablePool(createMemoryStore(), { maxParallelJobs: 1 })
  const moves: boolean[] = []
  const move = (id: string) => moves.push(pool.prioritiseJob(id, 'high'))
  const [first, second] = ['one', 'one'].map((execute) => pool.submitJob({ execute })) as [Job, Job]
  first.subscribe(() => move(first.id))
  move(first.id)
  move(second.id)
  expect(pool.getStatus().queuedByPriority).toEqual({ critical: 0, high: 1, normal: 0, low: 0 })
  await clock.settle()
  expect(new Set(moves.toSpliced(1, 1))).toEqual(new Set([false]))
  expect(moves[1]).toBe(true)
  expect(pool.getStatus().queuedByPriority).toEqual({ critical: 0, high: 0, normal: 0, low: 0 })
})

test('what does not exist is refused', async () => {
  await using pool = new JobPool()
  expect(() => pool.prioritiseJob('nobody', 'high')).toThrow(/ESP_UNKNOWN_JOB/)
  expect(() => pool.prioritiseJob('nobody', 'urgent' as 'high')).toThrow(/ESP_UNKNOWN_PRIORITY/)
})
