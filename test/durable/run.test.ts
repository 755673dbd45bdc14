import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  defineWorkflow,
  type ExpandRequest,
  grow,
  type HandlerContext,
  JobPool,
  type JobPoolOptions,
  node,
  Orchestrator,
  openSqliteStore,
  prune,
  type RunOutcome,
  revise,
  runWorkflow,
  satisfy,
  stop,
  verifyStore,
} from 'espalier'
import { SimulatedClock } from 'espalier/testing'
import { describe, expect, test } from 'vitest'
import { foldTrace } from '../../src/runtime/record/trace-fold.ts'
import { durablePool, expectFolded, FaultyStore, full } from './world.ts'

const untilAborted = (_: unknown, { signal }: HandlerContext) =>
  new Promise((_, reject) => signal.addEventListener('abort', reject))

/** Counts from 1 to `goal`, one node a step; fails at 2 first, and is revised; one node beside is pruned by another. */
function counting(goal: number) {
  const asked: string[] = []
  const ran: string[] = []
  const workflow = defineWorkflow<{ goal: number }>({
    name: 'counting',
    handlers: {
      count: (value: number, { jobId }: HandlerContext) => {
        ran.push(jobId)
        if (value === -2) throw new Error('not this way')
        return value
      },
      idle: untilAborted,
    },
    limits: { maxDepth: 100 },
    root: () => node({ handler: 'count', input: 1 }),
    expand: ({ node: { id, handler }, result, input }: ExpandRequest<{ goal: number }>) => {
      asked.push(id)
      if (handler === 'idle') return stop()
      if (result.status === 'failed') return revise({ input: 2 }, 'another way')
      const value = result.value as number
      if (value === 100) return prune(['beside'], 'not needed')
      if (value >= input.goal) return satisfy({ value }, { why: 'there', score: 1 })
      const next = node({ handler: 'count', input: value === 1 ? -2 : value + 1 })
      const beside = [
        node({ handler: 'idle', key: 'beside' }),
        node({ handler: 'count', label: 'pruner', input: 100 }),
      ]
      return grow(value === 1 ? [next, ...beside] : [next], `on from ${value}`)
    },
  })
  return { workflow, asked, ran, input: { goal } }
}

/** A process that runs a workflow on a disk. */
function processOf(disk: FaultyStore, now: number, options: JobPoolOptions = {}) {
  const process = disk.process()
  return { ...durablePool(process.store, { clock: new SimulatedClock(now), ...options }), die: process.die }
}

const shape = ({ status, reason, value, tree }: RunOutcome) => ({
  status,
  reason,
  value,
  nodes: Object.values(tree.nodes).map(
    ({ id, parentId, status: each, children, decision, revisions, score, label }) => ({
      ...{ id, parentId, each, children, revisions, score, label },
      decision: decision && { type: decision.type, why: decision.why, nodeIds: decision.nodeIds },
    }),
  ),
})

