import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { generateRecording } from '../../bench/recordings.ts'
import {
  ATTEMPT_ENDS,
  DecodeError,
  decodeBlock,
  decodeRecording,
  encodeBlock,
  encodeRecording,
  JOB_STATES,
  JournalWriter,
  RunModel,
} from '../../src/protocol/index.ts'
import {
  COLUMN_TABLES,
  type ColumnTable,
  type ColumnType,
  TABLE_NAMES,
  TABLES,
} from '../../src/protocol/journal.ts'

const anyValue: Record<ColumnType, fc.Arbitrary<number>> = {
  byte: fc.integer({ min: 0, max: 255 }),
  int: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  long: fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
  float: fc.float(),
}

const rowOf = (table: ColumnTable) =>
  fc.record(
    Object.fromEntries(
      Object.entries<ColumnType>(TABLES[table]).map(([name, type]) => [name, anyValue[type]]),
    ),
  )

const rows = fc.record(
  Object.fromEntries(COLUMN_TABLES.map((table) => [table, fc.array(rowOf(table), { maxLength: 20 })])),
)

describe('a block', () => {
  test('comes out of its bytes as it went in', () => {
    fc.assert(
      fc.property(rows, fc.array(fc.string({ unit: 'grapheme' })), (given, texts) => {
        const writer = new JournalWriter()
        for (const text of texts) writer.uniqueText(text)
        for (const table of COLUMN_TABLES)
          for (const row of given[table] ?? []) writer.add(table, row as never)
        const block = writer.take()
        if (block !== undefined) expect(decodeBlock(encodeBlock(block))).toEqual(block)
      }),
    )
  })

  test('that is damaged is refused, or read as another one, but never anything worse', () => {
    const [block = new Uint8Array()] = decodeRecording(generateRecording({ jobs: 50 })).blocks
    fc.assert(
      fc.property(fc.nat(block.length - 1), fc.integer({ min: 0, max: 255 }), (place, byte) => {
        const damaged = block.slice()
        damaged[place] = byte
        try {
          decodeBlock(damaged)
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError)
        }
      }),
    )
  })
})

test('a block of a few bytes cannot ask for millions of rows', () => {
  const table = TABLE_NAMES.indexOf('events')
  const millions = [0x80, 0x89, 0x7a]
  expect(() => decodeBlock(Uint8Array.from([1, table, ...millions, 0, 0, 0, 0, 0, 0, 0, 0, 0]))).toThrow(
    /a table of 2000000 rows/,
  )
})

describe('a recording', () => {
  test('cut short anywhere is read up to its last whole block', () => {
    const whole = generateRecording({ jobs: 200, blockEvents: 100 })
    const { blocks } = decodeRecording(whole)
    const cut = decodeRecording(whole.subarray(0, whole.length - 1))
    expect(cut.fault).toBeInstanceOf(DecodeError)
    expect(cut.blocks).toEqual(blocks.slice(0, -1))
  })

  test('is refused when it is something else', () => {
    expect(() => decodeRecording(new TextEncoder().encode('{"not": "one"}'))).toThrow(DecodeError)
    expect(() => decodeRecording(new Uint8Array())).toThrow(DecodeError)
  })

  test('of a newer version is refused', () => {
    const { header, blocks } = decodeRecording(generateRecording({ jobs: 10 }))
    const newer = encodeRecording({ ...header, version: 2 as 1 }, blocks)
    expect(() => decodeRecording(newer)).toThrow(/version is 2/)
  })

  test('is the same for the same seed, and another for another', () => {
    expect(generateRecording({ jobs: 500, seed: 7 })).toEqual(generateRecording({ jobs: 500, seed: 7 }))
    expect(generateRecording({ jobs: 500, seed: 7 })).not.toEqual(generateRecording({ jobs: 500, seed: 8 }))
  })

  test('of 100,000 jobs takes less than 3.2 MB, compressed', () => {
    expect(gzipSync(generateRecording({ jobs: 100_000 })).length).toBeLessThan(3.2e6)
  })
})

describe('the model', () => {
  const model = new RunModel()
  for (const block of decodeRecording(generateRecording({ jobs: 2_000 })).blocks)
    model.apply(decodeBlock(block))

  test('counts each job in exactly one state', () => {
    expect(model.jobCounts.reduce((sum, count) => sum + count)).toBe(2_000)
    const counted = new Float64Array(JOB_STATES.length)
    for (let job = 0; job < 2_000; job++) counted[model.jobs.state.get(job)]!++
    expect(model.jobCounts).toEqual(counted)
  })

  test('gives every attempt a slot that no other holds meanwhile', () => {
    const { attempts } = model
    const freeAt: number[] = []
    for (let row = 0; row < attempts.job.length; row++) {
      const slot = attempts.slot.get(row)
      expect(attempts.startedAt.get(row)).toBeGreaterThanOrEqual(freeAt[slot] ?? 0)
      expect(attempts.readyAt.get(row)).toBeLessThanOrEqual(attempts.startedAt.get(row))
      freeAt[slot] = attempts.endedAt.get(row)
    }
  })

  test('knows how each attempt ended', () => {
    const ends = Array.from(
      { length: model.attempts.end.length },
      (_, row) => ATTEMPT_ENDS[model.attempts.end.get(row)],
    )
    const completed = model.jobCounts[JOB_STATES.indexOf('completed')]
    expect(ends.filter((end) => end === 'completed')).toHaveLength(completed ?? -1)
    expect(ends.filter((end) => end === 'failed')).toHaveLength(model.tables.errors.job.length)
  })

  test('finds every node below its parent', () => {
    const { nodes, tables } = model
    let found = 0
    for (let node = 0; node < nodes.state.length; node++) {
      for (let child = nodes.firstChild.get(node); child > 0; child = nodes.nextSibling.get(child - 1)) {
        expect(tables.nodes.parent.get(child - 1)).toBe(node + 1)
        found++
      }
    }
    expect(found).toBe(2_000 - 4)
  })

  test('is the same in whatever blocks the journal comes', () => {
    const fold = (blockEvents: number) => {
      const folded = new RunModel()
      const { blocks } = decodeRecording(generateRecording({ jobs: 300, blockEvents }))
      for (const block of blocks) folded.apply(decodeBlock(block))
      const { jobCounts, nodeCounts, transitions, attempts, lastAt } = folded
      return {
        jobCounts,
        nodeCounts,
        transitions,
        ended: Array.from(attempts.endedAt.items).slice(0, attempts.job.length),
        lastAt,
      }
    }
    expect(fold(50)).toEqual(fold(100_000))
  })
})
