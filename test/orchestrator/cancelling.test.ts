import { grow, node, stop } from 'espalier'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createAnswer, decide, held, obeying, started, Trial, value } from './harness.ts'

const cancelled = { status: 'cancelled', reason: 'cancelled', value: undefined, error: undefined }

describe('cancelling a run', () => {
  test('ends what is queued at once, and what runs when it obeys', async () => {
    const trial = await started({
      expand: decide({ root: grow([held('a'), value('b', { dependencies: ['a'] })]) }),
    })
    trial.orchestrator.cancel()
    expect(trial.statuses).toMatchObject({ a: 'running', b: 'cancelled' })
    expect(trial.attempt('a').context.signal.aborted).toBe(true)
    expect(trial.outcome).toBeUndefined()
    await trial.complete('a')
    expect(trial.expectNothingLeft()).toMatchObject(cancelled)
    expect(trial.statuses).toEqual({ root: 'completed', a: 'cancelled', b: 'cancelled' })
  })

  test('tells open questions, whose answers change nothing then', async () => {
    const answer = createAnswer()
    let signal: AbortSignal | undefined
    const trial = await started({
      expand: (request) => {
        signal = request.signal
        return answer.promise
      },
    })
    trial.orchestrator.cancel()
    expect(signal?.aborted).toBe(true)
    await trial.settle()
    expect(trial.expectNothingLeft()).toMatchObject({ ...cancelled, metrics: { decisions: 0 } })
    answer.resolve(grow([value('late')]))
    await trial.settle()
    expect(trial.nodes).toHaveLength(1)
  })

  test('asks for the signal of a question after it was aborted: it is', async () => {
    let request: { readonly signal: AbortSignal } | undefined
    const trial = await started({
      expand: (given) => {
        request = given
        return createAnswer().promise
      },
    })
    trial.orchestrator.cancel()
    expect(request?.signal.aborted).toBe(true)
    await trial.settle()
    trial.expectNothingLeft()
  })

  test('before it has started ends it without planting anything', async () => {
    const trial = new Trial({})
    trial.orchestrator.cancel()
    await trial.start()
    expect(trial.expectNothingLeft()).toMatchObject({
      ...cancelled,
      tree: { rootIds: [] },
      metrics: { nodes: 0 },
    })
    expect(trial.pool.getStatus().total).toBe(0)
  })

  test('again, or after its end, changes nothing', async () => {
    const trial = await started({ root: () => obeying('root') })
    trial.orchestrator.cancel()
    trial.orchestrator.cancel()
    await trial.settle()
    const outcome = trial.expectNothingLeft()
    const events = trial.events.length
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    onTestFinished(() => warn.mockRestore())
    trial.orchestrator.cancel()
    await trial.settle()
    expect(trial.ended).toBe(outcome)
    expect(trial.events).toHaveLength(events)
    expect(warn).not.toHaveBeenCalled()
  })

  test('starts nothing more, even by who hears that the run has started', async () => {
    const trial = new Trial({})
    trial.orchestrator.on('run.started', () => trial.orchestrator.cancel())
    await trial.start()
    expect(trial.expectNothingLeft()).toMatchObject(cancelled)
    expect(trial.started).toEqual([])
  })

  test('starts nothing more, even by who hears that a node was added', async () => {
    const trial = new Trial({ root: () => [value('a'), value('b')] })
    trial.orchestrator.on('node.added', () => trial.orchestrator.cancel())
    await trial.start()
    expect(trial.expectNothingLeft()).toMatchObject(cancelled)
    expect(trial.started).toEqual([])
  })

  test('does not touch other jobs of the pool', async () => {
    const trial = await started({ root: () => obeying('root') })
    const other = trial.pool.submitJob({ execute: () => createAnswer().promise })
    trial.orchestrator.cancel()
    await trial.settle()
    expect(trial.ended).toMatchObject(cancelled)
    expect(other.status).toBe('running')
  })
})

describe('the signal of a run', () => {
  test('cancels it', async () => {
    const controller = new AbortController()
    const trial = await started({ root: () => obeying('root') }, { runSignal: controller.signal })
    controller.abort()
    await trial.settle()
    expect(trial.expectNothingLeft()).toMatchObject(cancelled)
  })

  test('that was aborted before cancels it before anything is planted', async () => {
    const trial = await started({}, { runSignal: AbortSignal.abort() })
    expect(trial.expectNothingLeft()).toMatchObject({ ...cancelled, metrics: { nodes: 0 } })
  })

  test('that aborts while the input is being validated does too', async () => {
    const controller = new AbortController()
    const gate = createAnswer<void>()
    const validate = async (input: unknown) => {
      await gate.promise
      return { value: input }
    }
    const input = { '~standard': { version: 1, vendor: 'test', validate } } as const
    const trial = await started({ input }, { runSignal: controller.signal })
    controller.abort()
    gate.resolve()
    await trial.settle()
    expect(trial.expectNothingLeft()).toMatchObject({ ...cancelled, metrics: { nodes: 0 } })
  })

  test('is let go when the run has ended', async () => {
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--
      remove(...args)
    }
    const trial = await started({ root: () => held('root') }, { runSignal: signal })
    expect(listeners).toBe(1)
    await trial.complete('root')
    trial.expectNothingLeft()
    expect(listeners).toBe(0)
  })
})

