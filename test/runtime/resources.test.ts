import type { JobPoolOptions, Resources } from 'espalier'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Demand, Holdings, ResourceLimits } from '../../src/domain/resources.ts'
import { type Queueable, ReadyQueue } from '../../src/runtime/scheduling/ready-queue.ts'
import { ResourceLines } from '../../src/runtime/scheduling/resource-lines.ts'
import { createHeld, createPool, expectRefusal } from './harness.ts'

function createLimited(limits: Resources, options: JobPoolOptions = {}) {
  const made = createPool({ maxParallelJobs: 10, limits, ...options })
  const held = createHeld()
  const submit = (id: string, resources?: Resources, rest: object = {}) =>
    made.pool.submitJob({ id, execute: held.execute, ...(resources && { resources }), ...rest })
  const heldOf = (name: string) => made.pool.getStatus().resources?.[name]?.held
  return { ...made, held, submit, heldOf, started: held.started }
}

describe('named limits', () => {
  test('hold, and hold up nobody else', async () => {
    const { clock, held, submit, started } = createLimited({ gpu: 1 })
    submit('g1', { gpu: 1 })
    submit('g2', { gpu: 1 })
    submit('free')
    submit('g3', { gpu: 1 })
    submit('c', { cpus: 0.5 })
    expect(started()).toEqual(['g1', 'free', 'c'])
    held.of('g1').resolve()
    await clock.settle()
    expect(started()).toEqual(['g1', 'free', 'c', 'g2'])
    held.of('g2').resolve()
    await clock.settle()
    expect(started().at(-1)).toBe('g3')
  })

  test('keep the order among those that want the same: a large demand is not starved by small ones', async () => {
    const { clock, held, submit, started } = createLimited({ api: 4 })
    submit('a', { api: 2 })
    submit('large', { api: 4 })
    submit('b', { api: 1 })
    submit('c', { api: 1 })
    expect(started()).toEqual(['a'])
    held.of('a').resolve()
    await clock.settle()
    expect(started()).toEqual(['a', 'large'])
    held.of('large').resolve()
    await clock.settle()
    expect(started()).toEqual(['a', 'large', 'b', 'c'])
  })

  test('go by priority and score there, too', async () => {
    const { clock, held, submit, started } = createLimited({ gpu: 1 })
    submit('first', { gpu: 1 })
    submit('low', { gpu: 1 }, { priority: 'low' })
    submit('normal', { gpu: 1 })
    submit('scored', { gpu: 1 }, { score: 5 })
    submit('critical', { gpu: 1, api: 0 }, { priority: 'critical' })
    for (const id of ['first', 'critical', 'scored', 'normal', 'low']) {
      expect(started().at(-1)).toBe(id)
      held.of(id).resolve()
      await clock.settle()
    }
  })

  test('do not overrule the priority of jobs that want nothing', async () => {
    const { clock, held, submit, started } = createLimited({ gpu: 1 }, { maxParallelJobs: 1 })
    submit('first')
    submit('g', { gpu: 1 })
    submit('high', undefined, { priority: 'high' })
    submit('later')
    for (const id of ['first', 'high', 'g', 'later']) {
      expect(started().at(-1)).toBe(id)
      held.of(id).resolve()
      await clock.settle()
    }
  })

  test('of several resources are taken together or not at all', async () => {
    const { clock, held, submit, started, heldOf } = createLimited({ gpu: 1, api: 1 })
    submit('g', { gpu: 1 })
    submit('both', { gpu: 1, api: 1 })
    submit('a', { api: 1 })
    // `both` waits for the GPU and goes before `a`: what it wants of the API is kept for it, and it holds nothing.
    expect(started()).toEqual(['g'])
    expect(heldOf('api')).toBe(0)
    held.of('g').resolve()
    await clock.settle()
    expect(started()).toEqual(['g', 'both'])
    held.of('both').resolve()
    await clock.settle()
    expect(started()).toEqual(['g', 'both', 'a'])
  })

  test('let age those that wait', async () => {
    const { clock, held, submit, started } = createLimited({ gpu: 1 }, { ageing: { afterMs: 100 } })
    submit('first', { gpu: 1 })
    submit('low', { gpu: 1 }, { priority: 'low' })
    await clock.advance(350)
    submit('normal', { gpu: 1 })
    held.of('first').resolve()
    await clock.settle()
    expect(started()).toEqual(['first', 'low'])
  })

  test('refuse what could never start, and change nothing', () => {
    const { pool } = createLimited({ gpu: 1 })
    const execute = () => 1
    expectRefusal(pool, 'ESP_RESOURCES_EXCEEDED', () => pool.submitJob({ execute, resources: { gpu: 2 } }))
    expectRefusal(pool, 'ESP_INVALID_OPTION', () => pool.submitJob({ execute, resources: { tpu: 1 } }))
    expectRefusal(pool, 'ESP_RESOURCES_EXCEEDED', () =>
      pool.submitJobs([{ execute }, { execute, resources: { memoryBytes: 1e15 } }]),
    )
  })

  test('are in the status, with what is held', () => {
    const { pool, submit } = createLimited({ gpu: 2, api: 4 })
    submit('a', { gpu: 1 })
    expect(pool.getStatus().resources).toMatchObject({
      gpu: { held: 1, limit: 2 },
      api: { held: 0, limit: 4 },
    })
    expect(createPool().pool.getStatus().resources).toBeUndefined()
  })
})

