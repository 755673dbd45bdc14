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
  for (const chunk of writer.take()) maker.take(chunk)
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

test('events of one instant that are noted together come out as two', () => {
  const writer = new RawChunkWriter(() => {})
  writer.note(STARTED_AT + 1, 0, SUBMITTED, 1, 0)
  expect(writer.merge(SUBMITTED, RAW_READY_AT_ONCE, STARTED_AT + 1, 0, -1)).toBe(true)
  writer.note(STARTED_AT + 2.5, 0, GRANTED, 3, 0)
  expect(writer.merge(GRANTED, RAW_STARTED_AT_ONCE, STARTED_AT + 2.5, 0, 7)).toBe(true)
  expect(writer.records).toBeGreaterThanOrEqual(4)
  const { events, jobs } = tablesOf(writer)
  expect(namesOf(events.code)).toEqual([
    'job.submitted',
    'dependencies.met',
    'slot.granted',
    'attempt.started',
  ])
  expect([...events.at]).toEqual([1000, 1000, 2500, 2500])
  expect(events.detail[3]).toBe(7)
  expect(jobs.priority[0]).toBe(1)
})

test('events of another job, or of another instant, are not taken for one', () => {
  const writer = new RawChunkWriter(() => {})
  writer.note(STARTED_AT, 0, SUBMITTED, 0, 0)
  expect(writer.merge(SUBMITTED, RAW_READY_AT_ONCE, STARTED_AT, 1, -1)).toBe(false)
  expect(writer.merge(SUBMITTED, RAW_READY_AT_ONCE, STARTED_AT + 1, 0, -1)).toBe(false)
  expect(writer.merge(GRANTED, RAW_STARTED_AT_ONCE, STARTED_AT, 0, 1)).toBe(false)
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