describe('a job that somebody else cancels', () => {
  test('takes the run with it when it is a root’s', async () => {
    const trial = await started({ root: () => [obeying('a'), obeying('b')] })
    trial.pool.cancelJob('run.n0', 'enough')
    await trial.settle()
    expect(trial.expectNothingLeft()).toMatchObject(cancelled)
    expect(trial.statuses).toEqual({ a: 'cancelled', b: 'cancelled' })
    expect(trial.node('a').result?.reason).toBe('enough')
  })

  test('ends its branch only when it is another’s: `expand` is not asked', async () => {
    const trial = await started({
      expand: decide({ root: grow([obeying('a'), held('b')]), b: grow([value('c')]) }),
    })
    trial.pool.cancelJob('run.n1')
    await trial.complete('b')
    expect(trial.expectNothingLeft()).toMatchObject({ status: 'completed', reason: 'exhausted' })
    expect(trial.decided).toEqual(['root', 'b', 'c'])
    expect(trial.node('a')).toMatchObject({ status: 'cancelled', decision: undefined })
  })

  test.each(['shutdown', 'dependency', 'user', 'tree', 'pruned'])(
    'is told by who cancels it, not by the words of the reason: "%s"',
    async (reason) => {
      const child = await started({ expand: decide({ root: grow([obeying('a'), held('b')]) }) })
      child.pool.cancelJob('run.n1', reason)
      await child.settle()
      expect(child.statuses).toMatchObject({ a: 'cancelled', b: 'running' })
      await child.complete('b')
      expect(child.expectNothingLeft()).toMatchObject({ status: 'completed', reason: 'exhausted' })

      const root = await started({ root: () => obeying('root') })
      root.pool.cancelJob('run.n0', reason)
      await root.settle()
      expect(root.expectNothingLeft()).toMatchObject(cancelled)
    },
  )
})

describe('a shutdown of the pool', () => {
  test('without waiting cancels the run', async () => {
    const trial = await started({
      expand: decide({ root: grow([obeying('a'), value('b', { dependencies: ['a'] })]) }),
    })
    const closed = trial.pool.shutdown({ wait: false })
    await trial.settle()
    expect(trial.expectNothingLeft()).toMatchObject(cancelled)
    expect(trial.node('b').result?.reason).toBe('shutdown')
    await closed
  })

  test('that waits lets running jobs end; a tree that would grow further is then cancelled, not exhausted', async () => {
    const trial = await started({ root: () => held('root'), expand: decide({ root: grow([value('a')]) }) })
    const closed = trial.pool.shutdown()
    await trial.complete('root')
    await closed
    await trial.settle()
    expect(trial.nodes).toHaveLength(1)
    expect(trial.expectNothingLeft()).toMatchObject(cancelled)
  })

  test('while an answer is awaited: a tree that would grow further is then cancelled', async () => {
    const answer = createAnswer()
    const trial = await started({ expand: () => answer.promise })
    await trial.pool.shutdown()
    answer.resolve(grow([value('a')]))
    await trial.settle()
    expect(trial.expectNothingLeft()).toMatchObject(cancelled)
  })

  test('that waits lets a run that is done anyway end as it would', async () => {
    const trial = await started({ root: () => held('root'), expand: decide({ root: stop('done') }) })
    const closed = trial.pool.shutdown()
    await trial.complete('root')
    await closed
    await trial.settle()
    expect(trial.expectNothingLeft()).toMatchObject({ status: 'completed', reason: 'exhausted' })
  })

  test('before the run starts leaves it nothing to do but fail, with the reason', async () => {
    const trial = new Trial({})
    await trial.pool.shutdown()
    await trial.start()
    expect(trial.expectNothingLeft()).toMatchObject({
      status: 'failed',
      reason: 'failed',
      error: { code: 'ESP_POOL_CLOSED' },
      metrics: { nodes: 0 },
    })
  })

  test('cuts off what was cancelled after an answer was found: the answer stands', async () => {
    const trial = await started({
      expand: decide({
        root: grow([obeying('slow'), node({ handler: 'value', key: 'found' })]),
        found: { type: 'satisfy', value: 'gold', why: undefined, score: undefined },
      }),
    })
    const closed = trial.pool.shutdown({ wait: false })
    await trial.settle()
    await closed
    expect(trial.expectNothingLeft()).toMatchObject({
      status: 'completed',
      reason: 'satisfied',
      value: 'gold',
    })
  })
})
