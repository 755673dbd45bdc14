import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JournalMaker } from '../../../src/http/notes/journal-maker.ts'
import { RAW_READY_AT_ONCE, RAW_STARTED_AT_ONCE } from '../../../src/http/notes/raw-chunk.ts'
import { RawChunkWriter } from '../../../src/http/notes/raw-chunk-writer.ts'
import {
  decodeBlock,
  EVENT_CODES,
  EVENTS,
  type Growable,
  JOB_STATES,
  RunModel,
} from '../../../src/protocol/index.ts'

const STARTED_AT = Date.UTC(2026, 0, 1)
const DAY_MS = 86_400_000
const { 'job.submitted': SUBMITTED, 'slot.granted': GRANTED, 'attempt.completed': COMPLETED } = EVENT_CODES
const STARTED = EVENT_CODES['attempt.started']
const PAUSED = EVENT_CODES['pool.paused']
const ENDED = JOB_STATES.indexOf('completed')
const LIFE = ['job.submitted', 'dependencies.met', 'slot.granted', 'attempt.started', 'attempt.completed']

/** Columns of what the journal of these chunks holds. */
function tablesOf(writer: RawChunkWriter, startedAt = STARTED_AT) {
  const maker = new JournalMaker(startedAt, 'async')
  maker.take(writer.take())
  const model = new RunModel()
  for (const { bytes } of maker.takeAll()) model.apply(decodeBlock(bytes))
  const of = <Items extends Uint8Array | Int32Array | Float32Array | Float64Array>(column: Growable<Items>) =>
    column.items.subarray(0, column.length) as Items
  const { events, jobs } = model.tables
  return {
    events: {
      code: of(events.code),
      at: of(events.at),
      subject: of(events.subject),
      state: of(events.state),
      detail: of(events.detail),
    },
    jobs: { sequence: of(jobs.sequence), priority: of(jobs.priority), score: of(jobs.score) },
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

test('what is told at once holds back no step that was told behind its commit, but for one of the same job', () => {
  const writer = new RawChunkWriter(() => {})
  for (const job of [0, 1, 2]) writer.note(STARTED_AT, job, RAW_READY_AT_ONCE, 0, 0)
  writer.item({ type: 'pool', at: STARTED_AT + 10, event: 'pool.paused', state: 1, limit: 2 })
  writer.note(STARTED_AT + 9, 2, EVENT_CODES['job.prioritised'], 1, 0)
  writer.note(STARTED_AT + 5, 0, COMPLETED, ENDED, 0)
  writer.note(STARTED_AT + 8, 2, GRANTED, 3, 0)
  writer.note(STARTED_AT + 7, 1, RAW_STARTED_AT_ONCE, 0, 0)
  const { code, subject } = tablesOf(writer).events
  expect(
    namesOf(code)
      .map((name, row) => `${name} ${subject[row]}`)
      .slice(6),
  ).toEqual([
    'attempt.completed 0',
    'slot.granted 1',
    'attempt.started 1',
    'job.prioritised 2',
    'slot.granted 2',
    'pool.paused 0',
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

describe('of jobs that begin and end within a few µs', () => {
  const SLOTS = 2
  const STEPS = 4096
  const JULY = Date.UTC(2026, 6, 1)

  /** In steps of a double near now, a quarter of a µs: how long a job waits for its slot and runs, after the one before it in that slot. */
  const step = fc.record({
    slot: fc.nat({ max: SLOTS - 1 }),
    waits: fc.nat({ max: 8 }),
    runs: fc.nat({ max: 8 }),
    /** Whether its times are counted from different bases. */
    isRebased: fc.boolean(),
    /** Whether its end is noted as it happens. */
    isTold: fc.boolean(),
  })

  type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

  /** In the order in which they start. */
  function runsOf(steps: readonly Step[], from: number) {
    const freeAt = new Array<number>(SLOTS).fill(from)
    const runs = steps.map((step) => {
      const submittedAt = freeAt[step.slot]!
      const startedAt = submittedAt + step.waits / STEPS
      const endedAt = startedAt + step.runs / STEPS
      freeAt[step.slot] = endedAt
      return { ...step, submittedAt, startedAt, endedAt }
    })
    return runs.sort((a, b) => a.startedAt - b.startedAt || a.endedAt - b.endedAt)
  }

  test.each([
    ['once all is over', false, 0],
    ['as they end', true, 0],
    ['in slots of very high numbers', false, 2 ** 24],
  ])('noted %s, each lives in order, and a slot is free before it is taken', (_, isAtEnds, firstSlot) => {
    const check = (steps: readonly Step[], since: number) => {
      const writer = new RawChunkWriter(() => {})
      const startedAt = JULY + since / STEPS
      const runs = runsOf(steps, startedAt)
      const noted = [...runs.entries()]
      if (isAtEnds) noted.sort(([, a], [, b]) => a.endedAt - b.endedAt)
      for (const [job, { slot, submittedAt, startedAt, endedAt, isRebased, isTold }] of noted) {
        writer.note(submittedAt, job, RAW_READY_AT_ONCE, 1, 0)
        if (isRebased) writer.note(STARTED_AT, 0, PAUSED, 0, 0)
        if (isTold && isAtEnds) {
          writer.note(startedAt, job, RAW_STARTED_AT_ONCE, 0, slot)
          writer.note(endedAt, job, COMPLETED, ENDED, 0)
        } else writer.ran(job, firstSlot + slot, startedAt, endedAt)
      }
      const { events, jobs } = tablesOf(writer, startedAt)
      const lives: string[][] = runs.map(() => [])
      const taken = new Set<number>()
      for (let row = 0; row < events.code.length; row++) {
        if (events.code[row] === PAUSED) continue
        const job = jobs.sequence[events.subject[row]!]!
        lives[job]!.push(EVENTS[events.code[row]!]!.name)
        const slot = firstSlot + runs[job]!.slot
        if (events.code[row] === STARTED) {
          expect([events.detail[row], taken.has(slot)]).toEqual([slot, false])
          taken.add(slot)
        } else if (events.code[row] === COMPLETED) taken.delete(slot)
      }
      expect(lives).toEqual(runs.map(() => LIFE))
    }
    const steps = fc.array(step, { minLength: 1, maxLength: 12 })
    fc.assert(fc.property(steps, fc.nat({ max: STEPS }), check), { seed: 1, numRuns: 200 })
  })
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
