import type { JobResult } from 'espalier'
import { describe, expect, test } from 'vitest'
import { type JobCounts, type PoolEvent, poolMachine } from '../../machines/index.ts'
import { Coverage, createStepper } from './stepping.ts'

const coverage = new Coverage(poolMachine)
const createPool = () => createStepper(poolMachine, { maxParallelJobs: 2 }, coverage)

const counts = (queued: number, running: number): JobCounts => ({
  queued,
  running,
  completed: 0,
  failed: 0,
  cancelled: 0,
})
const changed = (queued: number, running: number): PoolEvent => ({
  type: 'jobs.changed',
  at: 1,
  jobs: counts(queued, running),
})
const shutdown = (wait = true): PoolEvent => ({ type: 'pool.shutdown', at: 10, wait, timeoutMs: 100 })
const deadline = (at: number): PoolEvent => ({ type: 'deadline.reached', at })
const pause: PoolEvent = { type: 'pool.pause', at: 2 }
const resume: PoolEvent = { type: 'pool.resume', at: 3 }
const reasons = [{ measure: 'memoryShare', value: 0.95, clear: 0.85 } as const]
const raised: PoolEvent = { type: 'pressure.raised', at: 4, reasons }
const cleared: PoolEvent = { type: 'pressure.cleared', at: 5 }

const closing = [['notify', { type: 'pool.closed' }], ['close']]
const cancelling = [['cancelJobs', { reason: 'shutdown' }]]

const busy = () => {
  const pool = createPool()
  pool.step(changed(1, 1))
  return pool
}

describe('the lifecycle of the pool', () => {
  test('begins accepting and open, with the given limit', () => {
    const pool = createPool()
    expect(pool.state).toEqual({ lifecycle: 'accepting', dispatch: 'open' })
    expect(pool.context).toEqual({ maxParallelJobs: 2, jobs: counts(0, 0), deadlineAt: 0, pressure: null })
  })

  test('ends at once when idle', () => {
    const pool = createPool()
    expect(pool.step(shutdown())).toEqual(closing)
    expect(pool.state).toMatchObject({ lifecycle: 'closed' })
  })

  test('drains while jobs are left, and closes with the last', () => {
    const pool = busy()
    expect(pool.step(shutdown())).toEqual([['wakeAt', { at: 110 }]])
    expect(pool.step(changed(0, 1))).toEqual([])
    expect(pool.state).toMatchObject({ lifecycle: 'draining' })
    expect(pool.step(changed(0, 0))).toEqual(closing)
    expect(pool.context.jobs).toEqual(counts(0, 0))
  })

  test('cancels what is left at the deadline, and not before', () => {
    const pool = busy()
    pool.step(shutdown())
    expect(pool.step(deadline(109))).toEqual([])
    expect(pool.step(deadline(110))).toEqual(cancelling)
    expect(pool.state).toMatchObject({ lifecycle: 'draining' })
  })

  test('cancels at once when it may not wait, also when asked to hurry later', () => {
    expect(busy().step(shutdown(false))).toEqual(cancelling)
    const pool = busy()
    pool.step(shutdown())
    expect(pool.step(shutdown())).toEqual([])
    expect(pool.step(shutdown(false))).toEqual(cancelling)
  })

  test('waits for the earlier of two deadlines', () => {
    const pool = busy()
    pool.step(shutdown())
    const within = (timeoutMs: number): PoolEvent => ({
      type: 'pool.shutdown',
      at: 20,
      wait: true,
      timeoutMs,
    })
    expect(pool.step(within(90))).toEqual([])
    expect(pool.step(within(89))).toEqual([['wakeAt', { at: 109 }]])
    expect(pool.step(deadline(109))).toEqual(cancelling)
  })

  test('stays closed, whatever comes', () => {
    const pool = createPool()
    pool.step(shutdown())
    expect(pool.step(shutdown(), shutdown(false), deadline(999), changed(0, 0))).toEqual([])
    expect(pool.state).toMatchObject({ lifecycle: 'closed' })
  })
})

test('a job that is done changes nothing by itself: the counts come in batches', () => {
  const pool = busy()
  pool.step({ type: 'pool.shutdown', at: 10, wait: true, timeoutMs: 100 })
  const { context, state } = pool
  expect(pool.step({ type: 'xstate.done.actor.job', output: {} as JobResult })).toEqual([])
  expect(pool.context).toBe(context)
  expect(pool.state).toEqual(state)
})

describe('the dispatch of the pool', () => {
  test('can be paused and resumed', () => {
    const pool = createPool()
    expect(pool.step(pause)).toEqual([['notify', { type: 'pool.paused' }]])
    expect(pool.state).toMatchObject({ dispatch: 'paused' })
    expect(pool.step(pause)).toEqual([])
    expect(pool.step(resume)).toEqual([['notify', { type: 'pool.resumed' }], ['dispatch']])
    expect(pool.state).toMatchObject({ dispatch: 'open' })
    expect(pool.step(resume)).toEqual([])
  })

  test('is throttled under pressure', () => {
    const pool = createPool()
    expect(pool.step(raised)).toEqual([['notify', { type: 'pool.throttled', reasons }]])
    expect(pool.context.pressure).toEqual({ since: 4, reasons })
    expect(pool.step(cleared)).toEqual([['notify', { type: 'pool.unthrottled' }], ['dispatch']])
    expect(pool.context.pressure).toBeNull()
  })

  test('tells of other reasons while it is throttled, and remembers since when it is', () => {
    const pool = createPool()
    pool.step(raised)
    const others = [{ measure: 'eventLoopDelayMs', value: 300, clear: 100 } as const]
    expect(pool.step({ type: 'pressure.raised', at: 9, reasons: others })).toEqual([
      ['notify', { type: 'pool.throttled', reasons: others }],
    ])
    expect(pool.context.pressure).toEqual({ since: 4, reasons: others })
  })

  test('stays paused when the pressure is over', () => {
    const pool = createPool()
    pool.step(raised, pause, cleared)
    expect(pool.state).toMatchObject({ dispatch: 'paused' })
    expect(pool.context.pressure).toBeNull()
  })

  test('is opened by a shutdown: a paused drain could never end', () => {
    const pool = busy()
    pool.step(pause)
    expect(pool.step(shutdown())).toContainEqual(['dispatch'])
    expect(pool.state).toEqual({ lifecycle: 'draining', dispatch: 'open' })
  })

  test('follows a new limit at once', () => {
    const pool = createPool()
    expect(pool.step({ type: 'pool.limit', at: 6, maxParallelJobs: 9 })).toEqual([
      ['notify', { type: 'pool.limited', maxParallelJobs: 9 }],
      ['dispatch'],
    ])
    expect(pool.context.maxParallelJobs).toBe(9)
  })
})

test('the tests above take every transition of the chart', () => {
  expect(coverage.size).toBeGreaterThan(10)
  expect(coverage.missed).toEqual([])
})
