import { defineWorkflow, grow, node, Orchestrator, runWorkflow, type Workflow } from 'espalier'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createPool } from '../runtime/harness.ts'
import { started, Trial, type TrialWorkflow, value } from './harness.ts'

const schema = z.object({
  groups: z.coerce.number().int().min(1),
  name: z.string().default('nobody'),
  deep: z.object({ list: z.array(z.object({ size: z.number() })).default([]) }).default({ list: [] }),
})

/** Expects that a run is refused, before anything of it could be seen. */
const expectRefusal = async (parts: TrialWorkflow, input: unknown, expected: object) => {
  const trial = new Trial(parts, { input })
  await expect(trial.orchestrator.run()).rejects.toMatchObject(expected)
  await trial.settle()
  expect(trial.events).toEqual([])
  expect(trial.nodes).toEqual([])
  expect(trial.pool.getStatus().total).toBe(0)
  expect(trial.clock.wishes).toBe(0)
}

describe('the input of a run', () => {
  test('reaches `root` and `expand` as its schema made it, with defaults and conversions', async () => {
    const seen: unknown[] = []
    const workflow = defineWorkflow({
      name: 'typed',
      input: schema,
      handlers: { echo: (input: unknown) => input },
      root: (input) => {
        seen.push(input)
        return node({ handler: 'echo', input: input.groups })
      },
      expand: ({ input, node: { depth } }) => {
        seen.push(input)
        return depth === 0 ? grow([node({ handler: 'echo', input: input.name })]) : undefined
      },
    })
    const { tree } = await runWorkflow(workflow, { input: { groups: '4' } })
    expect(seen).toEqual(Array(3).fill({ groups: 4, name: 'nobody', deep: { list: [] } }))
    expect(Object.values(tree.nodes).map(({ result }) => result?.value)).toEqual([4, 'nobody'])
  })

  test('may be checked asynchronously', async () => {
    const input = z.object({ id: z.string().refine(async (id) => id !== 'taken', 'is taken') })
    await expectRefusal(
      { input },
      { id: 'taken' },
      { code: 'ESP_INVALID_INPUT', details: { issues: ['id: is taken'] } },
    )
  })

  test('without a schema is taken as it is', async () => {
    const input = { any: [undefined] }
    let seen: unknown
    const root = (given: unknown) => {
      seen = given
      return []
    }
    await runWorkflow({ name: 'w', handlers: {}, root }, { input })
    expect(seen).toBe(input)
  })

  test('that is not valid is refused with the path of each issue', async () => {
    const input = { groups: 0, deep: { list: [{ size: 1 }, { size: 'big' }] } }
    await expectRefusal({ input: schema }, input, {
      code: 'ESP_INVALID_INPUT',
      message: expect.stringMatching(/trial.*groups: .*deep\.list\.1\.size: /),
      details: {
        workflow: 'trial',
        issues: [expect.stringMatching(/^groups: /), expect.stringMatching(/^deep\.list\.1\.size: /)],
      },
    })
  })

  test('that is not valid as a whole is refused without a path', async () => {
    await expectRefusal({ input: z.string() }, 5, {
      code: 'ESP_INVALID_INPUT',
      details: { issues: [expect.not.stringMatching(/^[^ ]*: Inv/)] },
    })
  })

  test('whose schema names paths by objects is refused with these too', async () => {
    const validate = () => ({ issues: [{ message: 'no', path: [{ key: 'a' }, 0, Symbol.for('b')] }] })
    const input = { '~standard': { version: 1, vendor: 'test', validate } } as const
    await expectRefusal({ input }, 1, { details: { issues: ['a.0.Symbol(b): no'] } })
  })

  test('whose schema throws is refused with what it throws', async () => {
    const thrown = new Error('broken schema')
    const validate = () => {
      throw thrown
    }
    const input = { '~standard': { version: 1, vendor: 'test', validate } } as const
    await expectRefusal({ input }, 1, thrown)
  })
})

