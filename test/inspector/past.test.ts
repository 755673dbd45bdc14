import { describe, expect, test } from 'vitest'
import { decisionText } from '../../inspector/model/decision.ts'
import { parseFilter } from '../../inspector/model/filter.ts'
import { kindGraph, linksAt } from '../../inspector/model/graph.ts'
import { listJobs, type Sort } from '../../inspector/model/job-list.ts'
import { Moment } from '../../inspector/model/moment.ts'
import { NodesAt } from '../../inspector/model/nodes-at.ts'
import { poolAt } from '../../inspector/model/pool-at.ts'
import { prioritiesAt } from '../../inspector/model/priorities.ts'
import type { RunStore } from '../../inspector/model/run-store.ts'
import { Summary } from '../../inspector/model/summary.ts'
import { findTroubles } from '../../inspector/model/troubles.ts'
import { whyWaiting } from '../../inspector/model/why.ts'
import { connection, isServedRecording, status } from '../../inspector/state/session.ts'
import { statusOfNow } from '../../inspector/state/time.ts'
import type { FeedStatus } from '../../src/protocol/index.ts'
import { ToldRun } from './told-run.ts'

/** The moment of a run at an instant. */
function momentAt(run: RunStore, at: number): Moment {
  const moment = new Moment(run)
  moment.seek(at)
  return moment
}

describe('a slot that nothing comes to any more', () => {
  // The first of all attempts goes on, the others are over: what is read beyond the end of a lane is that first one.
  const told = new ToldRun()
  const long = told.job('long')
  told.step(0, 'job.submitted', long, 'queued.ready')
  told.step(0, 'attempt.started', long, 'running.executing', 0)
  for (let place = 0; place < 40; place++) {
    const from = 10 + Math.floor(place / 5) * 20
    told.attempt(told.job(`short-${place}`), 1 + (place % 5), from, from + 10)
  }
  told.step(9_000, 'attempt.completed', long, 'completed')
  const run = told.run()
  const moment = momentAt(run, 3_500)

  test('is free', () => {
    expect([...moment.slots()]).toEqual([long, -1, -1, -1, -1, -1])
    expect(run.slices.lanes.map((lane) => run.slices.lastIn(lane, 3_500))).toEqual([0, 36, 37, 38, 39, 40])
    expect(run.slices.lastIn(run.slices.lanes[1]!, 5)).toBe(-1)
  })

  test('runs no job for longer than usual', () => {
    const slow = findTroubles(run, moment).find(({ kind }) => kind === 'slow')
    expect(slow).toMatchObject({ count: 1 })
  })
})

describe('the pool of a moment', () => {
  const open = ['accepting', 'open'] as const
  const paused = ['accepting', 'paused'] as const
  const told = new ToldRun()
  const jobs = ['a', 'b', 'c'].map((id) => told.job(id))
  for (const job of jobs) told.step(0, 'job.submitted', job, 'queued.ready')
  told.sample(500, 6).pool(1_000, 'pool.paused', paused).pool(2_000, 'pool.limited', paused, 8)
  told.pool(3_000, 'pool.resumed', open).sample(3_500, 8).pool(4_000, 'pool.limited', open, 2)
  const run = told.run()

  test.each([
    [0, 'open', 6],
    [1_500, 'paused', 6],
    [2_500, 'paused', 8],
    [3_200, 'open', 8],
    [3_600, 'open', 8],
    [4_000, 'open', 2],
  ])('has what was so at %d ms: %s, with %d slots', (at, dispatch, limit) => {
    expect(poolAt(run, momentAt(run, at))).toEqual({ lifecycle: 'accepting', dispatch, limit })
  })

  test('is what a live one says of itself', () => {
    const status = { lifecycle: 'draining', dispatch: 'throttled', limit: 3 } as FeedStatus
    expect(poolAt(run, momentAt(run, run.end), status)).toBe(status)
  })

  test('has idle slots for the reason there was', () => {
    const idleAt = (at: number) => findTroubles(run, momentAt(run, at)).find(({ kind }) => kind === 'idle')
    expect(idleAt(500)).toBeUndefined()
    expect(idleAt(2_500)).toMatchObject({ free: 8, ready: 3, why: 'the pool is paused' })
    expect(idleAt(3_500)).toBeUndefined()
  })

  test('is told by its first event, and has no limit where only a change tells of one', () => {
    const begun = new ToldRun().pool(1_000, 'pool.resumed', open).pool(2_000, 'pool.limited', open, 4).run()
    expect(poolAt(begun, momentAt(begun, 0))).toEqual({ ...pairOf(paused), limit: undefined })
    expect(poolAt(begun, momentAt(begun, 1_500))).toEqual({ ...pairOf(open), limit: undefined })
    expect(poolAt(begun, momentAt(begun, 2_000))).toEqual({ ...pairOf(open), limit: 4 })
  })
})

