import type { Closure } from 'espalier'
import { describe, expect, test } from 'vitest'
import { createPool, expectAllSlotsFree, expectConsistent, never, recordEvents, typesOf } from './harness.ts'

const throwing =
  (thrown: unknown): Closure =>
  () => {
    throw thrown
  }
const rejecting =
  (thrown: unknown): Closure =>
  () =>
    Promise.reject(thrown)

/** An object that passes for a promise. */
const thenable = (then: unknown) => ({ then })

const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
const frozen = Object.freeze(new Error('frozen'))

describe('a handler that throws', () => {
  const thrownValues: readonly (readonly [string, unknown])[] = [
    ['null', null],
    ['undefined', undefined],
    ['a string', 'broken'],
    ['a number', 7],
    ['a symbol', Symbol('s')],
    ['an object whose toJSON throws', { toJSON: throwing(new Error('no')) }],
    ['a revoked proxy', revoked()],
  ]
  const ways = { 'at once': throwing, 'as a rejection': rejecting }
  const cases = Object.entries(ways).flatMap(([how, make]) =>
    thrownValues.map(([what, thrown]) => [what, how, make(thrown), thrown] as const),
  )

  test.each(cases)(
    '%s, %s: fails its job with an Error that has it as cause',
    async (_, __, execute, thrown) => {
      const { pool, clock } = createPool({ maxParallelJobs: 1 })
      const job = pool.submitJob({ execute })
      await clock.settle()
      expect(job.status).toBe('failed')
      const { error } = await job.result()
      expect(error).toBeInstanceOf(Error)
      expect(error?.cause).toBe(thrown)
      await expectAllSlotsFree(pool, clock)
    },
  )

  test.each(Object.entries(ways))(
    'a frozen error, %s: fails its job with that very error',
    async (_, make) => {
      const { pool, clock } = createPool({ maxParallelJobs: 1 })
      const job = pool.submitJob({ execute: make(frozen) })
      expect((await job.result()).error).toBe(frozen)
      await expectAllSlotsFree(pool, clock)
    },
  )
})

describe('a handler that returns', () => {
  const error = new Error('thrown by then')
  const cases: readonly (readonly [string, () => unknown, 'completed' | 'failed', unknown])[] = [
    [
      'a foreign promise',
      () => thenable((resolve: (value: unknown) => void) => resolve('value')),
      'completed',
      'value',
    ],
    [
      'a thenable that calls back twice',
      () =>
        thenable((resolve: (value: unknown) => void) => {
          resolve('first')
          resolve('second')
        }),
      'completed',
      'first',
    ],
    [
      'a thenable that resolves, then rejects',
      () =>
        thenable((resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
          resolve('first')
          reject(error)
        }),
      'completed',
      'first',
    ],
    [
      'a thenable that resolves, then throws',
      () =>
        thenable((resolve: (value: unknown) => void) => {
          resolve('first')
          throw error
        }),
      'completed',
      'first',
    ],
    ['a thenable that throws', () => thenable(throwing(error)), 'failed', error],
    [
      'an object whose then cannot be read',
      () => Object.defineProperty({}, 'then', { get: throwing(error) as () => unknown }),
      'failed',
      error,
    ],
    [
      'a Promise whose own then throws',
      () => Object.defineProperty(Promise.resolve(1), 'then', { value: throwing(error) }),
      'failed',
      error,
    ],
    [
      'an object with a then that is no function',
      () => ({ ...thenable(5), a: 1 }),
      'completed',
      { ...thenable(5), a: 1 },
    ],
    ['nothing', () => undefined, 'completed', undefined],
  ]

  test.each(cases)('%s: one outcome', async (_, execute, status, outcome) => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const job = pool.submitJob({ execute })
    await clock.settle()
    expect(job.status).toBe(status)
    const result = await job.result()
    expect(status === 'completed' ? result.value : result.error).toEqual(outcome)
    await clock.settle()
    await expectAllSlotsFree(pool, clock)
  })

  test('a thenable that calls back on the stack, over and over, without overflowing it', async () => {
    const { pool } = createPool({ maxParallelJobs: 1 })
    const execute = () => thenable((resolve: (value: unknown) => void) => resolve(1))
    for (let count = 0; count < 1_000; count++) pool.submitJob({ execute })
    await pool.waitForAll()
    expect(pool.getStatus()).toMatchObject({ completed: 1_000, running: 0 })
  })
})

