import {
  type Executor,
  grow,
  type HandlerContext,
  node,
  Orchestrator,
  revise,
  runWorkflow,
  type Workflow,
} from 'espalier'
import { describe, expect, test } from 'vitest'
import { createPool } from '../runtime/harness.ts'
import { decide, grown, held, started, value } from './harness.ts'

/** A handler that fails, and tells which attempt it was. */
const shaky = (attempts: number[]) => (_: unknown, context: HandlerContext) => {
  attempts.push(context.attempt)
  throw new Error('not yet')
}
const at = { backoff: { type: 'fixed', delayMs: 0 } } as const

describe('how the job of a node runs', () => {
  test('is what the node says, else its handler’s defaults, else the pool', async () => {
    const parts = (defaults: Workflow['defaults'], rest: object) => {
      const attempts: number[] = []
      const root = () => node({ handler: 'shaky', ...at, ...rest })
      return { attempts, parts: { handlers: { shaky: shaky(attempts) }, defaults, root } as never }
    }
    for (const [defaults, rest, expected] of [
      [undefined, {}, [1, 2]],
      [{ shaky: { maxRetries: 2 } }, {}, [1, 2, 3]],
      [{ shaky: { maxRetries: 2 } }, { maxRetries: 0 }, [1]],
      [{ value: { maxRetries: 2 } }, {}, [1, 2]],
    ] as const) {
      const { attempts, parts: trial } = parts(defaults, rest)
      await (await started(trial, { maxRetries: 1 })).clock.advance(1_000)
      expect(attempts).toEqual(expected)
    }
  })

  test('may have a priority, a timeout and a backoff by its handler', async () => {
    const trial = await started(
      {
        defaults: { held: { priority: 'critical', timeoutMs: 50, backoff: { type: 'fixed', delayMs: 7 } } },
        expand: decide({ root: grow([value('a'), held('b', { maxRetries: 1 })]) }),
      },
      { maxParallelJobs: 1 },
    )
    expect(trial.started).toEqual(['root', 'b'])
    await trial.clock.advance(50)
    expect(trial.attempt('b').context.signal.aborted).toBe(true)
    await trial.fail('b')
    expect(trial.statuses).toMatchObject({ a: 'completed', b: 'queued' })
    await trial.clock.advance(7)
    expect(trial.statuses).toMatchObject({ b: 'running' })
    await trial.complete('b')
    trial.expectNothingLeft()
  })

  test('holds for a revision as well', async () => {
    const attempts: number[] = []
    const trial = await started(
      {
        handlers: { shaky: shaky(attempts) },
        defaults: { shaky: { maxRetries: 1, ...at } },
        root: () => [value('a'), held('b')],
        expand: decide({ a: ({ node: { revisions } }) => (revisions === 0 ? retry : undefined) }),
      },
      { maxRetries: 5 },
    )
    await trial.clock.advance(1_000)
    expect(attempts).toEqual([1, 2])
    await trial.complete('b')
    trial.expectNothingLeft()
  })
  const retry = { type: 'revise', patch: { handler: 'shaky' }, why: undefined, score: undefined } as const

  test('may be another executor, which gets the node’s input and reports to the tree', async () => {
    const seen: unknown[] = []
    const doubling: Executor = {
      name: 'doubling',
      supports: {},
      refuses: () => undefined,
      start: (attempt, sink) => {
        seen.push(attempt.args)
        sink.completed(attempt, Number(attempt.args[0]) * 2)
      },
    }
    const trial = await grown(
      {
        root: () => value('root', { input: 21, executor: 'doubling' }),
        expand: decide({ root: grow([value('a')]) }),
      },
      { executors: [doubling] },
    )
    expect(seen).toEqual([[21]])
    expect(trial.node('root').result?.value).toBe(42)
    expect(trial.statuses).toEqual({ root: 'completed', a: 'completed' })
  })

  test('by another executor is, for a revision, what it was revised to', async () => {
    const seen: unknown[] = []
    const choosy: Executor = {
      name: 'choosy',
      supports: {},
      refuses: () => undefined,
      start: (attempt, sink) => {
        const [input] = attempt.args
        seen.push(input)
        if (input === 'good') sink.completed(attempt, input)
        else sink.failed(attempt, new Error('not this one'))
      },
    }
    const trial = await grown(
      {
        executor: 'choosy',
        root: () => value('root', { input: 'bad' }),
        expand: ({ result }) => (result.status === 'failed' ? revise({ input: 'good' }) : undefined),
      },
      { executors: [choosy] },
    )
    expect(seen).toEqual(['bad', 'good'])
    expect(trial.node('root')).toMatchObject({ status: 'completed', input: 'good', revisions: 1 })
  })

  test('may be the executor of the node, its handler, the run or the workflow, in this order', async () => {
    const used: string[] = []
    const executors = ['node', 'handler', 'run', 'workflow'].map(
      (name): Executor => ({
        name,
        supports: {},
        refuses: () => undefined,
        start: (attempt, sink) => {
          used.push(name)
          sink.completed(attempt, undefined)
        },
      }),
    )
    const { pool } = createPool({ executors })
    const workflow: Workflow = {
      name: 'w',
      handlers: { own: () => 1, other: () => 2 },
      executor: 'workflow',
      defaults: { own: { executor: 'handler' } },
      root: () => [
        node({ handler: 'own', executor: 'node' }),
        node({ handler: 'own' }),
        node({ handler: 'other' }),
      ],
    }
    await new Orchestrator(workflow, { pool }).run()
    await runWorkflow(workflow, { pool, executor: 'run' })
    expect(used).toEqual(['node', 'handler', 'workflow', 'node', 'handler', 'run'])
    for (const options of [{ executor: 'abacus' }, { executor: '' }]) {
      expect(() => new Orchestrator(workflow, { pool, ...options })).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/ESP_UNKNOWN_EXECUTOR|ESP_INVALID_OPTION/) }),
      )
    }
  })

  test.each([
    ['ESP_UNSUPPORTED', { memoryLimitBytes: 1e8 }],
    ['ESP_INVALID_OPTION', { memoryLimitBytes: 0 }],
  ])('of a limit that nobody keeps stops with %s: %o', async (code, rest) => {
    const trial = await grown({ expand: decide({ root: grow([value('a', rest)]) }) })
    expect(trial.node('root').decision?.error).toMatchObject({ code })
  })

  test('of an unknown executor stops the decision', async () => {
    const trial = await grown({
      defaults: { value: { executor: 'abacus' } },
      handlers: { plain: () => 1 },
      root: () => node({ handler: 'plain', key: 'root' }),
      expand: decide({ root: grow([value('a')]) }),
    })
    expect(trial.node('root').decision?.error).toMatchObject({ code: 'ESP_UNKNOWN_EXECUTOR' })
  })
})
