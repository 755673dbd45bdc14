import { expect, test } from 'vitest'
import { JournalMaker } from '../../../src/http/notes/journal-maker.ts'
import { RAW_READY_AT_ONCE, RAW_STARTED_AT_ONCE } from '../../../src/http/notes/raw-chunk.ts'
import { RawChunkWriter } from '../../../src/http/notes/raw-chunk-writer.ts'
import { decodeBlock, EVENT_CODES, EVENTS, type Growable, RunModel } from '../../../src/protocol/index.ts'

const STARTED_AT = Date.UTC(2026, 0, 1)
const DAY_MS = 86_400_000
const { 'job.submitted': SUBMITTED, 'slot.granted': GRANTED, 'attempt.completed': COMPLETED } = EVENT_CODES

/** Columns of what the journal of these chunks holds. */
function tablesOf(writer: RawChunkWriter) {
  const maker = new JournalMaker(STARTED_AT, 'async')
  maker.take(writer.take())
  const model = new RunModel()
  for (const { bytes } of maker.takeAll()) model.apply(decodeBlock(bytes))
  const of = <Items extends Uint8Array | Int32Array | Float32Array | Float64Array>(column: Growable<Items>) =>
    column.items.subarray(0, column.length) as Items
  const { events, jobs } = model.tables
  return {
    events: { code: of(events.code), at: of(events.at), detail: of(events.detail) },
    jobs: { priority: of(jobs.priority), score: of(jobs.score) },
  }
}

const namesOf = (codes: Uint8Array) => [...codes].map((code) => EVENTS[code]?.name)

test('what a job tells late comes out when it happened', () => {
  const writer = new RawChunkWriter(() => {})
  writer.note(STARTED_AT + 1, 1, SUBMITTED, 2, 0)
  writer.note(STARTED_AT + 2.5, 1, GRANTED, 3, 0)
  writer.note(STARTED_AT + 9, 1, COMPLETED, 5, 0)
  // The first job, once all is over.
  writer.score(0.5)
  writer.note(STARTED_AT + 0.25, 0, RAW_READY_AT_ONCE, 1, 0)
  writer.ran(0, 7, STARTED_AT + 2, STARTED_AT + 4)
  expect(writer.events).toBe(8)
  const { events, jobs } = tablesOf(writer)
  expect(namesOf(events.code)).toEqual([
    'job.submitted',
    'dependencies.met',
    'job.submitted',
    'slot.granted',
    'attempt.started',
    'slot.granted',
    'attempt.completed',
    'attempt.completed',
  ])
  expect([...events.at]).toEqual([250, 250, 1000, 2000, 2000, 2500, 4000, 9000])
  expect(events.detail[4]).toBe(7)
  expect([[...jobs.priority], [...jobs.score]]).toEqual([
    [1, 2],
    [0.5, 0],
  ])
})

test('in one µs jobs come as they were submitted, and a slot is free before it is taken again', () => {
  const writer = new RawChunkWriter(() => {})
  writer.note(STARTED_AT, 3, RAW_READY_AT_ONCE, 0, 0)
  writer.note(STARTED_AT + 5, 3, RAW_STARTED_AT_ONCE, 0, 0)
  writer.note(STARTED_AT, 1, RAW_READY_AT_ONCE, 1, 0)
  writer.ran(1, 0, STARTED_AT + 1, STARTED_AT + 5)
  writer.note(STARTED_AT, 2, RAW_READY_AT_ONCE, 2, 0)
  const { events, jobs } = tablesOf(writer)
  expect([...jobs.priority]).toEqual([1, 2, 0])
  expect(namesOf(events.code).slice(-3)).toEqual(['attempt.completed', 'slot.granted', 'attempt.started'])
})

test('what was noted as it happened stays in order though the clock was put back', () => {
  const writer = new RawChunkWriter(() => {})
  writer.note(STARTED_AT + 100, 0, SUBMITTED, 0, 0)
  writer.note(STARTED_AT + 50, 0, GRANTED, 3, 0)
  writer.note(STARTED_AT + 60, 0, COMPLETED, 5, 0)
  const { events } = tablesOf(writer)
  expect(namesOf(events.code)).toEqual(['job.submitted', 'slot.granted', 'attempt.completed'])
})

test.each([
  ['long', 3, DAY_MS],
  ['in a slot of a very high number', 2 ** 24, 1],
  ['long, in such a slot', 2 ** 24, DAY_MS],
])('an attempt that was %s keeps its times and its slot', (_, slot, ms) => {
  const writer = new RawChunkWriter(() => {})
  writer.note(STARTED_AT, 0, RAW_READY_AT_ONCE, 0, 0)
  writer.ran(0, slot, STARTED_AT + 0.5, STARTED_AT + 0.5 + ms)
  const { events } = tablesOf(writer)
  expect([...events.at]).toEqual([0, 0, 500, 500, 500 + 1000 * ms])
  expect([events.code.at(-1), events.detail[3]]).toEqual([COMPLETED, slot])
  expect(writer.events).toBe(5)
})

test('times keep their microsecond however far apart they are, over many chunks', () => {
  const writer = new RawChunkWriter(() => {})
  const times = Array.from({ length: 20_000 }, (_, index) => index * 0.125 + (index % 3) * 30 * DAY_MS)
  for (const [job, time] of times.entries()) {
    writer.score(job / 4)
    writer.note(STARTED_AT + time, job, SUBMITTED, 0, 0)
    writer.note(STARTED_AT + time, job, COMPLETED, 5, 0)
  }
  const { events, jobs } = tablesOf(writer)
  expect([...events.at]).toEqual(times.flatMap((time) => [1000 * time, 1000 * time]))
  expect([...jobs.score.subarray(0, 5)]).toEqual([0, 0.25, 0.5, 0.75, 1])
})

test('long texts fill a chunk as numbers do, so that what waits is bounded in bytes', () => {
  let chunks = 0
  const writer = new RawChunkWriter(() => chunks++)
  const line = 'x'.repeat(2_000)
  for (let job = 0; job < 1_000; job++)
    writer.item({ type: 'log', job, at: STARTED_AT, attempt: 1, line, stream: 0 })
  expect(chunks).toBe(2)
  expect(writer.fullBytes).toBeGreaterThan(2_000_000)
  const taken = writer.take()
  expect(taken.flatMap(({ items }) => items)).toHaveLength(1_000)
  expect(writer.fullBytes).toBe(0)
})
