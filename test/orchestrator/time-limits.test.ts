import { type ExpandAnswer, grow, satisfy } from 'espalier'
import { describe, expect, test } from 'vitest'
import { createAnswer, decide, held, obeying, started, value } from './harness.ts'

describe('maxRunMs', () => {
  test('ends the run on time, not before: what is queued or running is cancelled', async () => {
    const trial = await started(
      { limits: { maxRunMs: 1_000 }, root: () => [obeying('running'), value('queued', { score: -1 })] },
      { maxParallelJobs: 1 },
    )
    await trial.clock.advance(999)
    expect(trial.outcome).toBeUndefined()
    await trial.clock.advance(1)
    expect(trial.expectNothingLeft()).toMatchObject({
      status: 'completed',
      reason: 'limit',
      error: undefined,
      metrics: { durationMs: 1_000, cancelled: 2 },
    })
    expect(trial.node('running').result?.reason).toBe('limit')
    expect(trial.started).toEqual(['running'])
  })

  test('waits for a handler that ignores its signal, as long as the pool does', async () => {
    const trial = await started(
      { limits: { maxRunMs: 1_000 }, root: () => held('root') },
      { killGraceMs: 500 },
    )
    await trial.clock.advance(1_499)
    expect(trial.outcome).toBeUndefined()
    expect(trial.attempt('root').context.signal.aborted).toBe(true)
    await trial.clock.advance(1)
    expect(trial.ended).toMatchObject({ reason: 'limit', metrics: { durationMs: 1_500 } })
    trial.attempt('root').resolve()
  })

  test('drops open questions, and tells them', async () => {
    const answer = createAnswer()
    let signal: AbortSignal | undefined
    const trial = await started({
      limits: { maxRunMs: 1_000 },
      expand: (request) => {
        signal = request.signal
        return answer.promise
      },
    })
    await trial.clock.advance(1_000)
    expect(signal?.reason).toMatchObject({ code: 'ESP_JOB_CANCELLED', details: { reason: 'limit' } })
    answer.resolve(grow([value('late')]))
    await trial.settle()
    expect(trial.expectNothingLeft()).toMatchObject({ reason: 'limit', metrics: { nodes: 1, decisions: 0 } })
  })

  test('bounds the draining after an answer too, which stands', async () => {
    const trial = await started({
      limits: { maxRunMs: 1_000 },
      expand: decide({ root: grow([obeying('slow'), value('found')]), found: satisfy('gold') }),
    })
    await trial.clock.advance(999)
    expect(trial.outcome).toBeUndefined()
    await trial.clock.advance(1)
    expect(trial.expectNothingLeft()).toMatchObject({
      status: 'completed',
      reason: 'satisfied',
      value: 'gold',
    })
    expect(trial.node('slow').status).toBe('cancelled')
  })

  test('leaves nothing to wake the clock when the run ends before it', async () => {
    const trial = await started({ limits: { maxRunMs: 600_000 }, root: () => held('root') })
    await trial.complete('root')
    expect(trial.expectNothingLeft().reason).toBe('exhausted')
    expect(trial.clock.wishes).toBe(0)
  })
})

