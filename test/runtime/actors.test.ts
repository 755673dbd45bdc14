import type { Job, JobSpec } from 'espalier'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type ActorRef,
  type ActorRefFrom,
  createActor,
  fromCallback,
  type SnapshotFrom,
  setup,
  toPromise,
  waitFor,
} from 'xstate'
import type { jobMachine } from '../../machines/index.ts'
import { createHeld, createPool, failing, stateOf } from './harness.ts'

describe('a job is an XState actor', () => {
  test('from its submission on, in every state', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const held = createHeld()
    const job = pool.submitJob({ id: 'j', execute: held.execute, delayMs: 10 })
    expectTypeOf<Job>().toExtend<ActorRefFrom<typeof jobMachine>>()
    expect(job.id).toBe('j')
    expect(pool.job('j')).toBe(job)
    expect(job.getSnapshot().matches({ queued: 'delayed' })).toBe(true)
    expect(job.getSnapshot().hasTag('queued')).toBe(true)
    expect(job.getSnapshot().can({ type: 'deadline.reached', at: clock.now() + 10 })).toBe(true)
    await clock.advance(10)
    expect(job.getSnapshot().matches('running')).toBe(true)
    held.of('j').resolve('value')
    await clock.settle()
    expect(job.getSnapshot()).toMatchObject({
      status: 'done',
      value: 'completed',
      output: { value: 'value' },
    })
    expect(pool.job('j')?.getSnapshot().status).toBe('done')
  })

  test('that can be waited for', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    const waiting = waitFor(job, (snapshot) => snapshot.matches('completed'))
    const promised = toPromise(job)
    held.of(job.id).resolve('value')
    await clock.settle()
    expect((await waiting).output).toMatchObject({ value: 'value' })
    expect(await promised).toBe(await job.result())
    expect(await toPromise(job)).toBe(await job.result())
  })

  test('that ends as done, never in error, whatever its handler throws', async () => {
    const { pool } = createPool()
    const job = pool.submitJob({ execute: failing() })
    expect(await toPromise(job)).toMatchObject({ status: 'failed' })
    expect(job.getSnapshot()).toMatchObject({ status: 'done', value: 'failed', error: undefined })
    expect(pool.actor.getSnapshot().status).toBe('active')
  })

  test('that can be subscribed to: each state, then the end', async () => {
    const { pool, clock } = createPool({ maxRetries: 1 })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute, delayMs: 10 })
    const seen: string[] = []
    job.subscribe({ next: () => seen.push(stateOf(job)), complete: () => seen.push('complete') })
    await clock.advance(10)
    held.of(job.id).reject(new Error('once'))
    await clock.advance(1_000)
    held.of(job.id).resolve()
    await clock.settle()
    expect(seen).toEqual([
      'queued.ready',
      'running.executing',
      'queued.delayed',
      'queued.ready',
      'running.executing',
      'completed',
      'complete',
    ])
  })

  test('whose subscription can be withdrawn, and completes at once after the end', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    let calls = 0
    job.subscribe(() => calls++).unsubscribe()
    held.of(job.id).resolve()
    await clock.settle()
    expect(calls).toBe(0)
    let isComplete = false
    job.subscribe({
      complete: () => {
        isComplete = true
      },
    })
    expect(isComplete).toBe(true)
  })

  test('that takes a cancel as an event', async () => {
    const { pool, clock } = createPool()
    const job = pool.submitJob({ execute: createHeld().execute, delayMs: 10 })
    job.send({ type: 'job.cancel', at: clock.now(), by: 'user', reason: 'by event' })
    expect(await job.result()).toMatchObject({ status: 'cancelled', reason: 'by event' })
    expect(pool.getStatus()).toMatchObject({ cancelled: 1, queued: 0 })
  })

  test('that may be sent events of others, for its body', () => {
    interface Approve {
      readonly type: 'approve'
      readonly by: string
    }
    expectTypeOf<Job['send']>().toBeCallableWith({ type: 'approve', by: 'ada' })
    expectTypeOf<Job['send']>().toBeCallableWith({} as Approve)
    expectTypeOf<Job>().toExtend<ActorRef<SnapshotFrom<typeof jobMachine>, Approve>>()
    // @ts-expect-error an event has a type
    expectTypeOf<Job['send']>().toBeCallableWith({ by: 'ada' })
  })

  test('of what its own spec returns, also beside others in a batch', async () => {
    const { pool } = createPool()
    const [count, name] = pool.submitJobs([
      { execute: async () => 1 },
      { execute: () => 'a', dependencies: [] },
    ])
    expectTypeOf(count).toEqualTypeOf<Job<number>>()
    expectTypeOf(name).toEqualTypeOf<Job<string>>()
    expect([await count.value(), await name.value()]).toEqual([1, 'a'])

    expectTypeOf(pool.submitJobs([] as JobSpec<number>[])).toEqualTypeOf<Job<number>[]>()
    expectTypeOf(pool.submitJobs([1, 2].map((n) => ({ execute: () => n })))).toEqualTypeOf<Job<number>[]>()
    // @ts-expect-error a name that nobody reads
    expect(() => pool.submitJobs([{ execute: () => 1, prioritty: 'high' }])).toThrow('prioritty')
  })

  test('in the system of its pool, with a session of its own', () => {
    const { pool } = createPool()
    const [a, b] = [pool.submitJob({ execute: () => 1 }), pool.submitJob({ execute: () => 1 })]
    expect(a.system).toBe(pool.actor.system)
    expect(new Set([a.sessionId, b.sessionId, pool.actor.sessionId]).size).toBe(3)
    expect(Object.keys(pool.actor.getSnapshot().children)).toEqual([])
  })

  test('that another machine can watch', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    const machine = setup({
      types: { events: {} as { type: 'job.done' } },
      actors: {
        watch: fromCallback<{ type: string }>(({ sendBack }) => {
          const { unsubscribe } = job.subscribe({ complete: () => sendBack({ type: 'job.done' }) })
          return unsubscribe
        }),
      },
    }).createMachine({
      initial: 'waiting',
      states: { waiting: { invoke: { src: 'watch' }, on: { 'job.done': 'done' } }, done: { type: 'final' } },
    })
    const watcher = createActor(machine).start()
    held.of(job.id).resolve()
    await clock.settle()
    expect(watcher.getSnapshot().status).toBe('done')
  })
})

