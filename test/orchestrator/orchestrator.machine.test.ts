import { describe, expect, test } from 'vitest'
import { type OrchestratorEvent, orchestratorMachine } from '../../machines/index.ts'
import { Coverage, createStepper } from '../machines/stepping.ts'

const coverage = new Coverage(orchestratorMachine)
const createRun = (maxRunMs = 0) => createStepper(orchestratorMachine, { maxRunMs }, coverage)

const start: OrchestratorEvent = { type: 'run.start', at: 1_000 }
const cancel: OrchestratorEvent = { type: 'run.cancel', at: 1_001 }
const failed: OrchestratorEvent = { type: 'tree.failed', at: 1_002 }
const satisfied = (stopRunning = false): OrchestratorEvent => ({
  type: 'tree.satisfied',
  at: 1_003,
  stopRunning,
})
const deadline = (at: number): OrchestratorEvent => ({ type: 'deadline.reached', at })
const changed = (jobs: number, decisions: number, isCut = false): OrchestratorEvent => ({
  type: 'tree.changed',
  at: 1_004,
  tree: { nodes: 5, jobs, decisions, isCut },
})
const rest = changed(0, 0)

const everything = [
  start,
  cancel,
  failed,
  satisfied(),
  satisfied(true),
  deadline(1e9),
  changed(1, 1),
  rest,
  changed(0, 0, true),
]

const growing = (maxRunMs?: number) => {
  const run = createRun(maxRunMs)
  run.step(start)
  return run
}
const withdrawal = ['wakeAt', { at: 0 }]
const stopAll = ['stopGrowth', { stopRunning: true }]
const drain = ['stopGrowth', { stopRunning: false }]

describe('a run that has not started', () => {
  test('is queued, and changes with nothing but a start or a cancel', () => {
    const run = createRun(500)
    expect(run.step(failed, satisfied(true), deadline(1e9), changed(1, 0), rest)).toEqual([])
    expect(run.state).toBe('queued')
    expect(run.context).toEqual({
      maxRunMs: 500,
      tree: { nodes: 0, jobs: 0, decisions: 0, isCut: false },
      deadlineAt: 0,
      reason: undefined,
    })
  })

  test('asks to be woken at its deadline, then plants its root', () => {
    const run = createRun(500)
    expect(run.step(start)).toEqual([['wakeAt', { at: 1_500 }], ['plantRoot']])
    expect(run.state).toEqual({ running: 'growing' })
    expect(run.context.deadlineAt).toBe(1_500)
  })

  test('without a limit of time never asks to be woken', () => {
    const run = createRun()
    expect(run.step(start)).toEqual([withdrawal, ['plantRoot']])
    expect(run.step(deadline(1e15))).toEqual([])
    expect(run.state).toEqual({ running: 'growing' })
  })

  test('is cancelled without having planted anything', () => {
    const run = createRun(500)
    expect(run.step(cancel)).toEqual([['settle']])
    expect(run.output).toEqual({ status: 'cancelled', reason: 'cancelled' })
  })
})

