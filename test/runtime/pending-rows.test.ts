import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeEach, describe, expect, test } from 'vitest'
import { PendingRows } from '../../src/runtime/record/pending-rows.ts'

class FakeJob {
  readonly name: string
  readonly needsRow: boolean
  hasRow = false
  behindSince = 0
  plannedBy = 0

  constructor(name: string, needsRow = false) {
    this.name = name
    this.needsRow = needsRow
  }
}

const jobs = (...names: readonly string[]) => names.map((name) => new FakeJob(name))
const namesOf = (some: Iterable<FakeJob>) => [...some].map(({ name }) => name).join('')

describe('the jobs whose rows are behind', () => {
  let pending: PendingRows<FakeJob>
  let lastSeq = 0
  beforeEach(() => {
    pending = new PendingRows(3)
    lastSeq = 0
  })

  /** A commit in which each of these steps once. @returns Whose rows it writes, and the first event that is in none. */
  function commit(...stepped: readonly FakeJob[]): [rows: string, pendingSeq: number] {
    const firstSeq = lastSeq + 1
    lastSeq += stepped.length
    const plan = pending.plan(stepped, firstSeq, lastSeq)
    pending.made(plan, firstSeq)
    return [namesOf(plan.rows), plan.pendingSeq]
  }

  test('are left behind until there are too many, then the one that has been so for the longest is written', () => {
    const [a, b, c, d, e] = jobs('a', 'b', 'c', 'd', 'e') as [FakeJob, FakeJob, FakeJob, FakeJob, FakeJob]
    expect(commit(a, b)).toEqual(['', 1])
    expect(commit(c, a)).toEqual(['', 1])
    expect(commit(d)).toEqual(['a', 1])
    expect(commit(e, b)).toEqual(['b', 3])
    expect(commit(a)).toEqual(['c', 5])
    expect([a, b, c, d, e].map(({ hasRow }) => hasRow)).toEqual([true, true, true, false, false])
  })

  test('are written several at once when there are too many, and none with the commits that follow', () => {
    pending = new PendingRows(16)
    for (const job of jobs(...'abcdefghijklmnop')) expect(commit(job)).toEqual(['', 1])
    const rows = jobs(...'qrst').map((job) => commit(job)[0])
    expect(rows).toEqual(['abc', '', '', 'def'])
  })

  test('of many at once the first are left, since they end first, and what is over is written', () => {
    const many = jobs('a', 'b', 'c', 'd', 'e')
    expect(commit(...many)).toEqual(['de', 1])
    expect(commit(many[3] as FakeJob)).toEqual(['a', 1])
  })

  test('are not those whose rows have to be there', () => {
    const [a] = jobs('a') as [FakeJob]
    expect(commit(a, new FakeJob('n', true))).toEqual(['n', 1])
    const ended = Object.assign(a, { needsRow: true })
    expect(commit(ended)).toEqual(['a', 4])
    expect(pending.size).toBe(0)
  })

  test('stay as they were when their commit is refused', () => {
    const [a, b, c, d] = jobs('a', 'b', 'c', 'd') as [FakeJob, FakeJob, FakeJob, FakeJob]
    commit(a, b, c)
    const refused = pending.plan([d, a], 4, 5)
    expect(namesOf(refused.rows)).toBe('a')
    expect([namesOf(pending.jobs()), a.hasRow]).toEqual(['abc', false])
    expect(commit(a)).toEqual(['', 1])
  })

  test('are written a few at a time, the oldest first', () => {
    const all = jobs('a', 'b', 'c')
    for (const job of all) commit(job)
    const plan = pending.flush(2, lastSeq)
    expect([namesOf(plan.rows), plan.pendingSeq]).toEqual(['ab', 3])
    pending.made(plan, lastSeq + 1)
    expect(namesOf(pending.jobs())).toBe('c')
    expect(pending.flush(2, lastSeq).pendingSeq).toBe(lastSeq + 1)
  })

  test('are not kept in memory once their rows are written, however long another stays behind', async () => {
    const [slow] = jobs('s') as [FakeJob]
    commit(slow)
    const refs = Array.from({ length: 1_000 }, () => {
      const job = new FakeJob('j')
      commit(job)
      commit(Object.assign(job, { needsRow: true }))
      return new WeakRef(job)
    })
    setFlagsFromString('--expose-gc')
    // What a WeakRef has been made for lives until the event loop has turned.
    await new Promise((resolve) => setImmediate(resolve))
    ;(runInNewContext('gc') as () => void)()
    expect(refs.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(100)
    expect([namesOf(pending.jobs()), pending.firstSeq]).toEqual(['s', 1])
  })

  test('are none once somebody else has written them', () => {
    const [a] = jobs('a') as [FakeJob]
    commit(a)
    pending.clear()
    expect([pending.size, a.hasRow]).toEqual([0, true])
  })

  test('are none in a store that takes every tick whole', () => {
    pending = new PendingRows(0)
    expect(commit(...jobs('a', 'b'))).toEqual(['ab', 3])
  })
})