describe('the pool is an XState actor', () => {
  test('whose context has the counts of jobs, once the event loop has turned', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const held = createHeld()
    const job = pool.submitJob({ execute: held.execute })
    pool.submitJob({ execute: held.execute })
    await clock.settle()
    const { context } = pool.actor.getSnapshot()
    expect(context).toMatchObject({ maxParallelJobs: 1, jobs: { queued: 1, running: 1, completed: 0 } })
    held.of(job.id).resolve()
    await clock.settle()
    expect(pool.actor.getSnapshot().context.jobs).toEqual({
      queued: 0,
      running: 1,
      completed: 1,
      failed: 0,
      cancelled: 0,
    })
  })

  test('that shows its states and takes its events', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const reasons = [{ measure: 'memoryShare', value: 0.95, clear: 0.85 } as const]
    pool.submitJob({ execute: held.execute })
    pool.actor.send({ type: 'pressure.raised', at: clock.now(), reasons })
    const job = pool.submitJob({ execute: held.execute })
    expect(pool.actor.getSnapshot().matches({ dispatch: 'throttled' })).toBe(true)
    expect(pool.getHealth().reasons).toEqual([expect.stringContaining('throttled')])
    expect(job.status).toBe('queued')
    pool.actor.send({ type: 'pressure.cleared', at: clock.now() })
    await clock.settle()
    expect(job.status).toBe('running')
  })
})
