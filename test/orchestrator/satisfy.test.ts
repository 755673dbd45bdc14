import { grow, satisfy } from 'espalier'
import { describe, expect, test } from 'vitest'
import { createAnswer, decide, grown, held, obeying, started, value } from './harness.ts'

const three = [held('slow'), value('found', { dependencies: ['gate'] }), held('gate')]

describe('a decision that satisfies', () => {
  test('ends the run with its answer', async () => {
    const answer = { best: 1 }
    const trial = await grown({ expand: decide({ root: satisfy(answer, 'good enough') }) })
    expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'satisfied', error: undefined })
    expect(trial.outcome.value).toBe(answer)
    expect(trial.node('root').decision).toMatchObject({
      type: 'satisfy',
      why: 'good enough',
      nodeIds: [],
      cut: [],
    })
  })

  test('may answer with nothing', async () => {
    const trial = await grown({ expand: decide({ root: satisfy(undefined) }) })
    expect(trial.outcome).toMatchObject({ reason: 'satisfied', value: undefined })
  })

  test('cancels what is queued, and lets running jobs end', async () => {
    const trial = await started({
      expand: decide({
        root: grow([...three, value('queued', { dependencies: ['slow'] })]),
        found: satisfy('gold'),
      }),
    })
    await trial.complete('gate')
    expect(trial.outcome).toBeUndefined()
    expect(trial.statuses).toMatchObject({ slow: 'running', queued: 'cancelled', found: 'completed' })
    expect(trial.node('queued').result?.reason).toBe('satisfied')
    expect(trial.attempt('slow').context.signal.aborted).toBe(false)
    await trial.complete('slow', 'late')
    const outcome = trial.expectNothingLeft()
    expect(outcome).toMatchObject({ status: 'completed', reason: 'satisfied', value: 'gold' })
    expect(trial.node('slow')).toMatchObject({
      status: 'completed',
      result: { value: 'late' },
      decision: undefined,
    })
  })

  test('stops running jobs too, when the workflow says so', async () => {
    const trial = await started({
      onSatisfied: 'cancel',
      expand: decide({ root: grow([obeying('slow'), value('found')]), found: satisfy('gold') }),
    })
    expect(trial.expectNothingLeft()).toMatchObject({ reason: 'satisfied', value: 'gold' })
    expect(trial.node('slow')).toMatchObject({ status: 'cancelled', result: { reason: 'satisfied' } })
  })

  test('starts nothing more, even while the roots are being planted', async () => {
    for (const root of [
      () => [value('a'), value('b'), value('c')],
      () => [value('a'), value('b', { dependencies: ['a'] }), value('c', { dependencies: ['b'] })],
    ]) {
      const trial = await grown({ root, expand: decide({ a: satisfy('gold') }) }, { maxParallelJobs: 1 })
      expect(trial.started).toEqual(['a'])
      expect(trial.statuses).toEqual({ a: 'completed', b: 'cancelled', c: 'cancelled' })
    }
  })

  test('stops asking: what drains is not put to `expand`', async () => {
    const asked: string[] = []
    const decisions = decide({ root: grow([held('slow'), value('found')]), found: satisfy('gold') })
    const trial = await started({
      expand: (request) => {
        asked.push(String(request.node.key))
        return decisions(request)
      },
    })
    await trial.complete('slow')
    expect(asked).toEqual(['root', 'found'])
    trial.expectNothingLeft()
  })

  test('wants no other answer: open questions are told, and later answers change nothing', async () => {
    const late = createAnswer()
    let signal: AbortSignal | undefined
    const trial = await started({
      expand: decide({
        root: grow([held('a'), held('b')]),
        a: (request) => {
          signal = request.signal
          return late.promise
        },
        b: satisfy('gold'),
      }),
    })
    await trial.complete('a')
    expect(signal?.aborted).toBe(false)
    await trial.complete('b')
    expect(signal?.aborted).toBe(true)
    expect(signal?.reason).toMatchObject({ code: 'ESP_JOB_CANCELLED', details: { reason: 'satisfied' } })
    const before = trial.expectNothingLeft()
    const events = trial.events.length
    late.resolve(satisfy('lead'))
    await trial.settle()
    expect(trial.ended).toBe(before)
    expect(before).toMatchObject({ value: 'gold' })
    expect(trial.node('a').decision).toBeUndefined()
    expect(trial.events).toHaveLength(events)
  })

  test('by one node stands, also when another is satisfied while the first drains', async () => {
    const trial = await started({
      expand: decide({ root: grow([held('a'), held('b')]), a: satisfy('first'), b: satisfy('second') }),
    })
    await trial.complete('a')
    await trial.complete('b')
    expect(trial.expectNothingLeft()).toMatchObject({ value: 'first', metrics: { decisions: 2 } })
    expect(trial.node('b')).toMatchObject({ status: 'completed', decision: undefined })
  })

  test('may come from a failed root: the run is then no failure', async () => {
    const trial = await grown({
      root: () => held('root', { handler: 'broken' }),
      expand: decide({ root: satisfy(1) }),
    })
    expect(trial.outcome).toMatchObject({
      status: 'completed',
      reason: 'satisfied',
      value: 1,
      error: undefined,
    })
  })
})

test('a cancel while the answer drains stops what still runs', async () => {
  const trial = await started({
    expand: decide({ root: grow([obeying('slow'), value('found')]), found: satisfy('gold') }),
  })
  expect(trial.outcome).toBeUndefined()
  trial.orchestrator.cancel()
  await trial.settle()
  expect(trial.expectNothingLeft()).toMatchObject({
    status: 'cancelled',
    reason: 'cancelled',
    value: undefined,
  })
  expect(trial.node('slow').status).toBe('cancelled')
})
