import { type Attempt, type AttemptSink, EspalierError, type Executor, JobPool } from 'espalier'
import { describe, expect, test } from 'vitest'
import { createPool, expectRefusal, obedient, RecordingLogger, recordEvents, typesOf } from './harness.ts'

/** An executor whose attempts the test ends. */
function createManual(supports: Executor['supports'] = {}, more: Partial<Executor> = {}) {
  const started: Attempt[] = []
  let sink: AttemptSink | undefined
  const executor: Executor = {
    name: 'manual',
    supports,
    refuses: () => undefined,
    start: (attempt, given) => {
      sink = given
      started.push(attempt)
    },
    ...more,
  }
  const report = (): AttemptSink => sink as AttemptSink
  return { executor, started, report }
}

const execute = () => 0

describe('a job that names an executor', () => {
  test('runs on it, beside jobs of the default one, under one limit', async () => {
    const { executor, started, report } = createManual()
    const { pool } = createPool({ maxParallelJobs: 1, executors: [executor] })
    const named = pool.submitJob({ execute, executor: 'manual' })
    const other = pool.submitJob({ execute: () => 'here' })
    expect([named.status, other.status]).toEqual(['running', 'queued'])
    report().completed(started[0] as Attempt, 'there')
    expect([await named.value(), await other.value()]).toEqual(['there', 'here'])
  })

  test('is refused when the pool does not know it', () => {
    const { pool } = createPool({ executors: [createManual().executor] })
    const refusal = expectRefusal(pool, 'ESP_UNKNOWN_EXECUTOR', () =>
      pool.submitJob({ execute, executor: 'elsewhere' }),
    )
    expect(refusal.message).toContain('manual')
  })

  test('is refused when it asks for what the executor does not support', () => {
    const { pool } = createPool()
    for (const wish of [{ memoryLimitBytes: 1e9 }, { transfer: [] }])
      expectRefusal(pool, 'ESP_UNSUPPORTED', () => pool.submitJob({ execute, ...wish }))
  })

  test('gets its own memory limit, or else the pool’s', () => {
    const { executor, started } = createManual({ memoryLimit: true })
    const { pool } = createPool({ executorType: executor, memoryLimitBytes: 2 ** 30 })
    pool.submitJob({ execute })
    pool.submitJob({ execute, memoryLimitBytes: 2 ** 20 })
    expect(started.map(({ memoryLimitBytes }) => memoryLimitBytes)).toEqual([2 ** 30, 2 ** 20])
  })
})

test.each(['executors', 'memoryLimitBytes'])('a bad %s is refused', (option) => {
  for (const value of [0, {}, [{}], 'thread', null])
    expect(() => new JobPool({ [option]: value as never })).toThrow(EspalierError)
})

describe('the result', () => {
  test.each(['completed', 'failed', 'lost', 'rejected'] as const)(
    'of a %s attempt has its usage',
    async (verb) => {
      const { executor, started, report } = createManual()
      const { pool } = createPool({ executorType: executor, maxLost: 0 })
      const job = pool.submitJob({ execute })
      const usage = { cpuMs: 5, peakMemoryBytes: 9 }
      report()[verb](started[0] as Attempt, 'word', usage)
      expect((await job.result()).usage).toEqual(usage)
    },
  )

  test('of a lost attempt tells how it was lost', async () => {
    const { executor, started, report } = createManual()
    const { pool } = createPool({ executorType: executor, maxLost: 0 })
    const job = pool.submitJob({ execute })
    report().lost(started[0] as Attempt, 'its process was killed by SIGSEGV')
    expect((await job.result()).error?.message).toContain('was lost: its process was killed by SIGSEGV.')
  })
})