describe('a run', () => {
  test('that has ended is there under its id: the same outcome, and nothing runs again', async () => {
    const disk = new FaultyStore()
    const first = counting(3)
    const pool = processOf(disk, 0).pool
    const outcome = await new Orchestrator(first.workflow, { pool, input: first.input, runId: 'r' }).run()
    const second = counting(3)
    const later = processOf(disk, 10_000).pool
    const again = await new Orchestrator(second.workflow, { pool: later, input: {}, runId: 'r' }).run()
    expect(shape(again)).toEqual(shape(outcome))
    expect(again.metrics).toEqual(outcome.metrics)
    expect([second.asked, second.ran]).toEqual([[], []])
  })

  test('that is taken up has its ended jobs as they ended, also when its store is closed and gone', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'espalier-'))
    const store = join(folder, 'runs.db')
    const { workflow, input } = counting(3)
    await runWorkflow(workflow, { store, runId: 'r', input })
    const pool = new JobPool({ store })
    const again = await new Orchestrator(counting(3).workflow, { pool, runId: 'r' }).run()
    expect(pool.getStatus()).toMatchObject({ completed: 4, failed: 1, cancelled: 1, failedJobIds: ['r.n1'] })
    expect(pool.job('r.n0')).toMatchObject({ id: 'r.n0', status: 'completed', nodeId: 'n0' })
    expect(pool.getTimeline().map(({ jobId, status }) => [jobId, status])).toEqual([
      ...[['r.n0', 'completed'] as const, ['r.n1', 'failed'] as const, ['r.n2', 'cancelled'] as const],
      ...[['r.n3', 'completed'] as const, ['r.n1.1', 'completed'] as const, ['r.n4', 'completed'] as const],
    ])
    await pool.shutdown()
    rmSync(folder, { recursive: true })
    const { n1, n4 } = again.tree.nodes
    expect([n1?.result?.value, n1?.result?.attempts, n4?.result?.value]).toEqual([2, 1, 3])
    expect(await pool.job('r.n1')?.result()).toMatchObject({ error: { message: 'not this way' } })
  })

  test('that dies at any commit and is resumed grows the tree of one that lived', async () => {
    const undisturbed = counting(4)
    const calm = new FaultyStore()
    const expected = shape(
      await new Orchestrator(undisturbed.workflow, {
        pool: processOf(calm, 0).pool,
        input: undisturbed.input,
        runId: 'r',
      }).run(),
    )
    expect(expected.nodes.length).toBeGreaterThan(4)
    for (let nth = 1; nth <= calm.commits; nth++) {
      const disk = new FaultyStore()
      const dying = counting(4)
      const first = processOf(disk, 0)
      disk.onCommit = () => {
        if (disk.commits + 1 === nth) first.die()
      }
      const run = new Orchestrator(dying.workflow, { pool: first.pool, input: dying.input, runId: 'r' })
      await Promise.race([run.run().catch(() => {}), first.clock.advance(1)])
      await first.clock.settle()
      first.die()
      const resumed = counting(4)
      const second = processOf(disk, 10_000)
      const outcome = await new Orchestrator(resumed.workflow, {
        pool: second.pool,
        input: resumed.input,
        runId: 'r',
      }).run()
      expect(shape(outcome), `death at commit ${nth}`).toEqual(expected)
      expectFolded(disk.store)
      expect(foldTrace(disk.store.trace()).runs.get('r')?.output).toEqual({
        status: 'completed',
        reason: 'satisfied',
      })
    }
  })

  test('asks no decision again that is recorded, and once more what had no answer yet', async () => {
    const disk = new FaultyStore()
    const workflow = (answers: Record<string, boolean>, asked: string[]) =>
      defineWorkflow({
        name: 'asking',
        handlers: { one: () => 1 },
        root: () => [node({ handler: 'one' }), node({ handler: 'one' })],
        expand: ({ node: { id } }) => {
          asked.push(id)
          return answers[id] ? stop('enough') : new Promise(() => {})
        },
      })
    const asked: string[] = []
    const first = processOf(disk, 0)
    void new Orchestrator(workflow({ n0: true }, asked), { pool: first.pool, runId: 'r' })
      .run()
      .catch(() => {})
    await first.clock.settle()
    expect(asked).toEqual(['n0', 'n1'])
    first.die()
    const again: string[] = []
    const second = processOf(disk, 1_000)
    const run = new Orchestrator(workflow({ n0: true, n1: true }, again), { pool: second.pool, runId: 'r' })
    await expect(run.run()).resolves.toMatchObject({ status: 'completed', reason: 'exhausted' })
    expect(again).toEqual(['n1'])
  })

  test('keeps its time limit across processes', async () => {
    const disk = new FaultyStore()
    const workflow = defineWorkflow({
      name: 'slow',
      handlers: { idle: untilAborted },
      limits: { maxRunMs: 5_000 },
      root: () => node({ handler: 'idle' }),
    })
    const first = processOf(disk, 0)
    void new Orchestrator(workflow, { pool: first.pool, runId: 'r' }).run().catch(() => {})
    await first.clock.advance(1_000)
    first.die()
    const second = processOf(disk, 3_000)
    const ended = new Orchestrator(workflow, { pool: second.pool, runId: 'r' }).run()
    await second.clock.advance(1_999)
    expect(disk.store.run('r')?.status).toBe('running')
    await second.clock.advance(1)
    await expect(ended).resolves.toMatchObject({ reason: 'limit' })
  })

  test('is given up where the store refuses it, and goes on from there when it is resumed', async () => {
    const disk = new FaultyStore()
    const { workflow, input } = counting(3)
    const first = processOf(disk, 0)
    disk.onCommit = () => {
      if (disk.commits === 2) throw full()
    }
    const run = new Orchestrator(workflow, { pool: first.pool, input, runId: 'r' }).run()
    await expect(run).rejects.toMatchObject({ code: 'ESP_STORE_REFUSED' })
    first.die()
    disk.onCommit = () => {}
    const second = processOf(disk, 1_000)
    const outcome = await new Orchestrator(workflow, { pool: second.pool, input, runId: 'r' }).run()
    expect(outcome).toMatchObject({ reason: 'satisfied', value: { value: 3 } })
  })

  test('that its pool leaves rejects, and goes on with the next pool on the store', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'espalier-run-'))
    const file = join(folder, 'runs.db')
    const workflow = defineWorkflow({
      name: 'w',
      handlers: {
        idle: (_: unknown, context: HandlerContext) => (context.attempt === 1 ? untilAborted(_, context) : 7),
      },
      root: () => node({ handler: 'idle' }),
    })
    const pool = new JobPool({ store: file })
    const started = new Promise((resolve) => pool.on('job.started', resolve))
    const run = new Orchestrator(workflow, { pool, runId: 'r' }).run()
    await started
    const rejected = expect(run).rejects.toMatchObject({ code: 'ESP_POOL_CLOSED' })
    await pool.shutdown({ wait: false })
    await rejected
    const { status, tree } = await runWorkflow(workflow, { store: file, runId: 'r' })
    expect([status, tree.nodes.n0?.result]).toMatchObject(['completed', { value: 7, attempts: 2 }])
    rmSync(folder, { recursive: true })
  })

  test('that is failing when its process dies ends with the error it failed with', async () => {
    const disk = new FaultyStore()
    let release = () => {}
    const workflow = defineWorkflow({
      name: 'w',
      failFast: true,
      handlers: {
        fail: () => {
          throw new RangeError('too far')
        },
        deaf: (_: unknown, { attempt }: HandlerContext) =>
          attempt > 1 ? undefined : new Promise<void>((resolve) => (release = resolve)),
      },
      root: () => [node({ handler: 'deaf' }), node({ handler: 'fail' })],
    })
    const first = processOf(disk, 0)
    const run = new Orchestrator(workflow, { pool: first.pool, runId: 'r' })
    void run.run().catch(() => {})
    await first.clock.settle()
    first.die()
    release()
    expect(disk.store.run('r')).toMatchObject({ status: 'running', reason: 'failed' })
    const second = processOf(disk, 10)
    const outcome = new Orchestrator(workflow, { pool: second.pool, runId: 'r' }).run()
    await second.clock.settle()
    expect(await outcome).toMatchObject({
      status: 'failed',
      error: { name: 'RangeError', message: 'too far' },
    })
    expect(verifyStore(disk.store)).toBe(disk.store.lastSeq)
  })

  test('that is taken up tells whose it is now, before anything else happens in it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'espalier-run-'))
    const file = join(folder, 'runs.db')
    const workflow = defineWorkflow({
      name: 'w',
      handlers: { idle: untilAborted },
      root: () => node({ handler: 'idle' }),
    })
    const owners: (number | undefined)[] = []
    for (const _ of ['begun', 'taken up']) {
      const pool = new JobPool({ store: file })
      const started = new Promise((resolve) => pool.on('job.started', resolve))
      const run = new Orchestrator(workflow, { pool, runId: 'r' }).run()
      const left = expect(run).rejects.toMatchObject({ code: 'ESP_POOL_CLOSED' })
      await started
      const reader = openSqliteStore(file, { readOnly: true })
      owners.push(reader.run('r')?.ownedSince)
      expect(owners.at(-1)).toBe(reader.owner()?.since)
      reader.close()
      await pool.shutdown({ wait: false })
      await left
    }
    expect(new Set(owners).size).toBe(2)
    rmSync(folder, { recursive: true })
  })

  test('whose roots were cut remembers it: it ends at its limit, whichever process ends it', async () => {
    const disk = new FaultyStore()
    const workflow = defineWorkflow({
      name: 'cut',
      handlers: { idle: untilAborted, end: () => 'ended' },
      limits: { maxNodes: 1 },
      root: () => [node({ handler: 'idle', executor: 'async' }), node({ handler: 'end' })],
      expand: () => stop(),
    })
    const first = processOf(disk, 1_000)
    const begun = new Orchestrator(workflow, { pool: first.pool, runId: 'run' })
    void begun.run().catch(() => {})
    await new Promise<void>((resolve) => {
      first.pool.on('job.started', () => resolve())
    })
    first.die()
    const second = processOf(disk, 2_000)
    const ending = { ...workflow, handlers: { ...workflow.handlers, idle: () => 'ended' } }
    const outcome = await new Orchestrator(ending, { pool: second.pool, runId: 'run' }).run()
    expect(outcome).toMatchObject({ status: 'completed', reason: 'limit' })
  })

  test('whose decisions were cut remembers it, whichever commit was its last', async () => {
    const workflow = defineWorkflow({
      name: 'cut',
      handlers: { one: () => 1 },
      limits: { maxNodes: 2 },
      root: () => node({ handler: 'one' }),
      expand: ({ node: { depth } }) =>
        depth === 0 ? grow([node({ handler: 'one' }), node({ handler: 'one' })]) : stop(),
    })
    const calm = new FaultyStore()
    await new Orchestrator(workflow, { pool: processOf(calm, 0).pool, runId: 'r' }).run()
    for (let nth = 2; nth <= calm.commits; nth++) {
      const disk = new FaultyStore()
      const first = processOf(disk, 0)
      disk.onCommit = () => {
        if (disk.commits + 1 === nth) first.die()
      }
      const begun = new Orchestrator(workflow, { pool: first.pool, runId: 'r' })
      await Promise.race([begun.run().catch(() => {}), first.clock.advance(1)])
      await first.clock.settle()
      first.die()
      const outcome = await new Orchestrator(workflow, { pool: processOf(disk, 0).pool, runId: 'r' }).run()
      expect(outcome, `death at commit ${nth}`).toMatchObject({ status: 'completed', reason: 'limit' })
    }
  })

  test('that is taken up knows which nodes wait for which: with one that runs again those that it cancelled do', async () => {
    const disk = new FaultyStore()
    const workflow = defineWorkflow({
      name: 'waiting',
      handlers: {
        first: (input: number) => (input === 1 ? Promise.reject(new Error('not this way')) : input),
        last: () => 'last',
      },
      root: () => [
        node({ handler: 'first', key: 'first', input: 1 }),
        node({ handler: 'last', dependencies: ['first'] }),
      ],
      expand: (): Promise<undefined> => new Promise(() => {}),
    })
    const first = processOf(disk, 0)
    const begun = new Orchestrator(workflow, { pool: first.pool, runId: 'r' })
    void begun.run().catch(() => {})
    await new Promise<void>((resolve) => {
      first.pool.on('job.cancelled', () => resolve())
    })
    await first.clock.settle()
    first.die()
    const revising = {
      ...workflow,
      expand: ({ result }: ExpandRequest<unknown>) =>
        result.status === 'failed' ? revise({ input: 2 }) : stop(),
    }
    const outcome = await new Orchestrator(revising, { pool: processOf(disk, 0).pool, runId: 'r' }).run()
    expect(Object.values(outcome.tree.nodes).map(({ result }) => result?.value)).toEqual([2, 'last'])
  })

  test('that needs a handler that its workflow has no more is not taken up', async () => {
    const disk = new FaultyStore()
    const workflow = defineWorkflow({
      name: 'w',
      handlers: { idle: untilAborted },
      root: () => node({ handler: 'idle' }),
    })
    const first = processOf(disk, 1_000)
    void new Orchestrator(workflow, { pool: first.pool, runId: 'r' }).run().catch(() => {})
    await new Promise<void>((resolve) => {
      first.pool.on('job.started', () => resolve())
    })
    first.die()
    const { pool } = processOf(disk, 2_000)
    const again = new Orchestrator({ ...workflow, handlers: {} }, { pool, runId: 'r' }).run()
    await expect(again).rejects.toMatchObject({
      code: 'ESP_UNKNOWN_HANDLER',
      details: { of: 'the workflow', handler: 'idle', openJob: 'r.n0' },
    })
  })

  test('of another workflow does not lend its id', async () => {
    const disk = new FaultyStore()
    const { workflow, input } = counting(1)
    await runWorkflow(workflow, { store: disk.process().store, input, runId: 'r' })
    const other = defineWorkflow({ name: 'other', handlers: {}, root: () => [] })
    await expect(runWorkflow(other, { store: disk.process().store, runId: 'r' })).rejects.toMatchObject({
      code: 'ESP_INVALID_OPTION',
    })
  })

  test('whose input is no JSON is refused before it starts', async () => {
    const disk = new FaultyStore()
    const workflow = defineWorkflow({
      name: 'w',
      handlers: { one: () => 1 },
      root: () => node({ handler: 'one' }),
    })
    const run = runWorkflow(workflow, { store: disk.process().store, input: { at: new Date(0) } })
    await expect(run).rejects.toMatchObject({ code: 'ESP_NOT_STORABLE' })
    expect(disk.store.runs()).toEqual([])
  })
})

