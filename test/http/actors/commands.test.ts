import { describe, expect, test } from 'vitest'
import { createActor, createMachine, setup } from 'xstate'
import { BodyCharts } from '../../../src/http/feed/body-charts.ts'
import { createMemoryStore } from '../../../src/index.ts'
import type {
  ActorDetail,
  Chart,
  Command,
  CommandResult,
  JobDetail,
  JobPage,
} from '../../../src/protocol/index.ts'
import { Page, type Served, serve } from '../client.ts'

async function command(served: Served, body: Command): Promise<CommandResult> {
  const response = await fetch(`${served.origin}/api/commands`, {
    method: 'POST',
    headers: { ...served.bearer, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  const answer = await response.json()
  if (!response.ok) throw new Error((answer as { message: string }).message)
  return answer as CommandResult
}

const get = async <Answer>(served: Served, path: string): Promise<Answer> =>
  (await (await fetch(`${served.origin}/api/${path}`, { headers: served.bearer })).json()) as Answer

/** Runs until it is told to end. */
const untilAborted = ({ signal }: { readonly signal: AbortSignal }) =>
  new Promise((resolve) => signal.addEventListener('abort', resolve))

describe('a command', () => {
  test('pauses and resumes the pool, and changes its limit', async () => {
    await using served = await serve()
    await command(served, { type: 'pool.pause' })
    expect(served.pool.getHealth().isDispatching).toBe(false)
    await command(served, { type: 'pool.resume' })
    expect(served.pool.getHealth().isDispatching).toBe(true)
    await command(served, { type: 'pool.limit', maxParallelJobs: 7 })
    expect(served.pool.getStatus().maxParallelJobs).toBe(7)
    await expect(command(served, { type: 'pool.limit', maxParallelJobs: 0 })).rejects.toThrow(
      /ESP_BAD_REQUEST/,
    )
  })

  test('cancels jobs by id, and tells which it could not cancel and why', async () => {
    await using served = await serve()
    const running = served.pool.submitJob({ execute: untilAborted })
    const ended = served.pool.submitJob({ execute: () => 1 })
    await ended.result()
    const ids = [running.id, ended.id, 'nobody']
    const preview = await command(served, { type: 'jobs.cancel', jobs: { ids }, isPreview: true })
    expect(preview).toEqual({
      isPreview: true,
      done: 1,
      ids: [running.id],
      skipped: [
        { why: 'it has ended', count: 1, ids: [ended.id] },
        { why: 'it is not known, or not any more', count: 1, ids: ['nobody'] },
      ],
    })
    expect(running.status).toBe('running')
    const done = await command(served, { type: 'jobs.cancel', jobs: { ids }, reason: 'no use' })
    expect(done).toEqual({ ...preview, isPreview: false })
    expect(await running.result()).toMatchObject({ status: 'cancelled', reason: 'no use' })
  })

  test('cancels all that a filter finds', async () => {
    await using served = await serve({ maxParallelJobs: 1 })
    served.pool.submitJob({ id: 'first', execute: untilAborted })
    for (let index = 0; index < 5; index++) served.pool.submitJob({ id: `other-${index}`, execute: () => 1 })
    const { done } = await command(served, {
      type: 'jobs.cancel',
      jobs: { filter: { states: ['queued'], text: 'OTHER' } },
    })
    expect(done).toBe(5)
    expect(served.pool.getStatus()).toMatchObject({ cancelled: 5, running: 1 })
  })

  test('retries ended jobs as new ones, but none of a tree', async () => {
    await using served = await serve()
    let calls = 0
    const flaky = (value: number) => {
      if (calls++ === 0) throw new Error('not yet')
      return value
    }
    const failed = served.pool.submitJob({
      execute: flaky,
      args: [7],
      priority: 'high',
      nodeId: 'rate',
      treeId: 'nightly',
      metadata: { for: 'test' },
    })
    await failed.result()
    const { ids, done } = await command(served, { type: 'jobs.retry', jobs: { ids: [failed.id] } })
    expect(done).toBe(1)
    const again = await served.pool.waitForJob(ids[0] ?? '')
    expect(again).toMatchObject({
      ...{ status: 'completed', value: 7 },
      ...{ nodeId: 'rate', treeId: 'nightly', metadata: { for: 'test' } },
    })
  })

  test('retries a job with what it waited for and what it held', async () => {
    await using served = await serve({ limits: { gpu: 1 } })
    const { pool } = served
    pool.submitJob({ id: 'parent', execute: () => 7 })
    let isReady = false
    const failed = pool.submitJob({
      dependencies: ['parent'],
      execute: ({ parentResults }: { readonly parentResults: unknown }) => {
        if (!isReady) throw new Error('not yet')
        return parentResults
      },
      resources: { gpu: 1 },
    })
    await failed.result()
    isReady = true
    const holder = pool.submitJob({ execute: untilAborted, resources: { gpu: 1 } })
    const [id = ''] = (await command(served, { type: 'jobs.retry', jobs: { ids: [failed.id] } })).ids
    expect(pool.job(id)?.status).toBe('queued')
    holder.cancel()
    expect(await pool.waitForJob(id)).toMatchObject({ status: 'completed', value: { parent: 7 } })
  })

  test('retries a job of a store, by the name of its handler, as often as the pool is made anew', async () => {
    const store = createMemoryStore()
    let calls = 0
    const handlers = {
      flaky: ({ parentResults }: { readonly parentResults: unknown }) => {
        if (calls++ < 2) throw new Error('not yet')
        return parentResults
      },
      seven: () => 7,
    }
    {
      await using served = await serve({ store, handlers })
      served.pool.submitJob({ id: 'parent', execute: 'seven' })
      const tree = { nodeId: 'rate', treeId: 'nightly' }
      const first = { id: 'first', execute: 'flaky', dependencies: ['parent'], ...tree }
      await served.pool.submitJob(first).result()
      const { done } = await command(served, { type: 'jobs.retry', jobs: { ids: ['first'] } })
      expect(done).toBe(1)
      await served.pool.waitForAll()
    }
    await using served = await serve({ store, handlers })
    served.pool.job('first')
    const { ids, skipped } = await command(served, { type: 'jobs.retry', jobs: { ids: ['first'] } })
    expect(skipped).toEqual([])
    expect(await served.pool.waitForJob(ids[0] ?? '')).toMatchObject({
      status: 'completed',
      value: { parent: 7 },
      nodeId: 'rate',
      treeId: 'nightly',
    })
  })

  test('moves queued jobs to another priority', async () => {
    await using served = await serve({ maxParallelJobs: 1 })
    using page = new Page(served)
    const order: string[] = []
    served.pool.pause()
    for (const id of ['a', 'b']) served.pool.submitJob({ id, execute: () => order.push(id) })
    await command(served, { type: 'jobs.prioritise', jobs: { ids: ['b'] }, priority: 'critical' })
    served.pool.resume()
    await served.pool.waitForAll()
    expect(order).toEqual(['b', 'a'])
    await page.until(() => page.model.jobs.priority.length === 2 && page.model.jobs.priority.get(1) === 0)
  })

  test('sends an actor only what a person may decide', async () => {
    await using served = await serve()
    const job = served.pool.submitJob({ execute: untilAborted })
    const event = { type: 'attempt.completed', at: 0, attempt: 1, value: 'forged' }
    await expect(command(served, { type: 'actor.send', actor: job.id, event })).rejects.toThrow(
      /ESP_EVENT_REFUSED/,
    )
    await command(served, { type: 'actor.send', actor: job.id, event: { type: 'job.cancel' } })
    expect((await job.result()).status).toBe('cancelled')
    await command(served, { type: 'actor.send', actor: 'pool', event: { type: 'pool.pause' } })
    expect(served.pool.getStatus().states).toMatchObject({ dispatch: 'paused' })
  })
})

describe('a job whose body is a machine', () => {
  const approval = setup({ types: { events: {} as { type: 'approve' } | { type: 'reject' } } }).createMachine(
    {
      initial: 'waiting',
      states: {
        waiting: { on: { approve: 'approved', reject: 'rejected' } },
        approved: { type: 'final' },
        rejected: { type: 'final' },
      },
    },
  )

  test('shows what it waits for, and takes that and nothing else', async () => {
    await using served = await serve()
    const job = served.pool.submitJob({ id: 'deploy', executor: 'machine', execute: { logic: approval } })
    const detail = await get<JobDetail>(served, 'jobs/deploy')
    expect(detail.actor.accepts).toEqual(['job.cancel', 'approve', 'reject'])
    expect(detail.body).toMatchObject({ value: 'waiting', status: 'active' })
    await expect(
      command(served, { type: 'actor.send', actor: 'deploy', event: { type: 'launch' } }),
    ).rejects.toThrow(/ESP_EVENT_REFUSED/)
    await command(served, { type: 'actor.send', actor: 'deploy', event: { type: 'approve' } })
    expect((await job.result()).status).toBe('completed')
  })
})

describe('the chart of a machine that jobs run', () => {
  const lamp = setup({ types: { events: {} as { type: 'toggle' } } }).createMachine({
    id: 'lamp',
    initial: 'off',
    states: { off: { on: { toggle: 'on' } }, on: { on: { toggle: { target: 'off' } } } },
  })

  test('is laid out, and tells by its ids where the actor is', async () => {
    await using served = await serve()
    served.pool.submitJob({ id: 'lit', executor: 'machine', execute: { logic: lamp } })
    served.pool.submitJob({ id: 'plain', execute: untilAborted })
    const chart = await get<Chart>(served, 'actors/lit/chart')
    expect(chart.down.nodes.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['lamp', 'lamp.off', 'lamp.on']),
    )
    expect(chart.right.edges.every(({ points }) => points.length > 1)).toBe(true)
    const { body } = await get<ActorDetail>(served, 'actors/lit')
    expect(body?.active).toEqual(['lamp', 'lamp.off'])
    await command(served, { type: 'actor.send', actor: 'lit', event: { type: 'toggle' } })
    expect((await get<ActorDetail>(served, 'actors/lit')).body?.active).toEqual(['lamp', 'lamp.on'])
    expect(await get<object>(served, 'actors/plain/chart')).toMatchObject({ code: 'ESP_NOT_THERE' })
    expect(await get<object>(served, 'actors/nobody/chart')).toMatchObject({ code: 'ESP_NOT_THERE' })
  })

  test('is laid out once for all machines that are drawn alike', async () => {
    const laidOut: string[] = []
    const charts = new BodyCharts(async (machine) => {
      laidOut.push(machine)
      return { id: machine, hash: '', down: EMPTY, right: EMPTY }
    })
    const lampAgain = lamp.provide({})
    await Promise.all([lamp, lamp, lampAgain].map((logic) => charts.chartOf(createActor(logic))))
    expect(laidOut).toEqual(['lamp'])
  })

  test('is refused when nobody could read it', () => {
    const states = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`s${index}`, {}]))
    const charts = new BodyCharts(async () => {
      throw new Error('must not be asked')
    })
    expect(() => charts.chartOf(createActor(createMachine({ initial: 's0', states })))).toThrow(/at most 300/)
  })
})