describe('what an attempt says', () => {
  test('reaches the pool’s events until 1,048,576 characters of a stream have passed', () => {
    const { executor, started, report } = createManual()
    const { pool } = createPool({ executorType: executor })
    const events = recordEvents(pool)
    pool.submitJob({ execute })
    const [attempt] = started as [Attempt]
    const write = (stream: 'stdout' | 'stderr', chunk: string) => report().output(attempt, stream, chunk)
    expect(write('stdout', 'x'.repeat(1_048_575))).toBe(true)
    expect(write('stdout', 'yz')).toBe(false)
    expect(write('stdout', 'more')).toBe(false)
    expect(write('stderr', 'w')).toBe(true)
    const outputs = events.filter((event) => event.type === 'job.output')
    expect(outputs.map(({ stream, chunk, truncated }) => [stream, chunk.at(-1), truncated])).toEqual([
      ['stdout', 'x', false],
      ['stdout', 'y', true],
      ['stderr', 'w', false],
    ])
  })

  test('in its log is capped too', async () => {
    const { pool } = createPool()
    const events = recordEvents(pool)
    const job = pool.submitJob({
      execute: ({ log }) => {
        for (let line = 0; line < 5; line++) log('x'.repeat(500_000))
      },
    })
    await job.result()
    const lines = events.filter((event) => event.type === 'job.log')
    expect(lines.map(({ line, truncated }) => [line.length, truncated])).toEqual([
      [500_000, false],
      [500_000, false],
      [48_576, true],
    ])
  })

  test('of its progress is capped too', async () => {
    const { pool } = createPool()
    const events = recordEvents(pool)
    const job = pool.submitJob({
      execute: ({ progress }) => {
        for (let step = 0; step < 20_000; step++) progress(step / 20_000, 'n'.repeat(1_001))
      },
    })
    await job.result()
    const steps = events.filter((event) => event.type === 'job.progress')
    expect([steps.length, steps[0]?.note?.length]).toEqual([10_001, 1_000])
    expect(steps.filter(({ truncated }) => truncated)).toEqual(steps.slice(-1))
  })
})

describe('an executor that ends attempts by force', () => {
  test('is told how long the grace is, and has time to confirm the end after it', async () => {
    const graces: number[] = []
    const manual = createManual({ forcedStop: true }, { stop: (_, killGraceMs) => graces.push(killGraceMs) })
    const { pool, clock } = createPool({
      executorType: manual.executor,
      killGraceMs: 100,
      timeoutMs: 10,
      maxRetries: 1,
    })
    const job = pool.submitJob({ execute })
    await clock.advance(10)
    expect(graces).toEqual([100])
    await clock.advance(150)
    expect(job.status).toBe('running')
    manual.report().lost(manual.started[0] as Attempt)
    expect(job.getSnapshot().value).toEqual({ queued: 'delayed' })
  })
})

describe('shutting a pool down', () => {
  test('closes the executors it has used, after all jobs have ended', async () => {
    const order: string[] = []
    const { executor } = createManual(
      {},
      {
        close: async () => void order.push('closed'),
      },
    )
    const { pool } = createPool({ executors: [executor] })
    pool.on('job.cancelled', () => order.push('cancelled'))
    pool.submitJob({ execute: obedient })
    await pool.shutdown({ wait: false })
    await pool.shutdown()
    expect(order).toEqual(['cancelled', 'closed'])
  })

  test('survives an executor that cannot close', async () => {
    const logger = new RecordingLogger()
    const close = () => {
      throw new Error('stuck')
    }
    const { executor } = createManual({}, { close })
    const { pool } = createPool({ executorType: executor, logger })
    await pool.shutdown()
    expect(logger.at('error')).toEqual(['The executor "manual" threw when it was closed.'])
  })

  test('does not wait for ever for one that does not', async () => {
    const { executor } = createManual({}, { close: () => new Promise(() => {}) })
    const { pool, clock, logger } = createPool({ executorType: executor })
    const ended = pool.shutdown()
    await clock.advance(5_000)
    await ended
    expect(logger.at('warn')).toEqual(['The executor "manual" did not close within 5000 ms.'])
    expect(typesOf(recordEvents(pool))).toEqual([])
  })
})