test('a run that is taken up goes on with the executor it was started with', async () => {
  const disk = new FaultyStore()
  const started: string[] = []
  const named = (name: string) => ({
    name,
    supports: {},
    refuses: () => undefined,
    start: ({ jobId }: { readonly jobId: string }) => void started.push(`${name} ${jobId}`),
  })
  const workflow = defineWorkflow({
    name: 'w',
    handlers: { one: () => 1 },
    root: () => node({ handler: 'one' }),
  })
  const options = { executors: [named('special')] } as unknown as JobPoolOptions
  const first = processOf(disk, 0, options)
  void new Orchestrator(workflow, { pool: first.pool, runId: 'r', executor: 'special' }).run()
  await first.clock.settle()
  first.die()
  const second = processOf(disk, 1_000, options)
  void new Orchestrator(workflow, { pool: second.pool, runId: 'r' }).run()
  await second.clock.settle()
  expect(started).toEqual(['special r.n0', 'special r.n0'])
})

test('a run that is going on in a pool is not begun a second time there, and answers when it has ended', async () => {
  const disk = new FaultyStore()
  const { workflow, input, ran } = counting(3)
  const { pool } = processOf(disk, 0)
  const options = { pool, input, runId: 'r' }
  const first = new Orchestrator(workflow, options).run()
  const second = new Orchestrator(workflow, options).run()
  await expect(second).rejects.toMatchObject({ code: 'ESP_RUN_ACTIVE' })
  const outcome = await first
  const { completed, failed, total } = pool.getStatus()
  const count = ran.length
  const again = await new Orchestrator(workflow, options).run()
  expect(shape(again)).toEqual(shape(outcome))
  expect(ran.length).toBe(count)
  expect(pool.getStatus()).toMatchObject({ completed, failed, total })
})

