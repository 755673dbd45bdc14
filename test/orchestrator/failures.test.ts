import { grow, node, prune, satisfy, stop } from 'espalier'
import { describe, expect, test } from 'vitest'
import { broken, createAnswer, decide, grown, held, obeying, started, value } from './harness.ts'

describe('a node that fails', () => {
  test('is put to `expand` with its error, and without revision ends its branch only', async () => {
    const seen: unknown[] = []
    const decisions = decide({
      root: grow([broken('a', { input: 'no luck' }), value('b')]),
      b: grow([value('c')]),
    })
    const trial = await grown({
      expand: (request) => {
        if (request.node.key === 'a')
          seen.push(request.result.status, request.result.error?.message, request.result.reason)
        return decisions(request)
      },
    })
    expect(seen).toEqual(['failed', 'no luck', 'error'])
    expect(trial.statuses).toEqual({ root: 'completed', a: 'failed', b: 'completed', c: 'completed' })
    expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'exhausted', error: undefined })
    expect(trial.outcome.metrics).toMatchObject({ completed: 3, failed: 1, cancelled: 0 })
  })

  test('is retried first: `expand` is asked once, about the last attempt', async () => {
    let attempts = 0
    const asked: number[] = []
    const trial = await started({
      handlers: {
        shaky: () => {
          attempts++
          throw new Error(`attempt ${attempts}`)
        },
      },
      root: () => [node({ handler: 'shaky', key: 'shaky', maxRetries: 2 }), held('other')],
      expand: ({ node: { key }, result }) => {
        if (key === 'shaky') asked.push(result.attempts)
        return stop()
      },
    })
    expect(asked).toEqual([])
    expect(attempts).toBe(1)
    await trial.clock.advance(60_000)
    expect(asked).toEqual([3])
    expect(trial.node('shaky').result).toMatchObject({
      status: 'failed',
      attempts: 3,
      error: { message: 'attempt 3' },
    })
    trial.attempt('other').resolve()
    await trial.settle()
    trial.expectNothingLeft()
  })

  test('waits for its retry as a queued node, and runs again', async () => {
    let attempts = 0
    const trial = await started({
      handlers: {
        shaky: () => {
          if (++attempts < 2) throw new Error('not yet')
        },
      },
      root: () => node({ handler: 'shaky', maxRetries: 1, backoff: { type: 'fixed', delayMs: 40 } }),
    })
    expect(trial.node('n0')).toMatchObject({ status: 'queued', result: undefined })
    await trial.clock.advance(39)
    expect(trial.node('n0').status).toBe('queued')
    await trial.clock.advance(1)
    trial.expectNothingLeft()
    const told = trial.events.flatMap((event) => (event.type === 'node.changed' ? [event.node.status] : []))
    expect(told).toEqual(['running', 'queued', 'running', 'completed'])
  })

  test('and waits for its retry is cancelled when the run is satisfied', async () => {
    const trial = await started({
      root: () => [broken('a', { maxRetries: 1 }), held('b')],
      expand: decide({ b: satisfy(1) }),
    })
    expect(trial.statuses).toEqual({ a: 'queued', b: 'running' })
    await trial.complete('b')
    trial.expectNothingLeft()
    expect(trial.statuses).toEqual({ a: 'cancelled', b: 'completed' })
  })

  test('that a retry mends is asked about as a completion', async () => {
    let attempts = 0
    const trial = await started({
      handlers: {
        shaky: () => {
          if (++attempts < 2) throw new Error('not yet')
          return 'at last'
        },
      },
      root: () => node({ handler: 'shaky', key: 'root', maxRetries: 1 }),
      expand: ({ result: { status } }) => (status === 'completed' ? grow([value('a')]) : undefined),
    })
    await trial.clock.advance(60_000)
    expect(trial.expectNothingLeft()).toMatchObject({
      status: 'completed',
      metrics: { decisions: 2, failed: 0 },
    })
    expect(trial.statuses).toEqual({ root: 'completed', a: 'completed' })
  })

  test('by its own timeout is put to `expand` as such', async () => {
    const reasons: unknown[] = []
    const trial = await started({
      root: () => [obeying('a', { timeoutMs: 50 }), held('b')],
      expand: ({ result: { reason, error } }) => void reasons.push(reason, error),
    })
    await trial.clock.advance(50)
    expect(reasons).toEqual(['timeout', expect.objectContaining({ code: 'ESP_ATTEMPT_TIMEOUT' })])
    await trial.complete('b')
    expect(trial.expectNothingLeft()).toMatchObject({
      status: 'failed',
      error: { code: 'ESP_ATTEMPT_TIMEOUT' },
    })
  })

  test('may be grown from: its children do not wait for it, and find no value of it', async () => {
    const seen: unknown[] = []
    const trial = await grown({
      handlers: { look: (_: unknown, { parentResults }) => void seen.push({ ...parentResults }) },
      expand: decide({
        root: grow([broken('a')]),
        a: grow([node({ handler: 'look', key: 'plan-b' })], 'another way'),
      }),
    })
    expect(seen).toEqual([{}])
    expect(trial.statuses).toEqual({ root: 'completed', a: 'failed', 'plan-b': 'completed' })
    expect(trial.node('plan-b')).toMatchObject({ parentId: 'n1', depth: 2 })
  })

  test('may prune others', async () => {
    const trial = await started({
      expand: decide({ root: grow([obeying('a'), broken('b')]), b: prune(['a']) }),
    })
    expect(trial.expectNothingLeft().reason).toBe('exhausted')
    expect(trial.statuses).toMatchObject({ a: 'pruned', b: 'failed' })
  })

  test('with what is no Error still gives one', async () => {
    const trial = await started({ root: () => held('root') })
    await trial.fail('root', 'just words')
    expect(trial.expectNothingLeft().error).toMatchObject({ cause: 'just words' })
  })
})