const EMPTY = { width: 0, height: 0, nodes: [], edges: [] }

describe('the list of jobs', () => {
  test('is filtered, sorted and paged, and its facets add up', async () => {
    await using served = await serve()
    const fail = () => {
      throw new Error('Out of luck')
    }
    for (let index = 0; index < 6; index++)
      served.pool.submitJob({ id: `job-${index}`, execute: index % 3 === 0 ? fail : () => 1 })
    await served.pool.waitForAll()
    const first = await get<JobPage>(served, 'jobs?limit=4&sort=oldest')
    expect(first.jobs.map(({ id }) => id)).toEqual(['job-0', 'job-1', 'job-2', 'job-3'])
    const second = await get<JobPage>(served, `jobs?limit=4&sort=oldest&after=${first.next}`)
    expect(second.jobs.map(({ id }) => id)).toEqual(['job-4', 'job-5'])
    expect(second.next).toBeUndefined()
    expect(first.facets.states).toEqual({ completed: 4, failed: 2 })
    const found = await get<JobPage>(served, 'jobs?text=out%20of%20LUCK')
    expect(found.jobs.map(({ id, error }) => [id, error])).toEqual([
      ['job-3', 'Out of luck'],
      ['job-0', 'Out of luck'],
    ])
    expect([found.total, found.known]).toEqual([2, 6])
    expect(await get<{ code: string }>(served, 'jobs?limit=0')).toMatchObject({ code: 'ESP_BAD_REQUEST' })
  })
})

