import { grow, prune, satisfy } from 'espalier'
import { describe, expect, test } from 'vitest'
import { broken, createAnswer, decide, grown, held, obeying, started, value } from './harness.ts'

describe('a decision to prune', () => {
  test('takes queued nodes out before they start, by id or by key', async () => {
    const trial = await grown(
      {
        expand: decide({
          root: grow([value('a'), value('b'), value('c'), value('d')]),
          a: prune(['n2', 'c'], 'no use'),
        }),
      },
      { maxParallelJobs: 1 },
    )
    expect(trial.started).toEqual(['root', 'a', 'd'])
    expect(trial.statuses).toMatchObject({ b: 'pruned', c: 'pruned', d: 'completed' })
    expect(trial.node('a').decision).toMatchObject({
      type: 'prune',
      why: 'no use',
      nodeIds: ['n2', 'n3'],
      cut: [],
    })
    expect(trial.node('b').result).toMatchObject({ status: 'cancelled', reason: 'pruned', attempts: 0 })
    expect(trial.outcome).toMatchObject({ status: 'completed', reason: 'exhausted' })
    expect(trial.outcome.metrics).toMatchObject({ completed: 3, cancelled: 2 })
  })

  test('stops running nodes, and waits for their end', async () => {
    const trial = await started({
      expand: decide({
        root: grow([held('slow'), obeying('quick'), value('judge')]),
        judge: prune(['slow', 'quick']),
      }),
    })
    expect(trial.statuses).toMatchObject({ slow: 'running', quick: 'pruned' })
    expect(trial.attempt('slow').context.signal.aborted).toBe(true)
    expect(trial.outcome).toBeUndefined()
    await trial.complete('slow', 'too late')
    expect(trial.node('slow')).toMatchObject({
      status: 'pruned',
      decision: undefined,
      result: { value: undefined },
    })
    expect(trial.expectNothingLeft().reason).toBe('exhausted')
  })

  test('takes whole subtrees, and leaves what has ended in them as it ended', async () => {
    const trial = await started({
      expand: decide({
        root: grow([value('top'), held('judge')]),
        top: grow([
          value('done'),
          broken('lost'),
          obeying('running'),
          value('waiting', { dependencies: ['running'] }),
        ]),
        judge: prune(['top']),
      }),
    })
    await trial.complete('judge')
    expect(trial.statuses).toEqual({
      root: 'completed',
      top: 'completed',
      judge: 'completed',
      done: 'completed',
      lost: 'failed',
      running: 'pruned',
      waiting: 'pruned',
    })
    expect([...trial.node('judge').decision!.nodeIds].toSorted()).toEqual(['n5', 'n6'])
    trial.expectNothingLeft()
  })

  test('drops the open questions about pruned nodes, and tells them', async () => {
    const answer = createAnswer()
    let signal: AbortSignal | undefined
    const trial = await started({
      expand: decide({
        root: grow([value('top'), held('judge'), held('last')]),
        top: (request) => {
          signal = request.signal
          return answer.promise
        },
        judge: prune(['top']),
      }),
    })
    await trial.complete('judge')
    expect(signal?.aborted).toBe(true)
    expect(signal?.reason).toMatchObject({ code: 'ESP_JOB_CANCELLED', details: { reason: 'pruned' } })
    answer.resolve(grow([value('late')]))
    await trial.settle()
    expect(trial.node('top')).toMatchObject({ children: [], decision: undefined })
    await trial.complete('last')
    expect(trial.expectNothingLeft().reason).toBe('exhausted')
  })

  test('drops questions that wait for their turn, and asks those behind them', async () => {
    const open = createAnswer()
    const asked: string[] = []
    const decisions = decide({
      root: grow([value('first'), value('pruned'), value('kept')]),
      first: () => open.promise,
    })
    const trial = await started({
      limits: { maxParallelExpands: 1 },
      expand: (request) => {
        asked.push(String(request.node.key))
        return decisions(request)
      },
    })
    expect(asked).toEqual(['root', 'first'])
    open.resolve(prune(['pruned']))
    await trial.settle()
    expect(asked).toEqual(['root', 'first', 'kept'])
    trial.expectNothingLeft()
  })

  test('does not ask about a pruned node that completes all the same', async () => {
    const trial = await started({
      expand: decide({
        root: grow([held('stubborn'), value('judge')]),
        judge: prune(['stubborn']),
        stubborn: satisfy('never'),
      }),
    })
    await trial.complete('stubborn')
    expect(trial.expectNothingLeft()).toMatchObject({ reason: 'exhausted', value: undefined })
  })

  test('cancels what depends on a pruned node elsewhere', async () => {
    const trial = await started({
      expand: decide({
        root: grow([held('a'), value('b', { dependencies: ['a'] }), value('judge')]),
        judge: prune(['a']),
      }),
    })
    await trial.complete('a')
    expect(trial.statuses).toMatchObject({ a: 'pruned', b: 'cancelled' })
    trial.expectNothingLeft()
  })

  test('says which ids it did not know, and which had ended', async () => {
    const trial = await grown({
      expand: decide({
        root: grow([value('done'), value('judge')]),
        judge: prune(['nobody', 'done', 'nowhere']),
      }),
    })
    expect(trial.node('judge').decision).toMatchObject({
      type: 'prune',
      nodeIds: [],
      error: undefined,
      cut: [
        { by: 'unknownNode', count: 2 },
        { by: 'ended', count: 1 },
      ],
    })
    expect(trial.node('done').status).toBe('completed')
  })

  test('says nothing was cut when an id is named twice, or with the one above it', async () => {
    const trial = await grown(
      { expand: decide({ root: grow([value('a'), value('b')]), a: prune(['b', 'n2', 'b']) }) },
      { maxParallelJobs: 1 },
    )
    expect(trial.node('a').decision).toMatchObject({ nodeIds: ['n2'], cut: [] })
  })

  test('may name the decided node itself, which had ended', async () => {
    const trial = await grown({ expand: decide({ root: prune(['root']) }) })
    expect(trial.node('root')).toMatchObject({
      status: 'completed',
      decision: { cut: [{ by: 'ended', count: 1 }] },
    })
    expect(trial.outcome.reason).toBe('exhausted')
  })

  test('may take a root, without cancelling the run', async () => {
    const trial = await started({
      root: () => [obeying('a'), value('judge'), held('last')],
      expand: decide({ judge: prune(['a']) }),
    })
    expect(trial.node('a').status).toBe('pruned')
    await trial.complete('last')
    expect(trial.expectNothingLeft()).toMatchObject({ status: 'completed', reason: 'exhausted' })
  })
})
