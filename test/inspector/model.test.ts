import { describe, expect, test } from 'vitest'
import { generateRecording } from '../../bench/recordings.ts'
import { listEvents } from '../../inspector/model/event-list.ts'
import { parseFilter, togglePart } from '../../inspector/model/filter.ts'
import {
  formatClock,
  formatCount,
  formatDuration,
  formatShort,
  plainText,
} from '../../inspector/model/format.ts'
import { kindGraph } from '../../inspector/model/graph.ts'
import { layOut } from '../../inspector/model/icicle.ts'
import { listJobs } from '../../inspector/model/job-list.ts'
import { FAILED } from '../../inspector/model/job-states.ts'
import { Moment } from '../../inspector/model/moment.ts'
import { figuresOf } from '../../inspector/model/range.ts'
import { RollUps } from '../../inspector/model/roll-ups.ts'
import { TreeAt, treeRows } from '../../inspector/model/tree-at.ts'
import { findTroubles } from '../../inspector/model/troubles.ts'
import { loadRecording } from '../../inspector/source/recorded.ts'
import { ToldRun } from './told-run.ts'

const recording = generateRecording({ jobs: 500, seed: 9, failures: 0.1 })
const { run } = await loadRecording(recording)
const moment = new Moment(run)
moment.seek(run.end)

describe('a search of events', () => {
  const told = new ToldRun()
  for (const id of ['a', 'cancel', ' b ']) told.attempt(told.job(id), 0, 0, 10)
  const small = told.run()
  const found = (text: string) => {
    const list = listEvents(small, small.log.at.length, text)
    return Array.from({ length: list.length }, (_, row) => subjectId(list.at(row)))
  }
  const subjectId = (step: number) => small.idOf(small.log.subject.data[step]!)

  test.each(['a', 'cancel', ' b '])('for the id of a job finds its events, whatever else has "%s"', (id) => {
    expect(found(id)).toEqual([id, id, id])
  })

  test('for a word finds the events whose name holds it', () => {
    expect(found('submit ')).toEqual(['a', 'cancel', ' b '])
    expect(found('Attempt')).toHaveLength(6)
    expect(found('nothing of it')).toEqual([])
  })
})

describe('a recording', () => {
  test('that ends in the middle is shown up to there, with a word about the rest', async () => {
    const many = generateRecording({ jobs: 500, seed: 9, blockEvents: 300 })
    const cut = await loadRecording(many.subarray(0, many.length >> 1))
    expect(cut.fault).toMatch(/ends too early/)
    expect(cut.run.jobCount).toBeGreaterThan(0)
    expect(cut.run.jobCount).toBeLessThan(500)
  })

  test('that is none is refused', async () => {
    await expect(loadRecording(new Uint8Array(64))).rejects.toThrow(/none/)
  })
})

describe('a search', () => {
  test('reads states, kinds, durations and words', () => {
    expect(parseFilter('state:failed,queued kind:load >1.5s <2m is:retried "two words" dep:a')).toEqual({
      states: ['failed', 'blocked', 'ready', 'delayed'],
      kinds: ['load'],
      priorities: [],
      longerMs: 1500,
      shorterMs: 120_000,
      isRetried: true,
      dependsOn: 'a',
      words: ['two words'],
    })
  })

  test('takes what it does not know for a word', () => {
    expect(parseFilter('state:strange a:b').words).toEqual(['state:strange', 'a:b'])
  })

  test('gains a part and loses it again', () => {
    const gained = togglePart('load', 'kind:two words')
    expect(gained).toBe('load kind:"two words"')
    expect(togglePart(gained, 'kind:two words')).toBe('load')
    for (const kind of ['he said "hi"', '"', 'say "hi" "', 'a"b']) {
      const part = togglePart('load', `kind:${kind}`)
      expect(parseFilter(part)).toMatchObject({ kinds: [kind], words: ['load'] })
      expect(togglePart(part, `kind:${kind}`)).toBe('load')
    }
    expect(parseFilter('load "not yet closed').words).toEqual(['load', 'not yet closed'])
  })

  test('finds exactly the jobs of a state, and its facets count them', () => {
    const list = listJobs(run, moment, parseFilter('state:failed'), 'urgency', false)
    expect(list.jobs.length).toBe(moment.counts[FAILED])
    expect(list.total).toBe(500)
    expect(list.facets.states[FAILED]).toBe(moment.counts[FAILED])
    expect([...list.facets.kinds.values()].reduce((sum, count) => sum + count)).toBe(list.jobs.length)
  })

  test.each([false, true])(
    'finds all, when nothing is asked for, as when all is asked for (reversed: %s)',
    (isReversed) => {
      const then = new Moment(run)
      for (const share of [0, 0.1, 0.5, 1]) {
        then.seek(run.epoch + share * (run.end - run.epoch))
        const all = listJobs(run, then, parseFilter('<1000000s'), 'urgency', isReversed)
        expect(listJobs(run, then, parseFilter(''), 'urgency', isReversed)).toEqual(all)
      }
    },
  )

  test('puts failures first, then the newest', () => {
    const { jobs } = listJobs(run, moment, parseFilter(''), 'urgency', false)
    const failed = moment.counts[FAILED]!
    expect([...jobs.subarray(0, failed)].every((job) => moment.states[job] === FAILED)).toBe(true)
    expect([...jobs.subarray(0, failed)]).toEqual([...jobs.subarray(0, failed)].sort((a, b) => b - a))
    expect(new Set(jobs).size).toBe(500)
  })
})

