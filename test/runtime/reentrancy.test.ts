import type { Job } from 'espalier'
import { describe, expect, test } from 'vitest'
import {
  createHeld,
  createPool,
  expectAllSlotsFree,
  expectConsistent,
  obedient,
  recordEvents,
  stateOf,
  typesOf,
} from './harness.ts'

type Created = ReturnType<typeof createPool>

/** Calls `act` from a callback, a listener or a subscriber, when a job has completed. */
const places: Record<string, (created: Created, act: () => void) => Job> = {
  'a callback': ({ pool }, act) => pool.submitJob({ execute: async () => 1, callback: act }),
  'a listener': ({ pool }, act) => {
    const job = pool.submitJob({ execute: async () => 1 })
    const stop = pool.on('job.completed', () => {
      stop()
      act()
    })
    return job
  },
  'a subscriber': ({ pool }, act) => {
    const job = pool.submitJob({ execute: async () => 1 })
    job.subscribe({ complete: act })
    return job
  },
  'a handler': ({ pool }, act) =>
    pool.submitJob({
      execute: () => Promise.resolve().then(act),
    }),
}

describe.each(Object.entries(places))('from %s', (_, place) => {
  test('jobs can be submitted, also such that start and end at once', async () => {
    const created = createPool({ maxParallelJobs: 1 })
    const { pool, clock } = created
    const jobs: Job[] = []
    const first = place(created, () => {
      jobs.push(pool.submitJob({ execute: () => 'single' }))
      jobs.push(
        ...pool.submitJobs([{ execute: () => 'batch' }, { execute: () => 'below', dependencies: [first] }]),
      )
    })
    await clock.settle()
    expect(await Promise.all(jobs.map((job) => job.value()))).toEqual(['single', 'batch', 'below'])
    expect(pool.getStatus()).toMatchObject({ completed: 4, running: 0, queued: 0 })
    await expectAllSlotsFree(pool, clock)
  })

  test('others can be cancelled: a running one, a queued one, and the one that calls', async () => {
    const created = createPool({ maxParallelJobs: 2 })
    const { pool, clock } = created
    const running = pool.submitJob({ execute: obedient })
    const answers: boolean[] = []
    const self: Job = place(created, () => {
      answers.push(running.cancel('r'), queued.cancel('q'), queued.cancel('again'))
      self.cancel('self')
    })
    const queued = pool.submitJob({ execute: () => 1, delayMs: 1_000 })
    await clock.settle()
    expect(answers).toEqual([true, true, false])
    expect(await running.result()).toMatchObject({ status: 'cancelled', reason: 'r' })
    expect(await queued.result()).toMatchObject({ status: 'cancelled', reason: 'q' })
    expect((await self.result()).status).toMatch(/completed|cancelled/)
    await expectAllSlotsFree(pool, clock)
  })

  test('the pool can be paused, resumed and given another limit', async () => {
    const created = createPool({ maxParallelJobs: 1 })
    const { pool, clock } = created
    const held = createHeld()
    place(created, () => pool.pause())
    const next = pool.submitJob({ execute: held.execute })
    await clock.settle()
    expect(next.status).toBe('queued')
    expect(pool.getStatus().states).toMatchObject({ dispatch: 'paused' })
    pool.resume()
    expect(next.status).toBe('running')
    held.of(next.id).resolve()
    await clock.settle()
    place(created, () => pool.setMaxParallelJobs(3))
    await clock.settle()
    expect(pool.getStatus().maxParallelJobs).toBe(3)
    await expectAllSlotsFree(pool, clock)
  })

  test.each([true, false])('the pool can be shut down, waiting: %o', async (wait) => {
    const created = createPool({ maxParallelJobs: 1 })
    const { pool, clock } = created
    let closing: Promise<void> | undefined
    place(created, () => {
      closing = pool.shutdown({ wait })
    })
    const next = pool.submitJob({ execute: async () => 'next' })
    await clock.settle()
    await closing
    expect(pool.getHealth().status).toBe('closed')
    expect((await next.result()).status).toBe(wait ? 'completed' : 'cancelled')
    expectConsistent(pool)
  })
})

describe('a job that was just granted its slot', () => {
  test('can be cancelled by who hears of its start, before its handler is called', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const held = createHeld()
    pool.on('job.started', ({ jobId }) => {
      if (jobId === 'j') pool.cancelJob('j', 'at once')
    })
    const job = pool.submitJob({ id: 'j', execute: held.execute })
    held.attempts[0]?.resolve()
    await clock.settle()
    expect(await job.result()).toMatchObject({ status: 'cancelled', reason: 'at once' })
    await expectAllSlotsFree(pool, clock)
  })

  test('can be cancelled by its own subscriber, and its handler is then never called', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1, maxRetries: 3 })
    const held = createHeld()
    const blocker = pool.submitJob({ execute: held.execute })
    const job = pool.submitJob({ id: 'j', execute: held.execute })
    job.subscribe((snapshot) => {
      if (snapshot.matches({ running: 'executing' })) job.cancel('at once')
    })
    held.of(blocker.id).resolve()
    await clock.settle()
    expect(await job.result()).toMatchObject({ status: 'cancelled', reason: 'at once' })
    expect(held.started()).not.toContain('j')
    await expectAllSlotsFree(pool, clock)
  })

  test('can be cancelled by another job’s subscriber in the same step', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 2 })
    const held = createHeld()
    const gate = pool.submitJob({ execute: held.execute })
    const [a, b] = pool.submitJobs([
      { id: 'a', execute: held.execute, dependencies: [gate] },
      { id: 'b', execute: held.execute, dependencies: [gate] },
    ])
    b?.subscribe((snapshot) => {
      if (snapshot.matches('running')) a?.cancel('by b')
    })
    held.of(gate.id).resolve()
    await clock.settle()
    expect(stateOf(b as Job)).toBe('running.executing')
    for (const attempt of held.attempts) attempt.resolve()
    await clock.settle()
    expect(await a?.result()).toMatchObject({ status: 'cancelled', reason: 'by b' })
    expect((await b?.result())?.status).toBe('completed')
    await expectAllSlotsFree(pool, clock)
  })

  test('can have the pool paused by who hears of it: it goes on, the next waits', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 2 })
    const held = createHeld()
    pool.on('job.started', () => pool.pause())
    pool.submitJobs([{ execute: held.execute }, { execute: held.execute }])
    await clock.settle()
    expect(pool.getStatus()).toMatchObject({ running: 1, queued: 1 })
  })
})

