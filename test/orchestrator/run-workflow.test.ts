import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { createMemoryStore, grow, type JobPool, node, runWorkflow, type Workflow } from 'espalier'
import { describe, expect, test } from 'vitest'
import type { InspectionEvent } from 'xstate'
import { createHeld, createPool, expectAllSlotsFree, obedient } from '../runtime/harness.ts'
import { expectCounted } from './harness.ts'

/** The lifecycle of the pool, in an inspection event that tells of it. */
const lifecycleOf = (event: InspectionEvent): unknown =>
  event.type === '@xstate.snapshot' && 'value' in event.snapshot
    ? (event.snapshot.value as { lifecycle?: unknown }).lifecycle
    : undefined

const growing: Workflow = {
  name: 'growing',
  handlers: { value: (input: unknown) => input, obeying: (_: unknown, context) => obedient(context) },
  root: () => node({ handler: 'value', input: 1 }),
  expand: ({ node: { depth, input } }) =>
    depth < 3
      ? grow([1, 2].map((factor) => node({ handler: 'value', input: factor * Number(input) })))
      : undefined,
}

describe('runWorkflow', () => {
  test('needs no more than a workflow', async () => {
    const outcome = await runWorkflow(growing)
    expect(outcome).toMatchObject({
      status: 'completed',
      reason: 'exhausted',
      metrics: { nodes: 15, decisions: 15 },
    })
    expectCounted(outcome)
    expect(outcome.metrics.startedAt).toBeGreaterThan(1e12)
  })

  test('makes a pool of its own by the given options, and closes it', async () => {
    let running = 0
    let most = 0
    const busy = async () => {
      most = Math.max(most, ++running)
      await turn()
      running--
    }
    let lifecycle: unknown
    const outcome = await runWorkflow(
      {
        name: 'w',
        handlers: { busy },
        root: () => Array.from({ length: 6 }, () => node({ handler: 'busy' })),
      },
      {
        maxParallelJobs: 2,
        ids: { next: () => 'made' },
        inspect: (event) => {
          lifecycle = lifecycleOf(event) ?? lifecycle
        },
      },
    )
    expect(outcome).toMatchObject({ runId: 'made', metrics: { nodes: 6, completed: 6 } })
    expect(most).toBe(2)
    expect(lifecycle).toBe('closed')
  })

  test.each<[string, object]>([
    ['maxParallelJobs', { maxParalelJobs: 2 }],
    ['runId', { runid: 'one' }],
    ['input', { inputs: {} }],
  ])('refuses an option that nobody reads: "%s" was meant', async (meant, options) => {
    await expect(runWorkflow(growing, options)).rejects.toMatchObject({
      code: 'ESP_UNKNOWN_OPTION',
      message: expect.stringContaining(`Did you mean "${meant}"?`),
    })
  })

  test('refuses options of a pool beside a pool', async () => {
    const { pool } = createPool()
    const options = { pool, maxParallelJobs: 2 } as never
    await expect(runWorkflow(growing, options)).rejects.toMatchObject({
      code: 'ESP_UNKNOWN_OPTION',
      details: {
        option: 'maxParallelJobs',
        known: ['pool', 'input', 'runId', 'executor', 'source', 'fork', 'signal'],
      },
    })
    expect(pool.getStatus().total).toBe(0)
  })

  test('leaves a given pool open, and all its slots free', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 2 })
    const outcome = await runWorkflow(growing, { pool })
    expect(outcome.status).toBe('completed')
    expect(pool.getStatus()).toMatchObject({ total: 15, completed: 15, running: 0, queued: 0 })
    await expectAllSlotsFree(pool, clock)
  })

  test('runs two workflows in one pool at once, which do not mix', async () => {
    const { pool } = createPool({ maxParallelJobs: 2 })
    const [one, two] = await Promise.all([
      runWorkflow(growing, { pool, runId: 'one' }),
      runWorkflow({ ...growing, root: () => node({ handler: 'value', input: 10 }) }, { pool, runId: 'two' }),
    ])
    for (const outcome of [one, two]) {
      expect(outcome.metrics).toMatchObject({ nodes: 15, completed: 15 })
      expectCounted(outcome)
    }
    const jobIds = (outcome: typeof one) => Object.values(outcome.tree.nodes).map(({ jobId }) => jobId)
    expect(jobIds(one)).toEqual(Array.from({ length: 15 }, (_, index) => `one.n${index}`))
    expect(jobIds(two)).toEqual(Array.from({ length: 15 }, (_, index) => `two.n${index}`))
    expect(two.tree.nodes.n14?.result).toMatchObject({
      jobId: 'two.n14',
      nodeId: 'n14',
      treeId: 'two',
      value: 80,
    })
  })

  test('under the name of a run that still goes on fails, and leaves that alone', async () => {
    const { pool, clock } = createPool()
    const held = createHeld()
    const first = runWorkflow(
      { ...growing, handlers: { value: held.execute }, expand: () => undefined },
      { pool, runId: 'same' },
    )
    await clock.settle()
    const second = runWorkflow(growing, { pool, runId: 'same' })
    await expect(second).rejects.toMatchObject({ code: 'ESP_RUN_ACTIVE' })
    expect(held.of('same.n0').context.signal.aborted).toBe(false)
    held.of('same.n0').resolve('kept')
    expect(await first).toMatchObject({
      status: 'completed',
      tree: { nodes: { n0: { result: { value: 'kept' } } } },
    })
  })

  test('names the run by a fresh id each time', async () => {
    const runs = await Promise.all([runWorkflow(growing), runWorkflow(growing)])
    expect(new Set(runs.map(({ runId }) => runId)).size).toBe(2)
    for (const { runId, tree } of runs) expect(tree.nodes.n0?.jobId).toBe(`${runId}.n0`)
  })

  test('is cancelled by its signal, also in a pool of its own', async () => {
    const controller = new AbortController()
    const running = runWorkflow(
      {
        ...growing,
        root: () => node({ handler: 'obeying' }),
        handlers: {
          obeying: (_: unknown, context) => {
            queueMicrotask(() => controller.abort())
            return obedient(context)
          },
        },
      },
      { signal: controller.signal },
    )
    expect(await running).toMatchObject({
      status: 'cancelled',
      reason: 'cancelled',
      metrics: { cancelled: 1 },
    })
  })

  test('refuses what is wrong before the start, and closes its pool then too', async () => {
    let lifecycle: unknown
    const inspect = (event: InspectionEvent) => {
      lifecycle = lifecycleOf(event) ?? lifecycle
    }
    const wrong = { ...growing, root: () => node({ handler: 'nobody' }) }
    await expect(runWorkflow(wrong, { inspect })).rejects.toMatchObject({ code: 'ESP_UNKNOWN_HANDLER' })
    expect(lifecycle).toBe('closed')
    await expect(runWorkflow(growing, { maxParallelJobs: 0 })).rejects.toMatchObject({
      code: 'ESP_INVALID_OPTION',
    })
    await expect(runWorkflow({ ...growing, limits: { maxNodes: 0 } })).rejects.toMatchObject({
      code: 'ESP_INVALID_OPTION',
      details: { option: 'limits.maxNodes' },
    })
  })

  test.each([
    ['source', { source: null }],
    ['source', { source: { url: 'reach.ts' } }],
    ['fork', { fork: null }],
    ['fork', { fork: 0 }],
    ['fork.runId', { fork: { runId: null } }],
    ['fork.runId', { fork: {} }],
  ])('refuses "%s" that is none: %o', async (option, options) => {
    const store = createMemoryStore()
    await expect(runWorkflow(growing, { store, ...(options as object) })).rejects.toMatchObject({
      code: 'ESP_INVALID_OPTION',
      details: { option },
    })
    expect(Array.from(store.runs())).toEqual([])
  })

  test('refuses a pool that is none', async () => {
    await expect(runWorkflow(growing, { pool: {} as JobPool })).rejects.toMatchObject({
      code: 'ESP_INVALID_OPTION',
      details: { option: 'pool' },
    })
  })
})

describe('a process that has run a workflow', () => {
  const run = (how: string) =>
    new Promise<{ code: number | string | null; stdout: string; stderr: string }>((resolve) => {
      const script = join(import.meta.dirname, 'fixtures/exits.ts')
      const args = ['--conditions=espalier-source', '--no-warnings', script, how]
      execFile(process.execPath, args, { timeout: 10_000 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? null), stdout, stderr }),
      )
    })

  test.each(['own-pool', 'given-pool', 'failing', 'cancelled', 'refused'])(
    'ends by itself: %s',
    async (how) => {
      expect(await run(how)).toEqual({ code: 0, stdout: `${how} done\n`, stderr: '' })
    },
  )
})