describe('a run that grows', () => {
  test('keeps the counts, and goes on while jobs or decisions are outstanding', () => {
    const run = growing()
    for (const event of [changed(1, 0), changed(0, 1), changed(3, 4)]) {
      expect(run.step(event)).toEqual([])
      expect(run.state).toEqual({ running: 'growing' })
      expect(run.context.tree).toBe((event as { tree: unknown }).tree)
    }
    expect(run.snapshot.hasTag('growing')).toBe(true)
  })

  test('starts once', () => {
    const run = growing(500)
    expect(run.step({ type: 'run.start', at: 2_000 })).toEqual([])
    expect(run.context.deadlineAt).toBe(1_500)
  })

  test('is exhausted when nothing is outstanding', () => {
    const run = growing()
    expect(run.step(rest)).toEqual([withdrawal, ['settle']])
    expect(run.output).toEqual({ status: 'completed', reason: 'exhausted' })
    expect(run.context).toMatchObject({ tree: { nodes: 5 }, reason: 'exhausted' })
  })

  test('has reached its limit when a decision was cut for want of nodes', () => {
    const run = growing()
    run.step(changed(1, 0, true), changed(0, 0, true))
    expect(run.output).toEqual({ status: 'completed', reason: 'limit' })
  })

  test('is not ended before its deadline', () => {
    const run = growing(500)
    expect(run.step(deadline(1_499))).toEqual([])
    expect(run.step(deadline(1_500))).toEqual([stopAll])
    expect(run.state).toEqual({ running: 'settling' })
  })

  test.each([
    ['an answer that drains', satisfied(), drain, 'completed', 'satisfied'],
    ['an answer that stops', satisfied(true), stopAll, 'completed', 'satisfied'],
    ['a failure', failed, stopAll, 'failed', 'failed'],
    ['the deadline', deadline(1_500), stopAll, 'completed', 'limit'],
    ['a cancel', cancel, stopAll, 'cancelled', 'cancelled'],
  ] as const)(
    'settles after %s, and ends when nothing is outstanding',
    (_, event, effect, status, reason) => {
      const run = growing(500)
      expect(run.step(event)).toEqual([effect])
      expect(run.state).toEqual({ running: 'settling' })
      expect(run.snapshot.hasTag('growing')).toBe(false)
      expect(run.step(changed(1, 0), changed(0, 1))).toEqual([])
      expect(run.context).toMatchObject({ reason, tree: { jobs: 0, decisions: 1 } })
      expect(run.step(changed(0, 0, true))).toEqual([withdrawal, ['settle']])
      expect(run.output).toEqual({ status, reason })
    },
  )
})

describe('a run that settles', () => {
  const settling = (first: OrchestratorEvent) => {
    const run = growing(500)
    run.step(changed(2, 0), first)
    return run
  }

  test('takes no second answer, failure or start', () => {
    for (const first of [satisfied(), failed, cancel, deadline(1_500)]) {
      const run = settling(first)
      const { context } = run
      expect(run.step(satisfied(true), failed, start)).toEqual([])
      expect(run.context).toEqual(context)
    }
  })

  test('may be cancelled all the same', () => {
    const run = settling(satisfied())
    expect(run.step(cancel)).toEqual([stopAll])
    run.step(rest)
    expect(run.output).toEqual({ status: 'cancelled', reason: 'cancelled' })
  })

  test('stops what drains at its deadline, and keeps its reason', () => {
    const run = settling(satisfied())
    expect(run.step(deadline(1_499))).toEqual([])
    expect(run.step(deadline(1_500))).toEqual([stopAll])
    run.step(rest)
    expect(run.output).toEqual({ status: 'completed', reason: 'satisfied' })
  })
})

describe('a run that has ended', () => {
  test.each([
    ['completed', [start, rest]],
    ['failed', [start, failed, rest]],
    ['cancelled', [start, cancel, rest]],
    ['cancelled', [cancel]],
  ] as const)('stays %s, whatever comes', (status, events) => {
    const run = createRun(500)
    run.step(...events)
    expect(run.state).toBe(status)
    expect(run.output).toMatchObject({ status })
    expect(run.snapshot.hasTag('ended')).toBe(true)
    expect(everything.filter((event) => run.snapshot.can(event))).toEqual([])
  })
})

describe('every sequence of three events after the start', () => {
  const sequences = everything.flatMap((a) => everything.flatMap((b) => everything.map((c) => [a, b, c])))

  test('settles once at most, and never grows again once it settles', () => {
    for (const events of sequences) {
      const run = createRun(500)
      const effects = []
      let hasSettled = false
      for (const event of [start, ...events]) {
        if (run.snapshot.status === 'done') break
        const wasGrowing = run.snapshot.hasTag('growing')
        const done = run.step(event)
        if (hasSettled) expect(run.snapshot.hasTag('growing')).toBe(false)
        if (wasGrowing && !run.snapshot.hasTag('growing')) hasSettled = true
        effects.push(...done)
      }
      const settled = effects.filter(([type]) => type === 'settle')
      expect(settled).toHaveLength(run.snapshot.status === 'done' ? 1 : 0)
      expect(effects.filter(([type]) => type === 'plantRoot')).toHaveLength(1)
      if (settled.length > 0) expect(effects.at(-1)).toEqual(['settle'])
      expect(JSON.parse(JSON.stringify(run.context))).toEqual(run.context)
    }
  })
})

test('the tests above take every transition of the chart', () => {
  expect(coverage.size).toBeGreaterThan(10)
  expect(coverage.missed).toEqual([])
})