const pairOf = ([lifecycle, dispatch]: readonly [string, string]) => ({ lifecycle, dispatch })

describe('a job of a moment', () => {
  const told = new ToldRun()
  const [first, second] = [told.job('first'), told.job('second')]
  told.step(0, 'job.submitted', first, 'queued.ready').step(0, 'job.submitted', second, 'queued.ready')
  told.step(100, 'job.prioritised', first, 'queued.ready', 3)
  told.step(200, 'job.prioritised', first, 'queued.ready', 0)
  told.step(300, 'attempt.started', first, 'running.executing', 0)
  told.step(400, 'attempt.failed', first, 'queued.ready')
  told.step(500, 'attempt.started', first, 'running.executing', 0)
  const run = told.run()
  const third = told.job('third', { on: [first, second] })
  told.step(600, 'job.submitted', third, 'queued.blocked').run(run)
  const found = (at: number, text: string, sort: Sort = 'urgency') => [
    ...listJobs(run, momentAt(run, at), parseFilter(text), sort, false).jobs,
  ]

  test.each([
    [50, 2],
    [150, 3],
    [250, 0],
  ])('has the priority that it had at %d ms', (at, priority) => {
    expect(prioritiesAt(run, momentAt(run, at))[first]).toBe(priority)
    for (const text of ['', 'load']) {
      const list = listJobs(run, momentAt(run, at), parseFilter(text), 'urgency', false)
      expect(list.priorities[first]).toBe(priority)
      expect(list.facets.priorities[priority]).toBe(priority === 2 ? 2 : 1)
    }
  })

  test('waits in the place that it had by its priority', () => {
    const position = (at: number) => whyWaiting(run, momentAt(run, at), first)
    expect(position(50)).toMatchObject({ position: 1 })
    expect(position(150)).toMatchObject({ position: 2 })
  })

  test('has been tried as often as it had been by then', () => {
    const tries = [50, 350, 450, 550].map((at) => momentAt(run, at).attemptsOf(first))
    expect(tries).toEqual([0, 1, 1, 2])
    expect(found(450, 'is:retried')).toEqual([])
    expect(found(550, 'is:retried')).toEqual([first])
    expect(found(50, '', 'attempts')).toEqual([first, second])
    expect(found(350, '', 'attempts')).toEqual([second, first])
  })

  test('depends on nothing before it is there', () => {
    expect([500, 600].map((at) => linksAt(run, momentAt(run, at)))).toEqual([0, 2])
  })
})

