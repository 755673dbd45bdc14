import { describe, expect, test } from 'vitest'
import { createHeld, createPool, expectAllSlotsFree, expectConsistent, failing, obedient } from './harness.ts'

describe('a dependency that fails', () => {
  test('cancels its dependants transitively, each naming the one before it', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const [, b, c] = pool.submitJobs([
      { id: 'a', execute: held.execute },
      { id: 'b', execute: held.execute, dependencies: ['a'] },
      { id: 'c', execute: held.execute, dependencies: ['b'] },
    ])
    held.of('a').reject(new Error('broken'))
    await clock.settle()
    expect(await b?.result()).toMatchObject({
      status: 'cancelled',
      reason: 'dependency',
      causedBy: 'a',
      attempts: 0,
    })
    expect(await c?.result()).toMatchObject({
      status: 'cancelled',
      reason: 'dependency',
      causedBy: 'b',
      attempts: 0,
    })
    expect(held.started()).toEqual(['a'])
    expect(pool.getStatus()).toMatchObject({ failed: 1, cancelled: 2, queued: 0, running: 0 })
  })

  test('does not touch its siblings nor their dependants', async () => {
    const { pool } = createPool()
    pool.submitJobs([
      { id: 'root', execute: () => 0 },
      { id: 'bad', execute: failing(), dependencies: ['root'] },
      { id: 'good', execute: () => 1, dependencies: ['root'] },
      { id: 'below-bad', execute: () => 2, dependencies: ['bad'] },
      { id: 'below-good', execute: () => 3, dependencies: ['good'] },
    ])
    const all = await pool.waitForAll()
    expect(Object.fromEntries(Array.from(all, ([id, { status }]) => [id, status]))).toEqual({
      root: 'completed',
      bad: 'failed',
      good: 'completed',
      'below-bad': 'cancelled',
      'below-good': 'completed',
    })
  })

  test('only counts once its retries are used up', async () => {
    const { pool, clock } = createPool({ maxRetries: 1, backoff: { type: 'fixed', delayMs: 100 } })
    const held = createHeld()
    const [, child] = pool.submitJobs([
      { id: 'flaky', execute: held.execute },
      { id: 'child', execute: () => 'ran', dependencies: ['flaky'] },
    ])
    held.of('flaky').reject(new Error('once'))
    await clock.settle()
    expect(child?.status).toBe('queued')
    await clock.advance(100)
    held.of('flaky').resolve()
    await clock.settle()
    expect(child?.status).toBe('completed')
  })

  test('cancels a dependant once, though two of its dependencies fail', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const [, , child] = pool.submitJobs([
      { id: 'a', execute: held.execute },
      { id: 'b', execute: held.execute },
      { id: 'child', execute: held.execute, dependencies: ['a', 'b'] },
    ])
    held.of('b').reject(new Error('b'))
    held.of('a').reject(new Error('a'))
    await clock.settle()
    expect(await child?.result()).toMatchObject({ status: 'cancelled', causedBy: 'b' })
    expect(pool.getStatus()).toMatchObject({ failed: 2, cancelled: 1 })
    expectConsistent(pool)
  })
})

describe('a job with onDependencyFailure "run"', () => {
  test('runs when all dependencies have ended, with the values of those that completed', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const seen: unknown[] = []
    const [, , , child] = pool.submitJobs([
      { id: 'bad', execute: held.execute },
      { id: 'good', execute: held.execute },
      { id: 'gone', execute: held.execute, delayMs: 99_999 },
      {
        id: 'child',
        execute: (context) => seen.push(context.parentResults),
        dependencies: ['bad', 'good', 'gone'],
        onDependencyFailure: 'run',
      },
    ])
    held.of('bad').reject(new Error('broken'))
    pool.cancelJob('gone')
    await clock.settle()
    expect(child?.status).toBe('queued')
    held.of('good').resolve('fine')
    await clock.settle()
    expect(child?.status).toBe('completed')
    expect(seen).toEqual([{ good: 'fine' }])
  })

  test('shields those below it', async () => {
    const { pool } = createPool()
    pool.submitJobs([
      { id: 'bad', execute: failing() },
      { id: 'shield', execute: () => 1, dependencies: ['bad'], onDependencyFailure: 'run' },
      { id: 'below', execute: () => 2, dependencies: ['shield'] },
    ])
    const all = await pool.waitForAll()
    expect(all.get('below')).toMatchObject({ status: 'completed', value: 2 })
  })
})

describe('a dependency that is cancelled', () => {
  test('takes its dependants with it, also while it is still being stopped', async () => {
    const { pool, clock } = createPool()
    const [root, child] = pool.submitJobs([
      { id: 'root', execute: obedient },
      { id: 'child', execute: () => 1, dependencies: ['root'] },
    ])
    expect(root?.cancel('enough')).toBe(true)
    await clock.settle()
    expect(await root?.result()).toMatchObject({ status: 'cancelled', reason: 'enough', causedBy: undefined })
    expect(await child?.result()).toMatchObject({
      status: 'cancelled',
      reason: 'dependency',
      cancelledBy: 'dependency',
      causedBy: 'root',
    })
    await expectAllSlotsFree(pool, clock)
  })

  test('leaves what has already ended as it is', async () => {
    const { pool } = createPool()
    const done = pool.submitJob({ id: 'done', execute: () => 1 })
    await done.result()
    const other = pool.submitJob({ id: 'other', execute: () => 2, dependencies: ['done'] })
    await other.result()
    expect(done.cancel()).toBe(false)
    expect(await other.result()).toMatchObject({ status: 'completed' })
  })
})
