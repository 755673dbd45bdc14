import { defineWorkflow, JobPool, type JobPoolOptions, type JobSpec, Orchestrator } from 'espalier'
import { describe, expect, test } from 'vitest'
import { createHeld, createPool, expectRefusal, never, RecordingLogger } from './harness.ts'

const ok = () => 1
const junkNumbers = [Number.NaN, Number.POSITIVE_INFINITY, -1, '5', null, {}]

/** A pool with a job in it, to see that a refusal changes nothing. */
const createUsedPool = () => {
  const used = createPool({ maxParallelJobs: 1 })
  used.pool.submitJob({ id: 'known', execute: never })
  used.pool.submitJob({ id: 'waiting', execute: never })
  return used
}

describe('a bad option of the pool is refused, by name', () => {
  const refuse = (options: unknown, code: string, words: string) => {
    expect(() => new JobPool({ logger: new RecordingLogger(), ...(options as JobPoolOptions) })).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) }),
    )
  }
  const numbers = {
    maxParallelJobs: [0, 1.5, ...junkNumbers],
    callbackTimeoutMs: [0, ...junkNumbers],
    timeoutMs: [0, ...junkNumbers],
    killGraceMs: junkNumbers,
    memoryLimitBytes: [0, 0.5, ...junkNumbers],
    maxRetries: [0.5, ...junkNumbers],
    maxLost: [0.5, ...junkNumbers],
  }
  const cases = Object.entries(numbers).flatMap(([option, values]) =>
    values.map((value) => [option, value] as const),
  )

  test.each(cases)('%s: %o', (option, value) => {
    refuse({ [option]: value }, 'ESP_INVALID_OPTION', `"${option}"`)
  })

  test.each([
    ['backoff.type', { backoff: { type: 'linear', delayMs: 1 } }],
    ['backoff.delayMs', { backoff: { type: 'fixed' } }],
    ['backoff.delayMs', { backoff: { type: 'fixed', delayMs: -1 } }],
    ['backoff.maxDelayMs', { backoff: { type: 'fixed', delayMs: 1, maxDelayMs: Number.NaN } }],
    ['backoff.jitter', { backoff: { type: 'fixed', delayMs: 1, jitter: 1.01 } }],
    ['backoff.jitter', { backoff: { type: 'fixed', delayMs: 1, jitter: -0.1 } }],
    ['backoff', { backoff: null }],
    ['backoff', { backoff: 'fixed' }],
    ['ageing.afterMs', { ageing: { afterMs: 0 } }],
    ['ageing', { ageing: null }],
    ['ageing.afterMs', { ageing: {} }],
    ['enableCallbacks', { enableCallbacks: 'no' }],
    ['enableCallbacks', { enableCallbacks: null }],
    ['releaseZombies', { releaseZombies: 1 }],
    ['releaseZombies', { releaseZombies: null }],
    ['limits', { limits: null }],
    ['limits', { limits: [4] }],
    ['limits', { limits: new Map([['gpu', 1]]) }],
    ['limits.gpu', { limits: { gpu: null } }],
    ['pressure', { pressure: null }],
    ['pressure', { pressure: [] }],
    ['pressure', { pressure: new Map([['cpuLoad', 4]]) }],
    ['pressure.cpuLoad', { pressure: { cpuLoad: null } }],
    ['pressure.cpuLoad', { pressure: { cpuLoad: 'high' } }],
    ['pressure.sampleMs', { pressure: { sampleMs: null } }],
    ['host', { host: null }],
    ['host', { host: { capacity: () => ({}) } }],
    ['logger', { logger: null }],
    ['logger', { logger: console.log }],
    ['logger', { logger: { warn: () => {}, error: () => {} } }],
    ['keep.completed.count', { keep: -1 }],
    ['keep.completed.count', { keep: { completed: 1.5 } }],
    ['keep.failed.count', { keep: { failed: { count: Number.NaN } } }],
    ['keep.cancelled.ageMs', { keep: { cancelled: { ageMs: -1 } } }],
    ['keep', { keep: null }],
    ['keep.failed', { keep: { failed: null } }],
    ['executorType', { executorType: null }],
    ['executorType', { executorType: 5 }],
    ['executorType', { executorType: {} }],
    ['signal', { signal: {} }],
    ['keep', { keep: 'all' }],
    ['keep.failed', { keep: { failed: 'all' } }],
    ['clock', { clock: { now: () => 0 } }],
    ['clock', { clock: 'fast' }],
    ['clock', { clock: null }],
    ['random', { random: Math.random }],
    ['random', { random: null }],
    ['ids', { ids: {} }],
    ['ids', { ids: null }],
    ['inspect', { inspect: 'everything' }],
    ['inspect', { inspect: { next: true } }],
    ['inspect', { inspect: null }],
    ['handlers.a', { handlers: { b: ok, a: 1 } }],
    ['handlers.a', { handlers: { a: 'load.ts' } }],
    ['handlers.a', { handlers: { a: null } }],
    ['handlers.a', { handlers: { a: undefined } }],
    ['handlers.a', { handlers: { a: [ok] } }],
    ['handlers', { handlers: new Map([['a', ok]]) }],
    ['handlers', { handlers: [ok] }],
    ['handlers', { handlers: null }],
  ])('%s: %o', (option, options) => {
    refuse(options, 'ESP_INVALID_OPTION', `"${option}"`)
  })

  test('a name that is no option, with what was meant', () => {
    refuse({ maxParalelJobs: 3 }, 'ESP_UNKNOWN_OPTION', 'Did you mean "maxParallelJobs"?')
    refuse({ backoff: { type: 'fixed', delayMs: 1, jiter: 1 } }, 'ESP_UNKNOWN_OPTION', '"jitter"')
    refuse({ ageing: { afterMS: 5 } }, 'ESP_UNKNOWN_OPTION', 'Did you mean "afterMs"?')
    refuse({ keep: { complete: 5 } }, 'ESP_UNKNOWN_OPTION', 'Did you mean "completed"?')
    refuse({ keep: { failed: { ageMS: 5 } } }, 'ESP_UNKNOWN_OPTION', 'Did you mean "ageMs"?')
  })

  test('an executor that nobody knows', () => {
    refuse({ executorType: 'gpu' }, 'ESP_UNKNOWN_EXECUTOR', '"gpu"')
  })

  test('options that are none at all', () => {
    for (const options of [null, 5, 'fast']) {
      expect(() => new JobPool(options as never)).toThrow(
        expect.objectContaining({ code: 'ESP_INVALID_OPTION' }),
      )
    }
  })

  test('an absent option is not a bad one', () => {
    expect(() => new JobPool({ timeoutMs: undefined } as never)).not.toThrow()
  })
})