describe('expandTimeoutMs', () => {
  const limits = { expandTimeoutMs: 100 }

  test('gives up an answer that takes too long, tells it, and goes on without', async () => {
    let signal: AbortSignal | undefined
    const trial = await started({
      limits,
      expand: decide({
        root: grow([value('slow'), held('other')]),
        slow: (request) => {
          signal = request.signal
          return createAnswer().promise
        },
      }),
    })
    await trial.clock.advance(99)
    expect(trial.node('slow').decision).toBeUndefined()
    expect(signal?.aborted).toBe(false)
    await trial.clock.advance(1)
    expect(signal?.reason).toMatchObject({ code: 'ESP_EXPAND_TIMEOUT' })
    expect(trial.node('slow').decision).toMatchObject({
      type: 'stop',
      error: { code: 'ESP_EXPAND_TIMEOUT', details: { nodeId: 'n1', timeoutMs: 100 } },
    })
    expect(trial.logger.at('warn')).toEqual([expect.stringContaining('ESP_EXPAND_TIMEOUT')])
    await trial.complete('other')
    expect(trial.expectNothingLeft()).toMatchObject({ reason: 'exhausted', metrics: { decisions: 2 } })
  })

  test('leaves an answer that comes later without effect', async () => {
    for (const settle of ['resolve', 'reject'] as const) {
      const answer = createAnswer<ExpandAnswer>()
      const trial = await started({
        limits,
        expand: decide({ root: grow([value('slow'), held('other')]), slow: () => answer.promise }),
      })
      await trial.clock.advance(100)
      const before = trial.node('slow')
      if (settle === 'resolve') answer.resolve(grow([value('late')]))
      else answer.reject(new Error('late'))
      await trial.settle()
      expect(trial.node('slow')).toBe(before)
      await trial.complete('other')
      expect(trial.expectNothingLeft().metrics.nodes).toBe(3)
    }
  })

  test('leaves an answer in time alone', async () => {
    const answer = createAnswer()
    const trial = await started({ limits, expand: decide({ root: () => answer.promise }) })
    await trial.clock.advance(99)
    answer.resolve(grow([held('a')]))
    await trial.settle()
    await trial.clock.advance(1_000)
    expect(trial.node('root').decision).toMatchObject({ type: 'grow', error: undefined })
    await trial.complete('a')
    trial.expectNothingLeft()
  })

  test('leaves nothing to wake the clock once the answer is there', async () => {
    const answer = createAnswer()
    const trial = await started({ expand: () => answer.promise })
    expect(trial.clock.wishes).toBe(1)
    answer.resolve(undefined)
    await trial.settle()
    expect(trial.expectNothingLeft().reason).toBe('exhausted')
    expect(trial.clock.wishes).toBe(0)
  })
})

describe('maxParallelExpands', () => {
  test('bounds how many answers are awaited at a time; the others are asked in the order of their ends', async () => {
    const answers = Array.from({ length: 5 }, () => createAnswer())
    const asked: string[] = []
    const trial = await started({
      limits: { maxParallelExpands: 2 },
      root: () => answers.map((_, index) => held(`r${index}`)),
      expand: ({ node: { key } }) => {
        asked.push(String(key))
        return answers[Number(String(key).slice(1))]!.promise
      },
    })
    for (const index of [3, 1, 4, 0, 2]) await trial.complete(`r${index}`)
    expect(asked).toEqual(['r3', 'r1'])
    answers[1]!.resolve(undefined)
    await trial.settle()
    expect(asked).toEqual(['r3', 'r1', 'r4'])
    answers[4]!.reject(new Error('no'))
    await trial.settle()
    expect(asked).toEqual(['r3', 'r1', 'r4', 'r0'])
    for (const answer of answers) answer.resolve(undefined)
    await trial.settle()
    expect(asked).toEqual(['r3', 'r1', 'r4', 'r0', 'r2'])
    trial.expectNothingLeft()
  })

  test('is freed by an answer that is given up', async () => {
    const asked: string[] = []
    const trial = await started({
      limits: { maxParallelExpands: 1, expandTimeoutMs: 100 },
      root: () => [value('a'), value('b'), value('c')],
      expand: ({ node: { key } }) => {
        asked.push(String(key))
        return key === 'c' ? undefined : createAnswer().promise
      },
    })
    await trial.clock.advance(100)
    expect(asked).toEqual(['a', 'b'])
    await trial.clock.advance(100)
    expect(asked).toEqual(['a', 'b', 'c'])
    trial.expectNothingLeft()
  })

  test('keeps no job from running', async () => {
    const trial = await started({
      limits: { maxParallelExpands: 1 },
      root: () => [value('a'), value('b'), value('c')],
      expand: () => createAnswer().promise,
    })
    expect(trial.statuses).toEqual({ a: 'completed', b: 'completed', c: 'completed' })
    trial.orchestrator.cancel()
    await trial.settle()
    trial.expectNothingLeft()
  })
})