describe('the detail of a job', () => {
  test('tells why it waits', async () => {
    await using served = await serve({ maxParallelJobs: 1 })
    const first = served.pool.submitJob({ execute: untilAborted })
    const blocked = served.pool.submitJob({ execute: () => 1, dependencies: [first] })
    const ready = served.pool.submitJob({ execute: () => 1 })
    const urgent = served.pool.submitJob({ execute: () => 1, priority: 'high' })
    const delayed = served.pool.submitJob({ execute: () => 1, delayMs: 60_000 })
    const waitsOf = async (id: string) => (await get<JobDetail>(served, `jobs/${id}`)).waits
    expect(await waitsOf(first.id)).toBeUndefined()
    expect(await waitsOf(blocked.id)).toEqual({ for: 'dependencies', outstanding: 1, ids: [first.id] })
    expect(await waitsOf(ready.id)).toEqual({ for: 'slot', position: 2, ready: 2 })
    expect(await waitsOf(urgent.id)).toEqual({ for: 'slot', position: 1, ready: 2 })
    expect(await waitsOf(delayed.id)).toMatchObject({ for: 'instant' })
    served.pool.pause()
    expect(await waitsOf(ready.id)).toEqual({ for: 'pool', dispatch: 'paused' })
  })

  test('is bounded and harmless, whatever the job carries', async () => {
    await using served = await serve()
    const cyclic: Record<string, unknown> = {
      big: 'x'.repeat(100_000),
      script: '</script><img onerror=alert(1)>',
    }
    cyclic.self = cyclic
    const hostile = {
      get thrown(): never {
        throw new Error('no')
      },
    }
    const args = [cyclic, hostile, 10n, () => 1, Symbol('s'), new Map([[1, 2]]), Number.NaN]
    const job = served.pool.submitJob({ id: 'a/b?c#d', execute: () => 1, args })
    await job.result()
    const detail = await get<JobDetail>(served, `jobs/${encodeURIComponent(job.id)}`)
    expect(detail.args.isCut).toBe(true)
    expect(detail.args.text.length).toBeLessThanOrEqual(16 * 1024)
    const full = await get<JobDetail>(served, `jobs/${encodeURIComponent(job.id)}?full=1`)
    expect(full.args.isCut).toBe(false)
    expect(JSON.parse(full.args.text)).toEqual([
      { ...cyclic, self: '[Circular]' },
      expect.anything(),
      '10n',
      expect.stringContaining('Function'),
      'Symbol(s)',
      'Map(1) { 1 => 2 }',
      'NaN',
    ])
  })
})