describe('what a job holds is free again', () => {
  const full = { gpu: 1 }

  test('when it is cancelled, waiting or running', async () => {
    const { pool, clock, held, submit, heldOf, started } = createLimited({ gpu: 1 })
    submit('running', full)
    submit('waiting', full)
    submit('next', full)
    pool.cancelJob('waiting')
    pool.cancelJob('running')
    expect(heldOf('gpu')).toBe(1)
    held.of('running').reject(new Error('stopped'))
    await clock.settle()
    expect(started()).toEqual(['running', 'next'])
    held.of('next').resolve()
    await clock.settle()
    expect(heldOf('gpu')).toBe(0)
  })

  test('between its attempts, and taken anew', async () => {
    const { clock, held, submit, heldOf, started } = createLimited(
      { gpu: 1 },
      { maxRetries: 1, backoff: { type: 'fixed', delayMs: 100 } },
    )
    submit('a', full)
    submit('b', full)
    held.of('a').reject(new Error('once'))
    await clock.settle()
    expect(started()).toEqual(['a', 'b'])
    await clock.advance(100)
    expect(started()).toEqual(['a', 'b'])
    held.of('b').resolve()
    await clock.settle()
    expect(started()).toEqual(['a', 'b', 'a'])
    expect(heldOf('gpu')).toBe(1)
  })

  test('when the zombie of its attempt ends, and not before', async () => {
    const { clock, held, submit, heldOf, started } = createLimited(
      { gpu: 1 },
      { timeoutMs: 100, killGraceMs: 10 },
    )
    submit('a', full)
    submit('b', full)
    await clock.advance(110)
    expect(heldOf('gpu')).toBe(1)
    expect(started()).toEqual(['a'])
    held.of('a').resolve()
    await clock.settle()
    expect(started()).toEqual(['a', 'b'])
    expect(heldOf('gpu')).toBe(1)
  })

  test('at once where zombies are released', async () => {
    const { clock, held, submit, heldOf, started } = createLimited(
      { gpu: 1 },
      { timeoutMs: 100, killGraceMs: 10, releaseZombies: true },
    )
    submit('a', full)
    submit('b', full)
    await clock.advance(110)
    expect(started()).toEqual(['a', 'b'])
    held.of('a').resolve()
    await clock.settle()
    expect(heldOf('gpu')).toBe(1)
    held.of('b').resolve()
    await clock.settle()
    expect(heldOf('gpu')).toBe(0)
  })

  test('after a shutdown', async () => {
    const { pool, clock, held, submit, heldOf } = createLimited({ gpu: 1 })
    submit('a', full)
    submit('b', full)
    const closing = pool.shutdown({ wait: false })
    held.of('a').resolve()
    await clock.settle()
    await closing
    expect(heldOf('gpu')).toBe(0)
  })
})

/** A job in a line. */
interface Waiting extends Queueable {
  readonly demand: Demand | undefined
  start(): void
}

