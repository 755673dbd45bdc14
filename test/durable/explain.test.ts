import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { explainStored, JobPool, openSqliteStore } from 'espalier'
import { describe, expect, test } from 'vitest'
import { durablePool, FaultyStore, full } from './world.ts'

describe('pool.explain', () => {
  test('names what a blocked job waits for, the place of a ready one, and the deadline of a running one', async () => {
    const { pool, clock } = durablePool(new FaultyStore().process().store, {
      maxParallelJobs: 1,
      timeoutMs: 5_000,
    })
    pool.submitJob({ id: 'a', execute: 'held' })
    pool.submitJob({ id: 'b', execute: 'held' })
    pool.submitJob({ id: 'c', execute: 'held', priority: 'high' })
    pool.submitJob({ id: 'd', execute: 'held', dependencies: ['a', 'b'] })
    pool.submitJob({ id: 'e', execute: 'held', delayMs: 500 })
    await clock.settle()
    expect(pool.explain('a')).toMatchObject({ state: 'running.executing', deadlineAt: clock.now() + 5_000 })
    expect(pool.explain('b')).toMatchObject({
      state: 'queued.ready',
      queue: { place: 2, of: 2, slots: ['a'] },
    })
    expect(pool.explain('c').queue?.place).toBe(1)
    expect(pool.explain('d').waitsFor).toEqual([
      { jobId: 'a', status: 'running' },
      { jobId: 'b', status: 'queued' },
    ])
    expect(pool.explain('e')).toMatchObject({ state: 'queued.delayed', deadlineAt: clock.now() + 500 })
    expect(() => pool.explain('nobody')).toThrow(expect.objectContaining({ code: 'ESP_UNKNOWN_JOB' }))
  })

  test('names the resources that a ready job waits for, and its place among those that do', async () => {
    const store = new FaultyStore().process().store
    const { pool, clock } = durablePool(store, { limits: { gpu: 2 } })
    pool.submitJob({ id: 'a', execute: 'held', resources: { gpu: 2 } })
    pool.submitJob({ id: 'b', execute: 'held', resources: { gpu: 1 } })
    await clock.settle()
    const place = { place: 1, of: 1, slots: ['a'] }
    expect(pool.explain('b')).toMatchObject({
      state: 'queued.ready',
      queue: place,
      wants: [{ resource: 'gpu', demanded: 1, held: 2, limit: 2, holders: [{ jobId: 'a', held: 2 }] }],
    })
    expect(explainStored('b', store)).toEqual({
      ...pool.explain('b'),
      wants: [{ ...pool.explain('b').wants[0], limit: undefined }],
    })
  })

  test('says of a job in a store that no process works with that it goes on with the next pool', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'espalier-explain-'))
    const file = join(folder, 'jobs.db')
    const pool = new JobPool({ store: file, handlers: { held: () => new Promise(() => {}) }, killGraceMs: 0 })
    await pool.submitJob({ id: 'a', execute: 'held' }).accepted
    const isInterrupted = () => {
      const store = openSqliteStore(file, { readOnly: true })
      const explained = explainStored('a', store)
      store.close()
      return explained.isInterrupted
    }
    expect([isInterrupted(), pool.explain('a').isInterrupted]).toEqual([false, false])
    await pool.shutdown({ wait: false })
    expect(isInterrupted()).toBe(true)
    rmSync(folder, { recursive: true })
  })

  test('tells the chain of causes that ended a job', async () => {
    const { store } = new FaultyStore().process()
    const { pool, clock } = durablePool(store, { maxRetries: 2 })
    pool.submitJob({ id: 'a', execute: 'bad', backoff: { type: 'fixed', delayMs: 0 } })
    pool.submitJob({ id: 'b', execute: 'one', dependencies: ['a'] })
    pool.submitJob({ id: 'c', execute: 'one', dependencies: ['b'] })
    await clock.settle()
    expect(pool.explain('c').causes).toMatchObject([
      { jobId: 'c', status: 'cancelled', cancelledBy: 'dependency' },
      { jobId: 'b', status: 'cancelled', cancelledBy: 'dependency' },
      { jobId: 'a', status: 'failed', reason: 'error', attempts: 3, error: { message: 'no' } },
    ])
    expect(explainStored('c', store)).toEqual(pool.explain('c'))
  })
})

test('health tells of a store that refuses, until it does not', async () => {
  const disk = new FaultyStore()
  const { pool, clock } = durablePool(disk.process().store)
  expect(pool.getHealth().status).toBe('healthy')
  disk.onCommit = () => {
    throw full()
  }
  pool.submitJob({ id: 'a', execute: 'one' })
  await clock.settle()
  expect(pool.getHealth()).toMatchObject({
    status: 'degraded',
    isDispatching: false,
    reasons: ['Nothing starts: the store refuses to commit.'],
  })
  disk.onCommit = () => {}
  await pool.submitJob({ id: 'b', execute: 'one' }).accepted
  expect(pool.getHealth().status).toBe('healthy')
})