describe('a run whose last stretch is quiet', () => {
  const told = new ToldRun()
  for (let place = 0; place < 20; place++) told.attempt(told.job(`${place}`), 0, place * 50, place * 50 + 40)
  const left = told.job('left')
  told.step(1_000, 'job.submitted', left, 'queued.ready')
  told.pool(30_000, 'pool.limited', ['accepting', 'open'], 2)
  told.pool(30_000, 'pool.paused', ['accepting', 'paused']).pool(45_000, 'pool.closed', ['closed', 'paused'])
  const run = told.run()
  const summaryAt = (at: number) => new Summary(run, momentAt(run, at))

  test('has series until its end', () => {
    expect(run.series.startOf(run.series.length)).toBeGreaterThan(45_000)
    expect(run.series.average('queued').at(-1)).toBe(1)
  })

  test('has no rate of long ago, and tells when its jobs are done only while that goes on', () => {
    expect(summaryAt(2_000).jobsPerSecond).toBeCloseTo(9)
    expect(summaryAt(2_000).etaMs).toBeCloseTo(1_000 / 9)
    expect(summaryAt(25_000).jobsPerSecond).toBe(0)
    expect(summaryAt(25_000).etaMs).toBeUndefined()
  })

  test('does not tell when its last jobs are done, which run or rest', () => {
    const told = new ToldRun()
    for (let place = 0; place < 9; place++)
      told.attempt(told.job(`${place}`), 0, place * 100, place * 100 + 90)
    const [long, late, more] = [told.job('long'), told.job('late'), told.job('more')]
    told.step(900, 'job.submitted', long, 'queued.ready').step(900, 'job.submitted', late, 'queued.delayed')
    told.step(900, 'job.submitted', more, 'queued.ready')
    told.step(900, 'attempt.started', long, 'running.executing', 0)
    const waiting = told.run()
    expect(new Summary(waiting, momentAt(waiting, 900)).etaMs).toBeCloseTo(3 / 0.01, -2)
    told.step(1_000, 'attempt.started', more, 'running.executing', 1).run(waiting)
    expect(new Summary(waiting, momentAt(waiting, 1_000)).jobsPerSecond).toBeGreaterThan(0)
    expect(new Summary(waiting, momentAt(waiting, 1_000)).etaMs).toBeUndefined()
  })

  test('that is paused does not tell when its jobs are done', () => {
    const paused = new ToldRun().attempt(0, 0, 0, 100).attempt(1, 0, 100, 200)
    const waiting = [paused.job('a'), paused.job('b'), paused.job('c')].at(-1)!
    paused.step(200, 'job.submitted', waiting, 'queued.ready')
    const open = paused.run()
    expect(new Summary(open, momentAt(open, 200)).etaMs).toBeDefined()
    paused.pool(300, 'pool.paused', ['accepting', 'paused']).run(open)
    expect(new Summary(open, momentAt(open, 300)).jobsPerSecond).toBeGreaterThan(0)
    expect(new Summary(open, momentAt(open, 300)).etaMs).toBeUndefined()
  })
})

test('a kind of jobs is known to have been cancelled in part', () => {
  const told = new ToldRun()
  told.attempt(told.job('done'), 0, 0, 10)
  const cancelled = told.job('cancelled')
  told.step(0, 'job.submitted', cancelled, 'queued.ready').step(20, 'job.cancel', cancelled, 'cancelled')
  const run = told.run()
  const cancelledAt = (at: number) => kindGraph(run, momentAt(run, at), 1).nodes[0]
  expect(cancelledAt(10)).toMatchObject({ done: 1, cancelled: 0, open: 1 })
  expect(cancelledAt(20)).toMatchObject({ done: 1, cancelled: 1, open: 0 })
})

describe('a node of a tree', () => {
  const told = new ToldRun()
  const [first, second] = [told.job('first'), told.job('second')]
  const root = told.node('root', { job: first, score: 2 })
  told.attempt(first, 0, 0, 100).decided(110, root, 'grow', 7)
  const child = told.node('child', { parent: root, job: second, score: 1 })
  told.step(110, 'job.submitted', second, 'queued.ready').decided(300, root, 'stop')
  const run = told.run()
  const nodesAt = (at: number) => new NodesAt(run, momentAt(run, at))

  test('has at each moment the score and the decision that it had then', () => {
    expect([50, 200, 400].map((at) => nodesAt(at).scoreOf(root))).toEqual([2, 7, 7])
    expect([50, 200, 400].map((at) => nodesAt(at).decisionOf(root))).toEqual([-1, 0, 1])
    expect(nodesAt(400).scoreOf(child)).toBe(1)
  })

  test('tells what was decided', () => {
    const told = { did: 'grew 1', why: 'why it grows', cut: '', error: '' }
    expect(decisionText(run, nodesAt(200).decisionOf(root))).toEqual({ type: 'grow', ...told })
  })
})

test('what a server says of a recording that it is still sending is not what a pool says of itself', () => {
  const told = { limit: 0 } as FeedStatus
  connection.value = { kind: 'live' }
  status.value = told
  expect(statusOfNow.value).toBe(told)
  isServedRecording.value = true
  expect(statusOfNow.value).toBeUndefined()
})
