import { describe, expect, test } from 'vitest'
import { Moment } from '../../inspector/model/moment.ts'
import type { RunStore } from '../../inspector/model/run-store.ts'
import { findTroubles } from '../../inspector/model/troubles.ts'
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
    const slow = findTroubles(run, moment, undefined).find(({ kind }) => kind === 'slow')
    expect(slow).toMatchObject({ count: 1 })
  })
})
