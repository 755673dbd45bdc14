import type { JobPoolOptions, JobSpec } from 'espalier'
import { describe, expect, test } from 'vitest'
import { durablePool, expectFolded, FaultyStore, full } from './world.ts'

describe('a durable job', () => {
  test('tells the same, in the same order, whether or not somebody inspects it', async () => {
    const toldWith = async (options: JobPoolOptions) => {
      const disk = new FaultyStore()
      const { pool, clock, hands } = durablePool(disk.process().store, { killGraceMs: 10, ...options })
      const told: unknown[] = []
      pool.on('*', ({ type }) => told.push(type))
      const submit = (id: string, execute: string, more: Partial<JobSpec> = {}) => {
        const job = pool.submitJob({ id, execute, backoff: { type: 'fixed', delayMs: 50 }, ...more })
        job.subscribe(({ value, status, context, output }) => {
          told.push([id, value, status, context.attempt, output?.status])
          if (id === 'cancelled' && status === 'active') job.cancel('by a subscriber')
          if (id === 'parent' && context.attempt === 1 && pool.job('late') === undefined)
            submit('late', 'one')
        })
        return job
      }
      submit('parent', 'one')
      submit('child', 'bad', { dependencies: ['parent'], maxRetries: 2 })
      submit('grandchild', 'one', { dependencies: ['child'] })
      submit('deaf', 'held', { timeoutMs: 30 })
      submit('cancelled', 'held')
      await clock.advance(1_000)
      expectFolded(disk.store)
      return [
        told,
        hands.started,
        pool.getStatus().states,
        Array.from(disk.store.trace(), ({ event }) => event),
      ]
    }
    let inspected = 0
    const plain = await toldWith({})
    expect(await toldWith({ inspect: () => inspected++ })).toEqual(plain)
    expect(inspected).toBeGreaterThan(100)
  })

  test('is accepted when its commit is done, and nothing of it is heard or started before', async () => {
    const disk = new FaultyStore()
    const { store } = disk.process()
    const { pool, clock, hands } = durablePool(store)
    const events: string[] = []
    pool.on('*', ({ type }) => events.push(type))
    const job = pool.submitJob({ id: 'a', execute: 'held' })
    let isAccepted = false
    void job.accepted.then(() => {
      isAccepted = true
    })
    await Promise.resolve()
    expect([isAccepted, disk.commits, hands.started, events, disk.store.job('a')]).toEqual([
      false,
      0,
      [],
      [],
      undefined,
    ])
    await clock.settle()
    expect([isAccepted, disk.commits, hands.started, events]).toEqual([
      true,
      1,
      ['a#1'],
      ['job.submitted', 'job.started'],
    ])
    expect(disk.store.job('a')).toMatchObject({ state: 'running.executing', attempt: 1 })
  })

  test('has its result only when that is committed', async () => {
    const disk = new FaultyStore()
    const { pool, clock, hands } = durablePool(disk.process().store)
    const job = pool.submitJob({ id: 'a', execute: 'held' })
    await clock.settle()
    let atResult: unknown
    const result = job.result().then((ended) => {
      atResult = disk.store.job('a')?.state
      return ended
    })
    const seen: unknown[] = []
    job.subscribe({ next: ({ value }) => seen.push([value, disk.store.job('a')?.state]) })
    hands.of('a').resolve({ rows: 3 })
    await Promise.resolve()
    expect(job.status).toBe('running')
    await expect(result).resolves.toMatchObject({ status: 'completed', value: { rows: 3 } })
    expect(atResult).toBe('completed')
    expect(seen).toEqual([['completed', 'completed']])
    expect(disk.store.job('a')?.end?.value).toBe('{"rows":3}')
  })

  test('of one turn shares its commit with all others of it', async () => {
    const disk = new FaultyStore()
    const { pool, clock } = durablePool(disk.process().store, { maxParallelJobs: 100 })
    for (let index = 0; index < 100; index++) pool.submitJob({ execute: 'one' })
    await clock.settle()
    expect(disk.commits).toBe(2)
    expect(pool.getStatus().completed).toBe(100)
  })

  test('must name what it runs', () => {
    const { pool } = durablePool(new FaultyStore().process().store)
    expect(() => pool.submitJob({ id: 'a', execute: () => 1 })).toThrow(
      expect.objectContaining({ code: 'ESP_NOT_DURABLE' }),
    )
    expect(pool.getStatus().total).toBe(0)
  })

  test.each([
    ['a map', [new Map()]],
    ['not a number', [{ a: [Number.NaN] }]],
    ['a date', [new Date(0)]],
    ['an empty place', [[undefined]]],
    ['a big number', [10n]],
  ])('has arguments of JSON: %s is refused', (_, args) => {
    const { pool } = durablePool(new FaultyStore().process().store)
    expect(() => pool.submitJob({ execute: 'one', args })).toThrow(
      expect.objectContaining({ code: 'ESP_NOT_STORABLE' }),
    )
  })

  test('fails when its value cannot be stored, rather than lose it in silence', async () => {
    const { pool, clock, hands } = durablePool(new FaultyStore().process().store, { maxRetries: 3 })
    const job = pool.submitJob({ id: 'a', execute: 'held' })
    await clock.settle()
    hands.of('a').resolve(new Map([[1, 2]]))
    await expect(job.result()).resolves.toMatchObject({
      status: 'failed',
      reason: 'rejected',
      error: { code: 'ESP_NOT_STORABLE' },
      attempts: 1,
    })
  })

  test('and its dependants end in one commit', async () => {
    const disk = new FaultyStore()
    const { pool, clock } = durablePool(disk.process().store)
    const first = pool.submitJob({ id: 'a', execute: 'bad' })
    pool.submitJob({ id: 'b', execute: 'one', dependencies: [first] })
    pool.submitJob({ id: 'c', execute: 'one', dependencies: ['b'] })
    const states: unknown[] = []
    disk.onCommit = ({ submitted, changed }) =>
      states.push([...submitted, ...changed].map(({ id, state }) => `${id} ${state}`))
    await clock.settle()
    expect(states).toEqual([
      ['a running.executing', 'b queued.blocked', 'c queued.blocked'],
      ['a failed', 'b cancelled', 'c cancelled'],
    ])
    expectFolded(disk.store)
  })
})