const names = ['gpu', 'api', 'cpus'] as const
const limits = { gpu: 2, api: 3, cpus: 4 }
const demand = fc.record(
  {
    gpu: fc.integer({ min: 0, max: 2 }),
    api: fc.integer({ min: 0, max: 3 }),
    cpus: fc.integer({ min: 0, max: 4 }),
  },
  { requiredKeys: [] },
)
const steps = fc.array(
  fc.oneof(
    fc.record({ submit: demand, priority: fc.constantFrom('high', 'normal', 'low') }),
    fc.record({ end: fc.nat(20) }),
    fc.record({ cancel: fc.nat(20) }),
  ),
  { maxLength: 40 },
)

test('whatever is submitted, ended and cancelled: limits hold, order is kept for each resource, all jobs end', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const { pool, clock, held, submit } = createLimited(limits, { maxParallelJobs: 5 })
      const wanted = new Map<string, { resources: Resources; rank: number }>()
      const running = new Set<string>()
      pool.on('job.started', ({ jobId }) => {
        running.add(jobId)
        const { resources, rank } = wanted.get(jobId) as { resources: Resources; rank: number }
        for (const name of names) {
          const sum = [...running].reduce((total, id) => total + (wanted.get(id)?.resources[name] ?? 0), 0)
          expect(sum).toBeLessThanOrEqual(limits[name])
          expect(pool.getStatus().resources?.[name]?.held).toBe(sum)
          if (!resources[name]) continue
          // Nobody who goes before it waits for the same.
          for (const [id, other] of wanted) {
            if (other.rank < rank && other.resources[name]) expect(pool.job(id)?.status).not.toBe('queued')
          }
        }
      })
      for (const type of ['job.completed', 'job.failed', 'job.cancelled'] as const)
        pool.on(type, ({ jobId }) => void running.delete(jobId))
      const bands = ['high', 'normal', 'low']
      const ids: string[] = []
      for (const step of script) {
        if ('submit' in step) {
          const id = `j${ids.length}`
          wanted.set(id, { resources: step.submit, rank: bands.indexOf(step.priority) * 1_000 + ids.length })
          ids.push(id)
          submit(id, step.submit, { priority: step.priority })
        } else {
          const id = ids[('end' in step ? step.end : step.cancel) % Math.max(ids.length, 1)]
          if (id === undefined) continue
          if ('cancel' in step) pool.cancelJob(id)
          if (held.started().includes(id)) held.of(id).resolve()
        }
        await clock.settle()
      }
      while (pool.getStatus().running > 0) {
        for (const { resolve } of held.attempts) resolve()
        await clock.settle()
      }
      expect(pool.getStatus()).toMatchObject({ queued: 0, running: 0, total: ids.length })
      for (const name of names) expect(pool.getStatus().resources?.[name]?.held).toBe(0)
    }),
    { numRuns: 150 },
  )
})

test('a start looks at no more jobs when 100,000 wait than when 1,000 do', () => {
  const looksPerStart = (count: number): number => {
    const machine = { cores: 1, containerCpus: undefined, totalMemoryBytes: 1, availableMemoryBytes: 1 }
    const limits = new ResourceLimits({ api: 1, gpu: 1 }, () => machine)
    const holdings = new Holdings(limits)
    const lines = new ResourceLines<Waiting>(holdings, 0)
    let looks = 0
    const demands = [limits.demandOf('j', { api: 1 }), limits.demandOf('j', { gpu: 1 })] as Demand[]
    for (let sequence = 0; sequence < count; sequence++) {
      const demand = demands[sequence % 2] as Demand
      let isReady = true
      const job: Waiting = {
        band: 2,
        score: sequence % 7,
        sequence,
        demand,
        get isReady() {
          looks++
          return isReady
        },
        start: () => {
          isReady = false
        },
      }
      lines.add(job, demand, 0)
    }
    const others = new ReadyQueue<Waiting>()
    for (let started = 0; started < count; started++) {
      const job = lines.take(others, 0) as Waiting
      job.start()
      holdings.take(job.demand)
      holdings.giveBack(job.demand)
    }
    return looks / count
  }
  expect(looksPerStart(100_000)).toBeLessThanOrEqual(looksPerStart(1_000) * 1.01)
})
