import { describe, expect, test } from 'vitest'
import type { JobEvent } from '../../machines/index.ts'
import { createHeld, createPool, expectAllSlotsFree, expectConsistent } from './harness.ts'

const at = 1_000_000
const error = new Error('forged')
const forgeries: readonly JobEvent[] = [
  { type: 'dependencies.met', at },
  { type: 'slot.granted', at },
  { type: 'deadline.reached', at: 1 },
  { type: 'attempt.completed', at, attempt: 99, value: 'forged' },
  { type: 'attempt.completed', at, attempt: 0, value: 'forged' },
  { type: 'attempt.failed', at, attempt: 99, error, reason: 'error', random: 0 },
  { type: 'attempt.failed', at, attempt: 0, error, reason: 'lost', random: 0 },
]

describe('events sent straight to a job', () => {
  test('that are late or belong to no attempt change nothing while it runs', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    const before = job.getSnapshot()
    for (const event of forgeries) job.send(event)
    job.send({ type: 'no.such.event' })
    expect(job.getSnapshot()).toBe(before)
    expect(held.attempts).toHaveLength(1)
    held.of(job.id).resolve('true value')
    expect(await job.value()).toBe('true value')
    await expectAllSlotsFree(pool, clock)
  })

  test('that are late change nothing after its end', async () => {
    const { pool, clock } = createPool()
    const job = pool.submitJob({ execute: () => 'true value' })
    const result = await job.result()
    for (const event of forgeries)
      job.send({ ...event, ...('attempt' in event ? { attempt: 1 } : {}) } as JobEvent)
    expect(await job.result()).toBe(result)
    expect(job.getSnapshot().output).toBe(result)
    expect(pool.getStatus()).toMatchObject({ completed: 1, failed: 0, total: 1 })
    await expectAllSlotsFree(pool, clock)
  })

  test('that unblock it before its dependencies have ended do not start it', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 2 })
    const held = createHeld()
    const parent = pool.submitJob({ execute: held.execute })
    const child = pool.submitJob({ id: 'child', execute: held.execute, dependencies: [parent] })
    child.send({ type: 'dependencies.met', at })
    expect(held.started()).toEqual([parent.id])
    expectConsistent(pool)
    held.of(parent.id).resolve()
    await clock.settle()
    held.of('child').resolve()
    await clock.settle()
    await expectAllSlotsFree(pool, clock)
  })

  test('that grant it a slot beyond the limit do not start it', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const held = createHeld()
    const first = pool.submitJob({ execute: held.execute })
    const second = pool.submitJob({ execute: held.execute })
    second.send({ type: 'slot.granted', at })
    expect(held.started()).toEqual([first.id])
    expect(pool.getStatus()).toMatchObject({ running: 1, queued: 1 })
    for (const { id } of [first, second]) {
      held.of(id).resolve()
      await clock.settle()
    }
    await expectAllSlotsFree(pool, clock)
  })

  test.each<JobEvent>([
    { type: 'attempt.completed', at, attempt: 1, value: 'forged' },
    { type: 'attempt.failed', at, attempt: 1, error, reason: 'error', random: 0 },
    { type: 'attempt.failed', at, attempt: 1, error, reason: 'lost', random: 0 },
    { type: 'attempt.failed', at, attempt: 1, error, reason: 'rejected', random: 0 },
    { type: 'deadline.reached', at: Number.MAX_SAFE_INTEGER },
    { type: 'xstate.stop' } as never,
  ])('that end the attempt it runs are ignored: $type $reason', async (event) => {
    const { pool, clock } = createPool({ maxParallelJobs: 1, maxRetries: 1 })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    const ignored: string[] = []
    pool.on('job.ignored', (fact) => ignored.push(fact.event))
    job.send(event)
    await clock.settle()
    expect(ignored).toEqual([event.type])
    expect(held.attempts).toHaveLength(1)
    held.of(job.id).resolve('true value')
    expect(await job.result()).toMatchObject({ status: 'completed', value: 'true value', attempts: 1 })
    await expectAllSlotsFree(pool, clock)
  })
})

describe('an executor that breaks its contract', () => {
  test('by answering twice is heard once', async () => {
    const { pool, clock } = createPool({
      maxParallelJobs: 1,
      executorType: {
        name: 'double',
        supports: {},
        refuses: () => undefined,
        start(attempt, sink) {
          sink.completed(attempt, 'first')
          sink.completed(attempt, 'second')
          sink.failed(attempt, new Error('third'))
          sink.lost(attempt)
        },
      },
    })
    const job = pool.submitJob({ execute: () => 0 })
    expect(await job.value()).toBe('first')
    pool.submitJob({ execute: () => 0 })
    await clock.settle()
    expect(pool.getStatus()).toMatchObject({ completed: 2, failed: 0, running: 0 })
    expectConsistent(pool)
  })

  test('by throwing from start fails the attempt', async () => {
    const { pool, clock } = createPool({
      maxParallelJobs: 1,
      executorType: {
        name: 'broken',
        supports: {},
        refuses: () => undefined,
        start() {
          throw new Error('executor broke')
        },
      },
    })
    const job = pool.submitJob({ execute: () => 0 })
    await clock.settle()
    expect(await job.result()).toMatchObject({ status: 'failed', error: { message: 'executor broke' } })
    expect(pool.getStatus()).toMatchObject({ failed: 1, running: 0 })
  })

  test('by throwing when it is given an event ignores the event, and goes on', async () => {
    const { pool, clock, logger } = createPool({
      maxParallelJobs: 1,
      killGraceMs: 10,
      executorType: {
        name: 'broken',
        supports: { events: true },
        refuses: () => undefined,
        start() {},
        deliver() {
          throw new Error('executor broke')
        },
      },
    })
    const ignored: string[] = []
    pool.on('job.ignored', ({ event }) => ignored.push(event))
    const job = pool.submitJob({ execute: () => 0 })
    for (const type of ['first', 'second']) job.send({ type })
    expect(ignored).toEqual(['first', 'second'])
    expect(logger.at('error')).toEqual(Array(2).fill(expect.stringContaining('"broken"')))
    job.cancel()
    await clock.advance(10)
    expect(job.status).toBe('cancelled')
  })
})
