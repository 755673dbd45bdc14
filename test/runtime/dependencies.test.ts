import { describe, expect, test } from 'vitest'
import { createHeld, createPool, createTracer, expectConsistent, stateOf } from './harness.ts'

describe('a job with dependencies', () => {
  test('waits for all of them to complete', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const [a, b, last] = pool.submitJobs([
      { id: 'a', execute: held.execute },
      { id: 'b', execute: held.execute },
      { id: 'last', execute: held.execute, dependencies: ['a', 'b'] },
    ])
    expect([a, b, last].map((job) => stateOf(job as never))).toEqual([
      'running.executing',
      'running.executing',
      'queued.blocked',
    ])
    held.of('a').resolve()
    await clock.settle()
    expect(last?.status).toBe('queued')
    held.of('b').resolve()
    await clock.settle()
    expect(last?.status).toBe('running')
    expectConsistent(pool)
  })

  test('waits for those that it was given, though a listener writes into its list', async () => {
    const { pool } = createPool()
    const submitted: string[] = []
    pool.on('job.submitted', ({ jobId }) => submitted.push(jobId))
    pool.submitJob({ id: 'first', execute: () => 1 })
    const second = pool.submitJob({ id: 'second', execute: () => 2, dependencies: submitted })
    const [third] = pool.submitJobs([{ id: 'third', execute: () => 3, dependencies: submitted }])
    expect(submitted).toEqual(['first', 'second', 'third'])
    expect(await second.value()).toBe(2)
    expect(await third?.value()).toBe(3)
  })

  test('runs after a chain, in its order, with one slot or many', async () => {
    for (const maxParallelJobs of [1, 8]) {
      const { pool } = createPool({ maxParallelJobs })
      const { order, spec } = createTracer()
      const ids = Array.from({ length: 20 }, (_, index) => `c${index}`)
      for (const [index, id] of ids.entries()) {
        pool.submitJob(spec(id, index === 0 ? {} : { dependencies: [ids[index - 1] as string] }))
      }
      await pool.waitForAll()
      expect(order).toEqual(ids)
    }
  })

  test('runs once after a diamond, with the values of its parents', async () => {
    const { pool } = createPool()
    let results: unknown
    pool.submitJobs([
      {
        id: 'bottom',
        execute: (context) => (results = context.parentResults),
        dependencies: ['left', 'right'],
      },
      { id: 'left', execute: ({ parentResults }) => `${parentResults.top}-l`, dependencies: ['top'] },
      { id: 'right', execute: ({ parentResults }) => `${parentResults.top}-r`, dependencies: ['top'] },
      { id: 'top', execute: () => 'top' },
    ])
    const all = await pool.waitForAll()
    expect(results).toEqual({ left: 'top-l', right: 'top-r' })
    expect(Array.from(all.values(), ({ status }) => status)).toEqual(Array(4).fill('completed'))
    expect(all.get('bottom')?.attempts).toBe(1)
  })

  test('names its parents by node id when they have one', async () => {
    const { pool } = createPool()
    const parent = pool.submitJob({ nodeId: 'n0', execute: () => 7 })
    const child = pool.submitJob({ dependencies: [parent], execute: (context) => context.parentResults })
    expect(await child.value()).toEqual({ n0: 7 })
  })

  test('has the value of a parent whatever its name is', async () => {
    const { pool } = createPool()
    const parent = pool.submitJob({ id: '__proto__', execute: () => 7 })
    const child = pool.submitJob({ dependencies: [parent], execute: (context) => context.parentResults })
    expect(Object.entries((await child.value()) as object)).toEqual([['__proto__', 7]])
  })

  test('takes handles and ids, of the same batch and of earlier ones', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 9 })
    const held = createHeld()
    const early = pool.submitJob({ id: 'early', execute: held.execute })
    const [, late] = pool.submitJobs([
      { id: 'peer', execute: held.execute },
      { id: 'late', execute: held.execute, dependencies: [early, 'peer', { id: 'early' }] },
    ])
    expect(late?.status).toBe('queued')
    held.of('early').resolve()
    held.of('peer').resolve()
    await clock.settle()
    expect(late?.status).toBe('running')
  })

  test('may name the same dependency twice', async () => {
    const { pool } = createPool()
    const a = pool.submitJob({ id: 'a', execute: () => 1 })
    const b = pool.submitJob({ id: 'b', execute: () => 2, dependencies: [a, 'a', a] })
    expect(await b.value()).toBe(2)
    expectConsistent(pool)
  })
})