test('an ended job is counted once, however often the store is asked for it', async () => {
  const { pool, clock } = durablePool(new FaultyStore().process().store, { keep: { completed: 1 } as never })
  pool.submitJob({ id: 'a', execute: 'one' })
  await clock.settle()
  pool.submitJob({ id: 'b', execute: 'one' })
  await clock.settle()
  expect(pool.getStatus()).toMatchObject({ completed: 2, total: 2 })
  for (let index = 0; index < 3; index++) {
    expect(await pool.job('a')?.value()).toBe(1)
    expect(await pool.job('b')?.value()).toBe(1)
  }
  expect(pool.getStatus()).toMatchObject({ completed: 2, total: 2 })
})

test('a node with thousands of children is taken up as fast as thousands of roots', async () => {
  const wide = 15_000
  const handlers = { one: () => 1 }
  const leaves = () => Array.from({ length: wide }, () => node({ handler: 'one' }))
  const shared = { handlers, limits: { maxNodes: wide + 1, maxChildrenPerNode: wide } }
  const trees = [
    defineWorkflow({ ...shared, name: 'roots', root: leaves }),
    defineWorkflow({
      ...shared,
      name: 'children',
      root: () => node({ handler: 'one' }),
      expand: ({ node: { depth } }) => (depth === 0 ? grow(leaves()) : stop()),
    }),
  ]
  const times: number[] = []
  for (const workflow of trees) {
    const { store } = new FaultyStore()
    const run = () =>
      new Orchestrator(workflow, {
        pool: durablePool(store, { maxParallelJobs: 1_000 }).pool,
        runId: 'r',
      }).run()
    await run()
    const startedAt = performance.now()
    await run()
    times.push(performance.now() - startedAt)
  }
  const [roots = 0, children = 0] = times
  expect(children).toBeLessThan(roots * 3)
})