describe('a tree', () => {
  const at = new TreeAt(run, moment)

  test('rolls every node up into its roots', () => {
    const { roots } = run.tree
    expect(roots.reduce((sum, root) => sum + at.total[root]!, 0)).toBe(run.tree.nodeCount)
    expect(roots.reduce((sum, root) => sum + at.failed[root]!, 0)).toBe(moment.counts[FAILED])
  })

  test('counts the same going along with the moment as counting anew', () => {
    const rollUps = new RollUps()
    const going = new Moment(run)
    for (const share of [0, 0.2, 0.21, 0.9, 0.89, 0.5, 1]) {
      going.seek(run.epoch + share * (run.end - run.epoch))
      const along = new TreeAt(run, going, rollUps)
      const anew = new TreeAt(run, going)
      const { nodeCount } = run.tree
      for (const counts of ['total', 'done', 'failed', 'open', 'states'] as const)
        expect(along[counts].subarray(0, nodeCount)).toEqual(anew[counts].subarray(0, nodeCount))
    }
  })

  test('shows each node once, parents before children, and no child of a closed one', () => {
    const all = treeRows(
      run,
      () => true,
      () => true,
    )
    expect(new Set(all).size).toBe(run.tree.nodeCount)
    const place = new Map([...all].map((node, row) => [node, row]))
    for (const node of all) {
      const parent = run.tree.nodes.parent.data[node]!
      if (parent >= 0) expect(place.get(parent)!).toBeLessThan(place.get(node)!)
    }
    expect([
      ...treeRows(
        run,
        () => false,
        () => true,
      ),
    ]).toEqual(run.tree.roots)
  })

  test('is laid out with children inside the width of their parent', () => {
    const { left, width } = layOut(run)
    for (let node = 0; node < run.tree.nodeCount; node++) {
      const children = run.tree.childrenOf(node)
      const sum = children.reduce((total, child) => total + width[child]!, 0)
      expect(width[node]).toBe(children.length === 0 ? 1 : sum)
      if (children[0] !== undefined) expect(left[children[0]]).toBe(left[node])
    }
  })
})

test('the graph of kinds counts every job, and each dependency between kinds that are shown', () => {
  const whole = kindGraph(run, moment, 60)
  expect(whole.nodes.reduce((sum, { total }) => sum + total, 0)).toBe(moment.total)
  expect(whole.edges.reduce((sum, { count }) => sum + count, 0)).toBe(run.links.length)
  const largest = kindGraph(run, moment, 2)
  expect(largest.nodes).toEqual(whole.nodes.slice(0, 2))
  expect(largest.kinds).toBe(whole.nodes.length)
  expect(largest.edges).toEqual(whole.edges.filter(({ from, to }) => from < 2 && to < 2))
})

test('what needs attention leaves out no failed job', async () => {
  const { run: failing } = await loadRecording(generateRecording({ jobs: 2_000, failures: 0.2 }))
  const moment = new Moment(failing)
  moment.seek(failing.end)
  const troubles = findTroubles(failing, moment, undefined)
  const failures = troubles.map((each) =>
    each.kind === 'failing' || each.kind === 'others' ? each.count : 0,
  )
  expect(troubles.some(({ kind }) => kind === 'others')).toBe(true)
  expect(failures.reduce((sum, count) => sum + count, 0)).toBe(moment.counts[FAILED])
})

test('the figures of a range count each attempt in it once', () => {
  const figures = figuresOf(run, run.epoch, run.end, run.end)
  expect(figures.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(run.slices.length)
})

describe('texts', () => {
  test('group the digits of counts, and shorten large ones', () => {
    expect([0, 999, 1_000, 60_175, 1_234_567].map(formatCount)).toEqual([
      '0',
      '999',
      '1,000',
      '60,175',
      '1,234,567',
    ])
    expect([7, 9_999, 60_175, 1_234_567].map(formatShort)).toEqual(['7', '9,999', '60.2K', '1.2M'])
    expect([0.5, 0.12345, 1_234.56789].map(formatShort)).toEqual(['0.5', '0.123', '1234.568'])
  })

  test('lose escape sequences and show what could deceive', () => {
    expect(plainText('\u001b[31mred\u001b[0m \u001b]8;;http://x\u0007link\u0007 a\u0000b\u202ec')).toBe(
      'red link␇ a␀b�c',
    )
  })

  test.each([
    [0, '0 ms'],
    [0.4, '0.40 ms'],
    [12.3, '12 ms'],
    [999.7, '1.00 s'],
    [61_000, '1 m 01 s'],
    [3_600_000, '1 h 00 m'],
    [Number.NaN, '–'],
  ])('durations are short: %d is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  test('a place in time is told to the millisecond', () => {
    expect(formatClock(3_723_004.9)).toBe('1:02:03.004')
  })
})