describe('a dependency that is already there', () => {
  test('running: its dependant waits', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const parent = pool.submitJob({ execute: held.execute })
    const child = pool.submitJob({ execute: () => 'ran', dependencies: [parent] })
    expect(child.status).toBe('queued')
    held.of(parent.id).resolve()
    await clock.settle()
    expect(child.status).toBe('completed')
  })

  test('completed: its dependant starts at once, with its value', async () => {
    const { pool } = createPool()
    const parent = pool.submitJob({ id: 'p', execute: () => 42 })
    await parent.result()
    const child = pool.submitJob({ execute: (context) => context.parentResults.p, dependencies: ['p'] })
    expect(await child.value()).toBe(42)
  })

  test.each(['failed', 'cancelled'] as const)('%s: its dependant is cancelled at once', async (status) => {
    const { pool } = createPool()
    const parent = pool.submitJob({
      id: 'p',
      delayMs: status === 'cancelled' ? 1_000 : 0,
      execute: () => {
        throw new Error('broken')
      },
    })
    if (status === 'cancelled') parent.cancel()
    expect((await parent.result()).status).toBe(status)
    let hasRun = false
    const child = pool.submitJob({ dependencies: ['p'], execute: () => (hasRun = true) })
    expect(child.status).toBe('cancelled')
    expect(await child.result()).toMatchObject({ reason: 'dependency', causedBy: 'p', attempts: 0 })
    expect(hasRun).toBe(false)
    expectConsistent(pool)
  })

  test('failed, with onDependencyFailure "run": its dependant starts', async () => {
    const { pool } = createPool()
    const parent = pool.submitJob({
      execute: () => {
        throw new Error('broken')
      },
    })
    await parent.result()
    const child = pool.submitJob({
      dependencies: [parent],
      onDependencyFailure: 'run',
      execute: (context) => Object.keys(context.parentResults),
    })
    expect(await child.value()).toEqual([])
  })

  describe('and forgotten', () => {
    test.each([
      ['completed', 'completed'],
      ['failed', 'cancelled'],
      ['cancelled', 'cancelled'],
    ] as const)('%s: its dependant is %s by its tombstone', async (parentStatus, childStatus) => {
      const { pool } = createPool({ keep: 0 })
      const parent = pool.submitJob({
        id: 'p',
        delayMs: parentStatus === 'cancelled' ? 1_000 : 0,
        execute: () => {
          if (parentStatus === 'failed') throw new Error('broken')
        },
      })
      if (parentStatus === 'cancelled') parent.cancel()
      await parent.result()
      expect(pool.job('p')).toBeUndefined()
      const child = pool.submitJob({ execute: () => 1, dependencies: ['p'] })
      const result = await child.result()
      expect(result.status).toBe(childStatus)
      if (childStatus === 'cancelled') expect(result).toMatchObject({ reason: 'dependency', causedBy: 'p' })
    })

    test('but held by a handle: its value still reaches the dependant', async () => {
      const { pool } = createPool({ keep: 0 })
      const parent = pool.submitJob({ id: 'p', execute: () => 7 })
      await parent.result()
      const child = pool.submitJob({
        execute: (context) => context.parentResults.p,
        dependencies: [parent],
      })
      expect(await child.value()).toBe(7)
    })
  })
})