describe('the root of a workflow', () => {
  test('that names no handler is refused with the handlers there are', async () => {
    await expectRefusal({ root: () => [value('a'), node({ handler: 'lod' })] }, undefined, {
      code: 'ESP_UNKNOWN_HANDLER',
      details: { of: 'the workflow', handler: 'lod', known: ['value', 'broken', 'held', 'obeying'] },
    })
  })

  test.each([['constructor'], ['__proto__'], ['toString']])(
    'does not find a handler "%s" in every object',
    async (handler) => {
      await expectRefusal({ root: () => node({ handler }) }, undefined, { code: 'ESP_UNKNOWN_HANDLER' })
    },
  )

  test.each([[undefined], [null], ['value'], [[value('a'), null]], [{}], [{ handler: 5 }]])(
    'that is no node is refused: %o',
    async (root) => {
      await expectRefusal({ root: () => root as never }, undefined, { code: 'ESP_INVALID_WORKFLOW' })
    },
  )

  test('may be found out asynchronously', async () => {
    const trial = await started({ root: async () => [value('a'), value('b')] })
    expect(trial.expectNothingLeft().tree.rootIds).toEqual(['n0', 'n1'])
    const thrown = new Error('no root today')
    await expectRefusal({ root: () => Promise.reject(thrown) }, undefined, thrown)
  })

  test('that is still being found out when the run is cancelled is not planted', async () => {
    const gate = Promise.withResolvers<void>()
    const trial = await started({ root: () => gate.promise.then(() => value('a')) })
    trial.orchestrator.cancel()
    await trial.settle()
    gate.resolve()
    await trial.settle()
    expect(trial.expectNothingLeft()).toMatchObject({ status: 'cancelled', metrics: { nodes: 0 } })
  })

  test('that has a mistyped field is refused with what was meant', async () => {
    await expectRefusal({ root: () => value('a', { prioritty: 'high' } as never) }, undefined, {
      code: 'ESP_UNKNOWN_OPTION',
      message: expect.stringContaining('Did you mean "priority"?'),
    })
  })

  test('that throws rejects the run with what it throws', async () => {
    const thrown = new Error('no root today')
    await expectRefusal(
      {
        root: () => {
          throw thrown
        },
      },
      undefined,
      thrown,
    )
  })

  test('may be no node at all: there is nothing to do', async () => {
    const trial = await new Trial({ root: () => [] }).start()
    expect(trial.expectNothingLeft()).toMatchObject({
      status: 'completed',
      reason: 'exhausted',
      tree: { rootIds: [] },
    })
  })

  test('may be several nodes, which depend on each other', async () => {
    const trial = await new Trial({ root: () => [value('a', { dependencies: ['b'] }), value('b')] }).start()
    expect(trial.expectNothingLeft().tree.rootIds).toEqual(['n0', 'n1'])
    expect(trial.started).toEqual(['b', 'a'])
  })

  test.each([
    ['ESP_DEPENDENCY_UNKNOWN', value('a', { dependencies: ['nobody'] })],
    ['ESP_INVALID_OPTION', value('a', { score: Number.NaN })],
  ])('that cannot be planted fails the run with %s', async (code, root) => {
    const trial = await new Trial({ root: () => [value('b'), root] }).start()
    expect(trial.expectNothingLeft()).toMatchObject({ status: 'failed', reason: 'failed', error: { code } })
    expect(trial.nodes).toEqual([])
  })
})