describe('bad options of a call are refused, and change nothing', () => {
  test.each([
    [{ wiat: false }, 'ESP_UNKNOWN_OPTION', '"wait"'],
    [{ timeout: 5 }, 'ESP_UNKNOWN_OPTION', '"timeoutMs"'],
    [{ wait: 'no' }, 'ESP_INVALID_OPTION', '"wait"'],
    [{ timeoutMs: -1 }, 'ESP_INVALID_OPTION', '"timeoutMs"'],
    [null, 'ESP_INVALID_OPTION', '"options"'],
  ])('shutdown(%o)', async (options, code, words) => {
    const { pool } = createUsedPool()
    await expect(pool.shutdown(options as never)).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) }),
    )
    expect(pool.getHealth().isAccepting).toBe(true)
  })

  test('waitForJob and waitForAll', async () => {
    const { pool } = createUsedPool()
    const refusal = expect.objectContaining({ code: 'ESP_UNKNOWN_OPTION' })
    await expect(pool.waitForJob('known', { timeout: 5 } as never)).rejects.toThrow(refusal)
    await expect(pool.waitForAll({ timeout: 5 } as never)).rejects.toThrow(refusal)
  })
})

describe('a listener that would never be called is refused', () => {
  const refuse =
    (target: { on(type: never, listener: never): unknown }) => (type: unknown, given: unknown) => {
      try {
        target.on(type as never, given as never)
      } catch (error) {
        return error
      }
      throw new Error('Expected the listener to be refused, but it was taken.')
    }
  const pool = new JobPool()
  const workflow = defineWorkflow({ name: 'w', handlers: { a: ok }, root: () => [] })
  const run = new Orchestrator(workflow, { pool })

  test.each([
    ['of a pool', refuse(pool), 'job.started', 'job.stared'],
    ['of a run', refuse(run), 'node.added', 'node.aded'],
  ])('%s', (_, refusalOf, type, mistyped) => {
    for (const unknown of [mistyped, 'nope', '', 5, null, undefined, {}, 'toString'])
      expect(refusalOf(unknown, ok)).toMatchObject({
        code: 'ESP_INVALID_OPTION',
        details: { option: 'type' },
      })
    expect(refusalOf(mistyped, ok)).toMatchObject({
      message: expect.stringContaining(`Did you mean "${type}"?`),
    })
    for (const listener of [5, null, undefined, {}, 'log']) {
      for (const known of [type, '*'])
        expect(refusalOf(known, listener)).toMatchObject({
          code: 'ESP_INVALID_OPTION',
          details: { option: 'listener' },
        })
    }
  })
})

