import { JobPool } from 'espalier'
import { describe, expect, test } from 'vitest'
import { createPool, expectConsistent } from './harness.ts'

describe('the id of a job', () => {
  test('is the chosen one, and finds the job', () => {
    const { pool } = createPool()
    const ids = ['a', '0', 'constructor', '__proto__', 'x'.repeat(200), 'ünïcode → ✓']
    const jobs = ids.map((id) => pool.submitJob({ id, execute: () => 1 }))
    expect(jobs.map(({ id }) => id)).toEqual(ids)
    expect(ids.map((id) => pool.job(id))).toEqual(jobs)
    expect(['b', '1', 'toString', ''].map((id) => pool.job(id))).toEqual(Array(4).fill(undefined))
  })

  test('is a fresh one when none is chosen, unique among the pools of a process, and short', () => {
    const pools = [new JobPool(), new JobPool()]
    const jobs = pools.flatMap((pool) =>
      Array.from({ length: 3_000 }, () => pool.submitJob({ execute: () => 1 })),
    )
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(6_000)
    for (const { id } of jobs) expect(id.length).toBeLessThan(20)
    for (const [index, job] of jobs.entries()) expect(pools[index < 3_000 ? 0 : 1]?.job(job.id)).toBe(job)
  })

  test('is never one that was chosen before, whatever the chosen ones look like', async () => {
    const { pool } = createPool({ ids: { next: () => 'job' } })
    const chosen = Array.from({ length: 40 }, (_, index) =>
      pool.submitJob({ id: `job${index}`, execute: () => 1 }),
    )
    const fresh = Array.from({ length: 40 }, () => pool.submitJob({ execute: () => 2 }))
    const jobs = [...chosen, ...fresh]
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(80)
    for (const job of jobs) expect(pool.job(job.id)).toBe(job)
    expect((await pool.waitForAll()).size).toBe(80)
    expectConsistent(pool)
  })

  test('of a fresh job cannot be chosen again', () => {
    const { pool } = createPool()
    const { id } = pool.submitJob({ execute: () => 1 })
    expect(() => pool.submitJob({ id, execute: () => 2 })).toThrow(
      expect.objectContaining({ code: 'ESP_DUPLICATE_JOB' }),
    )
  })
})