describe('a workflow', () => {
  const whole = { name: 'w', handlers: { h: () => 1 }, root: () => [] }

  test.each<[string, unknown]>([
    ['absent', undefined],
    ['null', null],
    ['a function', () => whole],
    ['a module without default export', { default: whole }],
    ['nameless', { ...whole, name: '' }],
    ['without handlers', { ...whole, handlers: undefined }],
    ['without root', { ...whole, root: undefined }],
    ['with a root that is no function', { ...whole, root: [value('a')] }],
    ['with an expand that is no function', { ...whole, expand: 'grow' }],
    ['with an unknown strategy', { ...whole, strategy: 'sideways' }],
    ['with an input that is no schema', { ...whole, input: { type: 'object' } }],
    ['with an input that is half a schema', { ...whole, input: { '~standard': { version: 1 } } }],
    ['with null as input', { ...whole, input: null }],
    ['with a handler that is none', { ...whole, handlers: { h: 'load.ts' } }],
    ['with a list as a handler', { ...whole, handlers: { h: [() => 1] } }],
    ['with handlers in a Map', { ...whole, handlers: new Map([['h', () => 1]]) }],
    ['with handlers in a list', { ...whole, handlers: [() => 1] }],
    ['with defaults that are none', { ...whole, defaults: 5 }],
    ['with defaults in a Map', { ...whole, defaults: new Map([['h', { maxRetries: 1 }]]) }],
    ['with defaults in a list', { ...whole, defaults: [] }],
  ])('that is %s is refused, wherever it is given', async (_, wrong) => {
    const workflow = wrong as Workflow
    const code = 'ESP_INVALID_WORKFLOW'
    expect(() => defineWorkflow(workflow)).toThrow(expect.objectContaining({ code }))
    await expect(runWorkflow(workflow)).rejects.toMatchObject({ code })
    const { pool } = createPool()
    expect(() => new Orchestrator(workflow, { pool })).toThrow(expect.objectContaining({ code }))
  })

  test.each<[string, string, object]>([
    ['ESP_UNKNOWN_OPTION', 'strategy', { ...whole, strategi: 'best-first' }],
    ['ESP_UNKNOWN_OPTION', 'maxNodes', { ...whole, limits: { maxNode: 5 } }],
    ['ESP_INVALID_OPTION', 'limits.maxNodes', { ...whole, limits: { maxNodes: 0 } }],
    ['ESP_INVALID_OPTION', 'limits', { ...whole, limits: 5 }],
    ['ESP_UNKNOWN_HANDLER', 'h', { ...whole, defaults: { H: {} } }],
    ['ESP_UNKNOWN_OPTION', 'maxRetries', { ...whole, defaults: { h: { maxRetry: 1 } } }],
    ['ESP_INVALID_OPTION', 'defaults.h.timeoutMs', { ...whole, defaults: { h: { timeoutMs: 0 } } }],
    ['ESP_INVALID_OPTION', 'defaults.h.priority', { ...whole, defaults: { h: { priority: 'urgent' } } }],
    ['ESP_INVALID_OPTION', 'defaults.h.executor', { ...whole, defaults: { h: { executor: 5 } } }],
    ['ESP_INVALID_OPTION', 'defaults.h.backoff.type', { ...whole, defaults: { h: { backoff: {} } } }],
    ['ESP_INVALID_OPTION', 'defaults.h', { ...whole, defaults: { h: 5 } }],
  ])('is refused with %s, naming "%s": %o', async (code, name, wrong) => {
    const workflow = wrong as Workflow
    const refusal = { code, message: expect.stringContaining(`"${name}"`) }
    expect(() => defineWorkflow(workflow)).toThrow(expect.objectContaining(refusal))
    await expect(runWorkflow(workflow)).rejects.toMatchObject(refusal)
  })

  test('is returned as it was by defineWorkflow', () => {
    expect(defineWorkflow(whole)).toBe(whole)
  })

  test('may have any known strategy', () => {
    for (const strategy of ['depth-first', 'breadth-first', 'best-first'] as const) {
      expect(defineWorkflow({ ...whole, strategy })).toMatchObject({ strategy })
    }
  })
})

describe('an orchestrator', () => {
  test('shows what its users may call, and nothing of its inner life', () => {
    const { orchestrator } = new Trial({})
    const shown = [
      ...Object.keys(orchestrator),
      ...Object.getOwnPropertyNames(Object.getPrototypeOf(orchestrator)),
    ]
    expect(shown.sort()).toEqual(['actor', 'cancel', 'constructor', 'on', 'run', 'runId', 'tree'])
  })

  test('refuses options that nobody reads', () => {
    const { pool } = createPool()
    const workflow = { name: 'w', handlers: {}, root: () => [] }
    expect(() => new Orchestrator(workflow, { pool, runID: 'mine' } as never)).toThrow(
      expect.objectContaining({
        code: 'ESP_UNKNOWN_OPTION',
        message: expect.stringContaining('Did you mean "runId"?'),
      }),
    )
    expect(() => new Orchestrator(workflow, undefined as never)).toThrow(
      expect.objectContaining({ code: 'ESP_INVALID_OPTION' }),
    )
  })

  test('runs once', async () => {
    const trial = new Trial({})
    const first = trial.orchestrator.run()
    await expect(trial.orchestrator.run()).rejects.toMatchObject({
      code: 'ESP_RUN_STARTED',
      details: { runId: 'run' },
    })
    expect(await first).toMatchObject({ status: 'completed', metrics: { nodes: 1 } })
    await expect(trial.orchestrator.run()).rejects.toMatchObject({ code: 'ESP_RUN_STARTED' })
    expect(trial.pool.getStatus().total).toBe(1)
  })

  test('names its run by itself, or as it is told', () => {
    const { pool } = createPool()
    const workflow = { name: 'w', handlers: {}, root: () => [] }
    expect(new Orchestrator(workflow, { pool, runId: 'mine' }).runId).toBe('mine')
    const names = [1, 2].map(() => new Orchestrator(workflow, { pool }).runId)
    expect(new Set(names).size).toBe(2)
  })
})