describe('a root that fails', () => {
  test('fails the run with its error, and stops the rest', async () => {
    const trial = await started({
      root: () => [held('a'), obeying('b'), value('c', { dependencies: ['b'] })],
    })
    const error = new Error('hopeless')
    await trial.fail('a', error)
    const outcome = trial.expectNothingLeft()
    expect(outcome).toMatchObject({ status: 'failed', reason: 'failed', value: undefined })
    expect(outcome.error).toBe(error)
    expect(trial.statuses).toEqual({ a: 'failed', b: 'cancelled', c: 'cancelled' })
    expect(trial.node('b').result?.reason).toBe('failed')
  })

  test('is decided about before the run fails', async () => {
    const answer = createAnswer()
    const trial = await started({ root: () => broken('root'), expand: () => answer.promise })
    expect(trial.outcome).toBeUndefined()
    answer.resolve(stop('lost cause'))
    await trial.settle()
    expect(trial.expectNothingLeft().status).toBe('failed')
    expect(trial.node('root').decision?.why).toBe('lost cause')
  })

  test('and is grown from does not fail the run', async () => {
    const trial = await grown({
      root: () => broken('root'),
      expand: decide({ root: grow([value('plan-b')]) }),
    })
    expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'exhausted', error: undefined })
  })

  test('and grows nothing, or cannot, fails the run', async () => {
    for (const answer of [grow([]), grow([value('root')]), grow([node({ handler: 'nobody' })])]) {
      const trial = await grown({ root: () => broken('root'), expand: () => answer })
      expect(trial.outcome).toMatchObject({ status: 'failed', error: { message: 'broken' } })
    }
  })

  test('takes the first of several failures as the run’s error', async () => {
    const trial = await started({ root: () => [held('a'), held('b')] }, { killGraceMs: 1_000 })
    await trial.fail('b', new Error('first'))
    await trial.fail('a', new Error('second'))
    expect(trial.expectNothingLeft().error?.message).toBe('first')
  })
})

describe('failFast', () => {
  test('fails the run with the first node that fails for good', async () => {
    const trial = await started({
      failFast: true,
      expand: decide({ root: grow([held('a'), obeying('b')]), a: stop() }),
    })
    await trial.fail('a')
    expect(trial.expectNothingLeft()).toMatchObject({
      status: 'failed',
      reason: 'failed',
      error: { message: 'a broke' },
    })
    expect(trial.statuses).toEqual({ root: 'completed', a: 'failed', b: 'cancelled' })
  })

  test('lets a failed node be revised or grown from', async () => {
    const trial = await grown({
      failFast: true,
      expand: decide({
        root: grow([broken('a'), broken('b')]),
        a: ({ node: { status } }) =>
          status === 'failed'
            ? { type: 'revise', patch: { handler: 'value' }, why: undefined, score: undefined }
            : undefined,
        b: grow([value('c')]),
      }),
    })
    expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'exhausted' })
    expect(trial.statuses).toMatchObject({ a: 'completed', b: 'failed', c: 'completed' })
  })

  test('does not mind what is cancelled or pruned', async () => {
    const trial = await grown(
      { failFast: true, expand: decide({ root: grow([value('a'), value('b')]), a: prune(['b']) }) },
      { maxParallelJobs: 1 },
    )
    expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'exhausted' })
  })
})
