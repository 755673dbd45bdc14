import { describe, expect, test } from 'vitest'
import { createHeld, createPool, expectConsistent } from './harness.ts'

/** Far beyond what a stack holds; XState's own interpreter needs ten times as long for each. */
const SIZE = process.env.ESPALIER_STATECHARTS === 'interpreted' ? 20_000 : 100_000

describe(`${SIZE} jobs do not overflow the stack`, () => {
  test('when they end at once', async () => {
    const { pool } = createPool({ maxParallelJobs: 1 })
    let ran = 0
    for (let count = 0; count < SIZE; count++) pool.submitJob({ execute: () => ran++ })
    await pool.waitForAll()
    expect(ran).toBe(SIZE)
    expect(pool.getStatus()).toMatchObject({ completed: SIZE, total: SIZE })
  })

  test('when all wait for one slot', async () => {
    const { pool } = createPool({ maxParallelJobs: 1 })
    const held = createHeld()
    let ran = 0
    pool.submitJob({ id: 'gate', execute: held.execute })
    pool.submitJobs(Array.from({ length: SIZE }, () => ({ execute: () => ran++ })))
    held.of('gate').resolve()
    await pool.waitForAll()
    expect(ran).toBe(SIZE)
    expectConsistent(pool)
  })

  test('when each waits for the one before', async () => {
    const { pool } = createPool()
    const execute = () => 1
    pool.submitJobs(
      Array.from({ length: SIZE }, (_, index) => ({
        id: `c${index}`,
        execute,
        dependencies: index === 0 ? [] : [`c${index - 1}`],
      })),
    )
    const results = await pool.waitForAll()
    expect(results.size).toBe(SIZE)
    expect(pool.getStatus()).toMatchObject({ completed: SIZE, queued: 0, running: 0 })
  })
})

test('the event loop turns while many jobs are granted their slots', async () => {
  const { pool, clock } = createPool({ maxParallelJobs: 1 })
  let hasTurned = false
  let ranBefore = 0
  setImmediate(() => {
    hasTurned = true
  })
  pool.pause()
  pool.submitJobs(
    Array.from({ length: 100 }, () => ({
      execute: () => {
        if (!hasTurned) ranBefore++
        // Each job takes a millisecond of the pool's time.
        clock.jump(1)
      },
    })),
  )
  pool.resume()
  await pool.waitForAll()
  expect(ranBefore).toBeLessThan(50)
  expect(pool.getStatus()).toMatchObject({ completed: 100 })
})