describe('a handler that', () => {
  test('never settles does not keep others from running, nor the pool from closing', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 2, timeoutMs: 100, killGraceMs: 10 })
    const stuck = pool.submitJob({ execute: never })
    const other = pool.submitJob({ execute: () => 1 })
    expect(await other.value()).toBe(1)
    const closing = pool.shutdown({ timeoutMs: 1_000 })
    await clock.advance(110)
    await closing
    expect(await stuck.result()).toMatchObject({ status: 'failed', reason: 'timeout' })
    expectConsistent(pool)
  })

  test('aborts its own work by throwing the reason of its signal is stopped in order', async () => {
    const { pool, clock } = createPool()
    const job = pool.submitJob({
      execute: async ({ signal }) => {
        const { promise, reject } = Promise.withResolvers<never>()
        signal.addEventListener('abort', () => reject(signal.reason))
        await promise
      },
    })
    job.cancel()
    expect(await job.result()).toMatchObject({ status: 'cancelled', error: undefined })
    await expectAllSlotsFree(pool, clock)
  })

  test('throws in its abort listener does not bring anything down', async () => {
    const { pool, clock } = createPool()
    const thrown: unknown[] = []
    const note = (error: unknown) => thrown.push(error)
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', note)
    try {
      const job = pool.submitJob({
        execute: ({ signal }) =>
          new Promise<void>((resolve) => {
            signal.addEventListener('abort', () => {
              resolve()
              throw new Error('listener broke')
            })
          }),
      })
      expect(job.cancel()).toBe(true)
      await clock.settle()
      expect((await job.result()).status).toBe('cancelled')
    } finally {
      process.off('uncaughtException', note)
      for (const listener of listeners) process.on('uncaughtException', listener)
    }
    // Node itself reports what an abort listener throws; the pool is not affected.
    expect(thrown).toEqual([expect.objectContaining({ message: 'listener broke' })])
    await expectAllSlotsFree(pool, clock)
  })

  test('changes its arguments does not change those of the next attempt’s list', async () => {
    const { pool } = createPool({ maxRetries: 1, backoff: { type: 'fixed', delayMs: 0 } })
    const args = [1, 2]
    const seen: unknown[] = []
    const job = pool.submitJob({
      args,
      execute: (...given) => {
        seen.push(given.slice(0, -1))
        given.length = 0
        if (seen.length === 1) throw new Error('once')
      },
    })
    args.push(3)
    await job.result()
    expect(seen).toEqual([
      [1, 2],
      [1, 2],
    ])
  })

  test('takes functions out of its context can call them alone', async () => {
    const { pool } = createPool()
    const events = recordEvents(pool)
    await pool
      .submitJob({
        execute: ({ progress, log, signal, attempt }) => {
          progress(0.25)
          log(`${attempt} ${signal.aborted}`)
        },
      })
      .result()
    expect(typesOf(events)).toEqual([
      'job.submitted',
      'job.started',
      'job.progress',
      'job.log',
      'job.completed',
    ])
    expect(events[3]).toMatchObject({ line: '1 false' })
  })

  test('cannot assign to its context, where the pool reads', async () => {
    const { pool, clock } = createPool({ maxParallelJobs: 1 })
    const names = ['jobId', 'attempt', 'signal', 'job', 'startedAt', 'endedAt', 'slot']
    const job = pool.submitJob({
      execute: (context) => names.filter((name) => Reflect.set(context, name, 7)),
    })
    expect(await job.value()).toEqual([])
    await expectAllSlotsFree(pool, clock)
  })

  test('says how far it is in no numbers or beyond the range is heard as far as that makes sense', async () => {
    const { pool } = createPool()
    const fractions: number[] = []
    pool.on('job.progress', ({ fraction }) => fractions.push(fraction))
    const said = [-1, 2, -0, Number.NaN, Number.POSITIVE_INFINITY, 'x', '0.5', 1n, null, undefined, {}, 0.5]
    await pool
      .submitJob({ execute: ({ progress }) => said.forEach((fraction) => void progress(fraction as number)) })
      .value()
    expect(fractions).toEqual([0, 1, 0, 0.5])
  })

  test.each([
    [5, '5'],
    [null, 'null'],
    [Symbol('half'), 'Symbol(half)'],
    [new Error('half'), 'Error: half'],
    [Object.create(null), '{}'],
    [{ toString: throwing(new Error('no words')) }, '{}'],
  ])('says %o instead of words is heard all the same', async (word, words) => {
    const { pool } = createPool()
    const heard: unknown[] = []
    pool.on('job.progress', ({ note }) => heard.push(note))
    pool.on('job.log', ({ line }) => heard.push(line))
    await pool
      .submitJob({
        execute: ({ progress, log }) => {
          progress(0.5, word as string)
          log(word as string)
        },
      })
      .value()
    expect(heard).toEqual([words, words])
  })
})