describe('a bad spec is refused, and changes nothing', () => {
  const bad: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ...junkNumbers.map((delayMs) => ['delayMs', { delayMs }, 'ESP_INVALID_OPTION'] as const),
    ...[0, ...junkNumbers].map((timeoutMs) => ['timeoutMs', { timeoutMs }, 'ESP_INVALID_OPTION'] as const),
    ...[0.5, ...junkNumbers].map(
      (maxRetries) => ['maxRetries', { maxRetries }, 'ESP_INVALID_OPTION'] as const,
    ),
    ...[Number.NaN, Number.POSITIVE_INFINITY, '1', null].map(
      (score) => ['score', { score }, 'ESP_INVALID_OPTION'] as const,
    ),
    ...['', 'x'.repeat(201), 5, null, {}].map((id) => ['id', { id }, 'ESP_INVALID_OPTION'] as const),
    ...['', 'x'.repeat(201), 5, null, {}].flatMap((id) => [
      ['nodeId', { nodeId: id }, 'ESP_INVALID_OPTION'] as const,
      ['treeId', { treeId: id }, 'ESP_INVALID_OPTION'] as const,
    ]),
    ...[5, null, {}, Symbol('key')].map(
      (dedupeKey) => ['dedupeKey', { dedupeKey }, 'ESP_INVALID_OPTION'] as const,
    ),
    ['backoff.type', { backoff: { type: 'linear', delayMs: 1 } }, 'ESP_INVALID_OPTION'],
    ['backoff', { backoff: null }, 'ESP_INVALID_OPTION'],
    ['args', { args: 'abc' }, 'ESP_INVALID_OPTION'],
    ['args', { args: { length: 1 } }, 'ESP_INVALID_OPTION'],
    ['args', { args: null }, 'ESP_INVALID_OPTION'],
    ['callback', { callback: 'later' }, 'ESP_INVALID_OPTION'],
    ['dependencies', { dependencies: 'known' }, 'ESP_INVALID_OPTION'],
    ['dependencies', { dependencies: { id: 'known', length: 1 } }, 'ESP_INVALID_OPTION'],
    ['dependencies', { dependencies: new Set(['known']) }, 'ESP_INVALID_OPTION'],
    ['dependencies', { dependencies: null }, 'ESP_INVALID_OPTION'],
    ['dependencies', { dependencies: '' }, 'ESP_INVALID_OPTION'],
    ['dependencies', { dependencies: () => [] }, 'ESP_INVALID_OPTION'],
    ['dependencies', { dependencies: { length: 0 } }, 'ESP_INVALID_OPTION'],
    ['dependencies', { dependencies: [undefined] }, 'ESP_INVALID_OPTION'],
    ...[null, 5, {}, [], () => 1, Symbol('thread')].map(
      (executor) => ['executor', { executor }, 'ESP_INVALID_OPTION'] as const,
    ),
    ['onDependencyFailure', { onDependencyFailure: 'maybe' }, 'ESP_INVALID_OPTION'],
    ['prioritty', { prioritty: 'high' }, 'ESP_UNKNOWN_OPTION'],
    ['urgent', { priority: 'urgent' }, 'ESP_UNKNOWN_PRIORITY'],
    ['2', { priority: 2 }, 'ESP_UNKNOWN_PRIORITY'],
    ['null', { priority: null }, 'ESP_UNKNOWN_PRIORITY'],
    ['toString', { priority: 'toString' }, 'ESP_UNKNOWN_PRIORITY'],
    ['a function', { execute: undefined }, 'ESP_MISSING_HANDLER'],
    ["one of the pool's handlers (none)", { execute: 'handlerName' }, 'ESP_UNKNOWN_HANDLER'],
    ["'thread' or 'process'", { execute: { module: '/x.js' } }, 'ESP_MISSING_HANDLER'],
    ["the executor 'command'", { execute: { command: 'ls' } }, 'ESP_MISSING_HANDLER'],
    ["the executor 'machine'", { execute: { logic: {} } }, 'ESP_MISSING_HANDLER'],
    ["'thread' or 'process'", { executor: 'command', execute: { module: '/x.js' } }, 'ESP_MISSING_HANDLER'],
    [
      'Pass `{ module, export }`',
      { executor: 'thread', execute: { module: './x.js' } },
      'ESP_MISSING_HANDLER',
    ],
    [
      'without `exports`',
      { executor: 'thread', execute: { module: '/x.js', exports: 'work' } },
      'ESP_MISSING_HANDLER',
    ],
    [
      'without `args`',
      { executor: 'process', execute: { module: '/x.js', export: 'work', args: [1] } },
      'ESP_MISSING_HANDLER',
    ],
    ['gpu', { executor: 'gpu' }, 'ESP_UNKNOWN_EXECUTOR'],
    ['known', { id: 'known' }, 'ESP_DUPLICATE_JOB'],
    ['me → me', { id: 'me', dependencies: ['me'] }, 'ESP_DEPENDENCY_SELF'],
    ['nobody', { id: 'me', dependencies: ['known', 'nobody'] }, 'ESP_DEPENDENCY_UNKNOWN'],
  ]

  test.each(bad)('%s: %o', (words, spec, code) => {
    const { pool } = createUsedPool()
    const whole = { execute: ok, ...spec } as unknown as JobSpec
    const error = expectRefusal(pool, code as never, () => pool.submitJob(whole))
    expect(error.message).toContain(words)
    expectRefusal(pool, code as never, () => pool.submitJobs([{ execute: ok }, whole, { execute: ok }]))
  })

  test.each([null, undefined])('a spec that is none at all: %o', (spec) => {
    const { pool } = createUsedPool()
    expectRefusal(pool, 'ESP_INVALID_OPTION', () => pool.submitJob(spec as never))
    expectRefusal(pool, 'ESP_INVALID_OPTION', () => pool.submitJobs([spec] as never))
  })

  test.each([null, { id: 'a', execute: ok }])('a batch that is none at all: %o', (specs) => {
    const { pool } = createUsedPool()
    expectRefusal(pool, 'ESP_INVALID_OPTION', () => pool.submitJobs(specs as never))
  })

  test('a job of another pool as a dependency', () => {
    const { pool } = createUsedPool()
    const other = createPool({ ids: { next: () => 'foreign' } }).pool.submitJob({ execute: ok })
    expectRefusal(pool, 'ESP_DEPENDENCY_UNKNOWN', () =>
      pool.submitJob({ execute: ok, dependencies: [other] }),
    )
  })
})