test('a job that ends inside submit has ended when submit returns', () => {
  const { pool } = createPool()
  const job = pool.submitJob({ execute: () => 'value' })
  expect(job.status).toBe('completed')
  expect(pool.getStatus()).toMatchObject({ completed: 1, running: 0 })
})

test('a listener that submits for each job that completes is not called on a growing stack', async () => {
  const { pool } = createPool({ maxParallelJobs: 1 })
  let count = 0
  pool.on('job.completed', () => {
    if (++count < 20_000) pool.submitJob({ execute: () => count })
  })
  pool.submitJob({ execute: () => count })
  await pool.waitForAll()
  expect(count).toBe(20_000)
  expectConsistent(pool)
})

describe('a listener that submits whenever it hears of a submission', () => {
  test.each<[string, (pool: Created['pool']) => unknown]>([
    ['one by one', (pool) => pool.submitJob({ execute: () => 1 })],
    ['in batches', (pool) => pool.submitJobs([{ execute: () => 1 }])],
  ])('is not called on a growing stack: %s', async (_, submit) => {
    const { pool, logger } = createPool()
    let count = 0
    pool.on('job.submitted', () => {
      if (++count < 20_000) submit(pool)
    })
    submit(pool)
    expect((await pool.waitForAll()).size).toBe(20_000)
    expect(logger.at('error')).toEqual([])
    expectConsistent(pool)
  })

  test('hears of a job before any of its steps, and the job can be used at once', async () => {
    const { pool, clock } = createPool()
    const events = recordEvents(pool)
    const states: unknown[] = []
    let inner: Job[] = []
    pool.on('job.submitted', ({ jobId }) => {
      pool.job(jobId)?.subscribe(() => states.push(`${jobId} ${stateOf(pool.job(jobId) as Job)}`))
      if (jobId !== 'outer') return
      inner = [
        pool.submitJob({ id: 'a', execute: () => 1 }),
        ...pool.submitJobs([{ id: 'b', execute: ({ parentResults }) => parentResults, dependencies: ['a'] }]),
        pool.submitJob({ id: 'c', execute: () => 1 }),
      ]
      expect(inner.map(({ status }) => status)).toEqual(['queued', 'queued', 'queued'])
      expect(inner[2]?.cancel()).toBe(true)
    })
    pool.submitJob({ id: 'outer', execute: () => 1 })
    await clock.settle()
    expect(await inner[1]?.value()).toEqual({ a: 1 })
    expect(events.filter(({ type }) => type === 'job.submitted')).toMatchObject(
      ['outer', 'a', 'b', 'c'].map((jobId) => ({ jobId })),
    )
    for (const id of ['outer', 'a', 'b']) {
      expect(typesOf(events, id)).toEqual(['job.submitted', 'job.started', 'job.completed'])
      expect(states.find((state) => String(state).startsWith(id))).toBe(`${id} queued.ready`)
    }
    expect(inner[2]?.status).toBe('cancelled')
    expectConsistent(pool)
  })
})

test('a cancel from a listener of a cancel reaches everybody once', async () => {
  const { pool, clock } = createPool()
  const jobs = Array.from({ length: 50 }, (_, index) =>
    pool.submitJob({ id: `j${index}`, execute: obedient, delayMs: 10 }),
  )
  const cancelled: string[] = []
  pool.on('job.cancelled', ({ jobId }) => {
    cancelled.push(jobId)
    for (const job of jobs) job.cancel('avalanche')
  })
  jobs[25]?.cancel('first')
  await clock.settle()
  expect(new Set(cancelled).size).toBe(50)
  expect(cancelled).toHaveLength(50)
  expect(pool.getStatus()).toMatchObject({ cancelled: 50, queued: 0 })
})

test('a listener that submits while a batch is being taken loses no job of the batch', async () => {
  const { pool, clock } = createPool()
  const size = 3_000
  const stop = pool.on('job.submitted', () => {
    stop()
    pool.submitJob({ id: 'extra', execute: () => 1, delayMs: 10 })
  })
  const jobs = pool.submitJobs(Array.from({ length: size }, () => ({ execute: () => 1, delayMs: 10 })))
  expect(jobs.filter((job) => pool.job(job.id) !== job)).toEqual([])
  expect(pool.getTimeline()).toHaveLength(size + 1)
  await pool.shutdown({ wait: false })
  await clock.settle()
  expect(pool.getStatus()).toMatchObject({ cancelled: size + 1, queued: 0 })
})
