import { expect, test } from 'vitest'
import { generateRecording } from '../../bench/recordings.ts'
import { ABSENT, STATE_COUNT } from '../../inspector/model/job-states.ts'
import { Moment } from '../../inspector/model/moment.ts'
import { RunStore } from '../../inspector/model/run-store.ts'
import { Series } from '../../inspector/model/series.ts'
import { loadRecording } from '../../inspector/source/recorded.ts'
import { decodeBlock, decodeRecording } from '../../src/protocol/index.ts'

// Enough events for several checkpoints.
const recording = generateRecording({ jobs: 12_000, seed: 5, failures: 0.05 })
const { run } = await loadRecording(recording)

/** The states after so many events, by walking all of them. */
function replay({ log, jobCount }: RunStore, steps: number): Uint8Array {
  const states = new Uint8Array(jobCount).fill(ABSENT)
  for (let step = 0; step < steps; step++)
    if (log.job.data[step]! >= 0) states[log.job.data[step]!] = log.state.data[step]!
  return states
}

test('a moment reached by any way of seeking is the one that replaying all events reaches', () => {
  const moment = new Moment(run)
  const { eventCount } = run
  for (const share of [1, 0, 0.5, 0.51, 0.2, 0.9, 0.199, 0.75, 1]) {
    const step = Math.floor(eventCount * share)
    moment.seekStep(step)
    const states = replay(run, step)
    expect(moment.states.subarray(0, run.jobCount)).toEqual(states)
    const counts = new Uint32Array(STATE_COUNT)
    for (const state of states) if (state !== ABSENT) counts[state]!++
    expect(moment.counts).toEqual(counts)
  }
})

test('seeking an instant takes every event up to it, and none after it', () => {
  const moment = new Moment(run)
  for (const share of [0.1, 0.6, 0.3]) {
    const at = run.epoch + (run.end - run.epoch) * share
    moment.seek(at)
    const { data } = run.log.at
    expect(data[moment.step - 1]!).toBeLessThanOrEqual(at)
    expect(data[moment.step]!).toBeGreaterThan(at)
  }
})

test('a moment has a state for the jobs that are read after it was sought: they are not there yet', () => {
  const { header, blocks } = decodeRecording(recording)
  const read = new RunStore(header)
  const moment = new Moment(read)
  for (const block of blocks) {
    read.apply(decodeBlock(block))
    expect(moment.states.length).toBeGreaterThanOrEqual(read.jobCount)
  }
  expect(read.jobCount).toBe(12_000)
  expect(new Set(moment.states)).toEqual(new Set([ABSENT]))
})

test('the counts of the last moment are those of the store, and add up to all jobs', () => {
  const moment = new Moment(run)
  moment.seek(run.end)
  expect(moment.counts).toEqual(run.counts)
  expect(moment.total).toBe(run.jobCount)
})

test('no slot holds two attempts at a time, and each ends before the next one starts', () => {
  const { slices } = run
  for (const lane of slices.lanes) {
    for (let place = 1; place < lane.length; place++) {
      const [before, after] = [lane.data[place - 1]!, lane.data[place]!]
      expect(slices.end.data[before]!).toBeLessThanOrEqual(slices.start.data[after]!)
    }
  }
})

test('what the series count is what has happened', () => {
  const sum = (name: 'submitted' | 'completed' | 'failed') => run.series.sum([name], 0, run.series.length - 1)
  expect(sum('submitted')).toBe(run.jobCount)
  expect(sum('completed')).toBe(run.counts[5])
  expect(sum('failed')).toBe(run.counts[6])
})

test('a level that is told late counts from when it was', () => {
  const [prompt, late] = [new Series(0), new Series(0)]
  prompt.level('running', 2, 150)
  prompt.advance(1_000)
  late.advance(1_000)
  late.level('running', 2, 150)
  expect(late.average('running')).toEqual(prompt.average('running'))
  expect([...late.average('running').slice(0, 3)]).toEqual([0, 1, 2])
})

test('series keep their sums when they outgrow their buckets', () => {
  const series = new Series(0)
  for (let at = 0; at < 3_600_000; at += 1_000) series.count('completed', at)
  expect(series.sum(['completed'], 0, series.length - 1)).toBe(3_600)
  expect(series.startOf(series.length)).toBeGreaterThanOrEqual(3_599_000)
})