describe('an id that is no string is refused, and changes nothing', () => {
  test.each([5, null, undefined, {}, Object.create(null), Symbol('id')])('%o', async (given) => {
    const { pool } = createUsedPool()
    const id = given as string
    expectRefusal(pool, 'ESP_INVALID_OPTION', () => pool.job(id))
    expectRefusal(pool, 'ESP_INVALID_OPTION', () => pool.cancelJob(id))
    expectRefusal(pool, 'ESP_INVALID_OPTION', () => pool.prioritiseJob(id, 'high'))
    expectRefusal(pool, 'ESP_INVALID_OPTION', () => pool.explain(id))
    await expect(pool.waitForJob(id)).rejects.toMatchObject({ code: 'ESP_INVALID_OPTION' })
  })
})

describe('what is no event is refused, and changes nothing', () => {
  test.each([null, undefined, 5, 'job.cancel', {}, { type: 5 }, { type: null }, []])('%o', (event) => {
    const { pool } = createUsedPool()
    for (const id of ['known', 'waiting'])
      expectRefusal(pool, 'ESP_INVALID_OPTION', () => pool.job(id)?.send(event as never))
    expect(pool.cancelJob('waiting')).toBe(true)
    expect(pool.job('waiting')?.status).toBe('cancelled')
  })
})