describe('a commit that is refused', () => {
  test('takes submissions back: nothing is accepted, started or kept', async () => {
    const disk = new FaultyStore()
    const { pool, clock, hands, logger } = durablePool(disk.process().store)
    disk.onCommit = () => {
      throw full()
    }
    const job = pool.submitJob({ id: 'a', execute: 'held', dedupeKey: 'k' })
    const result = job.result()
    await expect(job.accepted).rejects.toMatchObject({ code: 'ESP_STORE_REFUSED' })
    await expect(result).resolves.toMatchObject({ status: 'failed', reason: 'rejected' })
    expect(hands.started).toEqual([])
    expect(pool.job('a')).toBeUndefined()
    expect(pool.getStatus()).toMatchObject({ queued: 0, running: 0, total: 0 })
    expect(logger.at('error')).toEqual([expect.stringContaining('disk is full')])
    disk.onCommit = () => {}
    const again = pool.submitJob({ id: 'a', execute: 'one', dedupeKey: 'k' })
    await again.accepted
    await clock.settle()
    expect(disk.store.job('a')).toMatchObject({ state: 'completed', key: 2 })
    expectFolded(disk.store)
  })

  test('leaves what runs running, and takes its end when there is room again', async () => {
    const disk = new FaultyStore()
    const { pool, clock, hands } = durablePool(disk.process().store, { maxParallelJobs: 1 })
    const first = pool.submitJob({ id: 'a', execute: 'held' })
    const second = pool.submitJob({ id: 'b', execute: 'held', dependencies: [first] })
    pool.submitJob({ id: 'c', execute: 'held', priority: 'low' })
    await clock.settle()
    disk.onCommit = () => {
      throw full()
    }
    hands.of('a').resolve(7)
    await clock.settle()
    expect([first.status, second.status, pool.getStatus().running]).toEqual(['running', 'queued', 1])
    expect(hands.started).toEqual(['a#1'])
    await clock.advance(3_500)
    expect(hands.started).toEqual(['a#1'])
    expect(disk.store.job('a')?.state).toBe('running.executing')
    disk.onCommit = () => {}
    await clock.advance(4_000)
    await expect(first.value()).resolves.toBe(7)
    expect(hands.started).toEqual(['a#1', 'b#1'])
    expect(hands.of('b').context.parentResults).toEqual({ a: 7 })
    expect(pool.getStatus()).toMatchObject({ running: 1, queued: 1, completed: 1 })
    expectFolded(disk.store)
  })

  test('is tried again ever more rarely, with one step: hours of refusals cost nothing', async () => {
    const disk = new FaultyStore()
    const { pool, clock, hands, logger } = durablePool(disk.process().store, { maxParallelJobs: 500 })
    const ids = Array.from({ length: 1_000 }, (_, index) => `j${index}`)
    for (const id of ids) pool.submitJob({ id, execute: 'held' })
    for (let index = 0; index < 500; index++) pool.submitJob({ execute: 'one', delayMs: 60_000 })
    await clock.settle()
    const tries: number[] = []
    disk.onCommit = ({ events }) => {
      tries.push(events.length)
      throw full()
    }
    for (const id of ids.slice(0, 500)) hands.of(id).resolve()
    await clock.advance(3_600_000)
    const [first, ...later] = tries
    expect(first).toBe(1_000)
    expect(later.length).toBeGreaterThan(100)
    expect(later.length).toBeLessThan(140)
    expect(new Set(later)).toEqual(new Set([1]))
    expect(pool.getHealth().isDispatching).toBe(false)
    expect([logger.at('error').length, logger.at('info')]).toEqual([1, []])
    disk.onCommit = () => {}
    await clock.advance(30_000)
    expect([logger.at('error').length, logger.at('info')]).toEqual([1, ['The store takes commits again.']])
    expect(pool.getHealth().isDispatching).toBe(true)
    expect(pool.getStatus()).toMatchObject({ completed: 500, running: 500, queued: 500 })
    for (const id of ids.slice(500)) hands.of(id).resolve()
    await clock.settle()
    expect(pool.getStatus()).toMatchObject({ completed: 1_500, running: 0, queued: 0 })
    expectFolded(disk.store)
  })

  test('of grants is tried again with one grant', async () => {
    const disk = new FaultyStore()
    const { pool, clock, hands } = durablePool(disk.process().store, { maxParallelJobs: 100 })
    pool.pause()
    for (let index = 0; index < 300; index++) pool.submitJob({ execute: 'held' })
    await clock.settle()
    const tries: number[] = []
    disk.onCommit = ({ events }) => {
      tries.push(events.filter(({ event }) => event.type === 'slot.granted').length)
      throw full()
    }
    pool.resume()
    await clock.advance(8_000)
    expect(tries).toEqual([100, 1, 1, 1])
    expect(hands.started).toEqual([])
    disk.onCommit = () => {}
    await clock.advance(8_000)
    expect(hands.started.length).toBe(100)
    expectFolded(disk.store)
  })

  test('ends with a submission that is taken: what waited goes on at once', async () => {
    const disk = new FaultyStore()
    const { pool, clock, hands } = durablePool(disk.process().store)
    const first = pool.submitJob({ id: 'a', execute: 'held' })
    await clock.settle()
    disk.onCommit = () => {
      throw full()
    }
    hands.of('a').resolve(7)
    await clock.advance(20_000)
    disk.onCommit = () => {}
    await pool.submitJob({ id: 'b', execute: 'held' }).accepted
    await clock.settle()
    expect([first.status, hands.started]).toEqual(['completed', ['a#1', 'b#1']])
    expectFolded(disk.store)
  })

  test('keeps a cancel in mind', async () => {
    const disk = new FaultyStore()
    const { pool, clock } = durablePool(disk.process().store, { maxParallelJobs: 1 })
    pool.submitJob({ id: 'a', execute: 'held' })
    const waiting = pool.submitJob({ id: 'b', execute: 'held' })
    await clock.settle()
    disk.onCommit = () => {
      throw full()
    }
    waiting.cancel('enough')
    await clock.settle()
    expect(waiting.status).toBe('queued')
    disk.onCommit = () => {}
    await clock.advance(1_000)
    await expect(waiting.result()).resolves.toMatchObject({ status: 'cancelled', reason: 'enough' })
  })

  test.each([1, 2, 3, 4, 5, 6, 7])('as the %i. loses nothing', async (nth) => {
    const disk = new FaultyStore()
    let count = 0
    disk.onCommit = () => {
      count++
      if (count === nth) throw full()
    }
    const { pool, clock, hands } = durablePool(disk.process().store, { maxParallelJobs: 2, maxRetries: 1 })
    const accepted: string[] = []
    const submit = (id: string, execute: string, dependencies: string[] = []) => {
      try {
        const job = pool.submitJob({ id, execute, dependencies, backoff: { type: 'fixed', delayMs: 0 } })
        job.accepted.then(
          () => accepted.push(id),
          () => {},
        )
      } catch {}
    }
    submit('a', 'one')
    submit('b', 'bad', ['a'])
    await clock.settle()
    submit('c', 'one', ['a'])
    submit('d', 'one', ['b'])
    await clock.advance(5_000)
    submit('e', 'one')
    await clock.advance(5_000)
    expect(accepted.length).toBeGreaterThanOrEqual(1)
    for (const id of accepted) expect(disk.store.job(id)?.end, id).toBeDefined()
    expect(Array.from(disk.store.jobs(undefined), ({ id }) => id).sort()).toEqual([...accepted].sort())
    const { queued, running, total } = pool.getStatus()
    expect({ queued, running, total }).toEqual({ queued: 0, running: 0, total: accepted.length })
    expect(hands.started).toEqual([])
    expectFolded(disk.store)
  })
})