describe('a bad batch is refused as a whole', () => {
  test('with an id twice', () => {
    const { pool } = createUsedPool()
    const specs = ['a', 'b', 'a'].map((id) => ({ id, execute: ok }))
    expect(expectRefusal(pool, 'ESP_DUPLICATE_JOB', () => pool.submitJobs(specs)).message).toContain('"a"')
    expect(pool.job('a')).toBeUndefined()
  })

  test('with an id that is known already', () => {
    const { pool } = createUsedPool()
    expectRefusal(pool, 'ESP_DUPLICATE_JOB', () =>
      pool.submitJobs([{ execute: ok }, { id: 'known', execute: ok }]),
    )
  })

  test('with a cycle, whose path it names', () => {
    const { pool } = createUsedPool()
    const specs = [
      { id: 'free', execute: ok },
      { id: 'a', execute: ok, dependencies: ['c'] },
      { id: 'b', execute: ok, dependencies: ['a', 'known'] },
      { id: 'c', execute: ok, dependencies: ['free', 'b'] },
    ]
    const { message, details } = expectRefusal(pool, 'ESP_DEPENDENCY_CYCLE', () => pool.submitJobs(specs))
    const { path } = details as { path: string[] }
    expect(path.at(-1)).toBe(path[0])
    expect(new Set(path)).toEqual(new Set(['a', 'b', 'c']))
    for (const [index, id] of path.slice(0, -1).entries()) {
      expect(specs.find((spec) => spec.id === id)?.dependencies).toContain(path[index + 1])
    }
    expect(message).toContain(path.join(' → '))
  })

  test('with a cycle of 100,000, without overflowing the stack', () => {
    const { pool } = createUsedPool()
    const size = 100_000
    const specs = Array.from({ length: size }, (_, index) => ({
      id: `j${index}`,
      execute: ok,
      dependencies: [`j${(index + 1) % size}`],
    }))
    const { message } = expectRefusal(pool, 'ESP_DEPENDENCY_CYCLE', () => pool.submitJobs(specs))
    expect(message.length).toBeLessThan(500)
  })

  test('with a dependency that only a later batch would have', () => {
    const { pool } = createUsedPool()
    const specs = [{ id: 'a', execute: ok, dependencies: ['later'] }]
    expectRefusal(pool, 'ESP_DEPENDENCY_UNKNOWN', () => pool.submitJobs(specs))
    pool.submitJobs([...specs, { id: 'later', execute: ok }])
    expect(pool.getStatus().total).toBe(4)
  })
})

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '4', null])(
  'a limit of %o is refused',
  (limit) => {
    const { pool } = createUsedPool()
    expectRefusal(pool, 'ESP_INVALID_OPTION', () => pool.setMaxParallelJobs(limit as number))
  },
)

test('after a refusal the pool works as before', async () => {
  const { pool, clock } = createPool()
  const held = createHeld()
  expect(() => pool.submitJob({ id: 'a', execute: held.execute, dependencies: ['nobody'] })).toThrow()
  const job = pool.submitJob({ id: 'a', execute: held.execute })
  held.of('a').resolve('fine')
  await clock.settle()
  expect(await job.value()).toBe('fine')
})
