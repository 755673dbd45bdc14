import type { Host, HostSample, JobPoolOptions } from 'espalier'
import { describe, expect, test } from 'vitest'
import { createHeld, createPool, expectAllSlotsFree, recordEvents, typesOf } from './harness.ts'

const GIB = 1024 ** 3

/** A machine that feels as the test says. */
function createHost() {
  const feel = { sample: {} as HostSample, samples: 0, open: 0 }
  const host: Host = {
    capacity: () => ({
      cores: 6,
      containerCpus: undefined,
      totalMemoryBytes: 8 * GIB,
      availableMemoryBytes: 2 * GIB,
    }),
    watch: () => {
      feel.open++
      return {
        sample: () => {
          feel.samples++
          return feel.sample
        },
        close: () => void feel.open--,
      }
    },
  }
  return { host, feel }
}

const full: HostSample = { memoryShare: 0.95 }
const calm: HostSample = { memoryShare: 0.5 }

function createWatched(options: JobPoolOptions = {}) {
  const { host, feel } = createHost()
  const made = createPool({ host, maxParallelJobs: 3, ...options })
  const held = createHeld()
  const submit = (...ids: string[]) => ids.map((id) => made.pool.submitJob({ id, execute: held.execute }))
  return { ...made, feel, held, submit }
}

describe('under pressure', () => {
  test('what runs goes on, nothing new starts, and all slots are used again when it is over', async () => {
    const { pool, clock, feel, held, submit } = createWatched({ maxParallelJobs: 2 })
    const events = recordEvents(pool)
    submit('a', 'b', 'c', 'd', 'e')
    feel.sample = full
    await clock.advance(1_000)
    held.of('a').resolve()
    await clock.settle()
    expect(held.started()).toEqual(['a', 'b'])
    // Below the value that raised it, and not yet below the one that clears it.
    feel.sample = { memoryShare: 0.87 }
    await clock.advance(1_000)
    expect(held.started()).toEqual(['a', 'b'])
    feel.sample = calm
    await clock.advance(1_000)
    expect(held.started()).toEqual(['a', 'b', 'c'])
    const pressure = events.filter(({ type }) => type.startsWith('pool.'))
    expect(pressure).toMatchObject([
      { type: 'pool.throttled', reasons: [{ measure: 'memoryShare', value: 0.95, clear: 0.85 }] },
      { type: 'pool.unthrottled' },
    ])
    expect((pressure[1]?.at ?? 0) - (pressure[0]?.at ?? 0)).toBe(2_000)
  })

  test('a job starts when no other runs: the pool always gets on', async () => {
    const { pool, clock, feel, held, submit } = createWatched()
    const jobs = submit('a', 'b', 'c', 'd', 'e')
    feel.sample = full
    await clock.advance(1_000)
    for (const id of ['a', 'b', 'c']) held.of(id).resolve()
    await clock.advance(1_000)
    expect(held.started()).toEqual(['a', 'b', 'c', 'd'])
    held.of('d').resolve()
    await clock.advance(1_000)
    held.of('e').resolve()
    await clock.advance(1_000)
    expect(jobs.map(({ status }) => status)).toEqual(Array(5).fill('completed'))
    expect(pool.getStatus()).toMatchObject({ completed: 5, pressure: undefined })
  })

  test('a zombie does not stand in the way of the one job that may run', async () => {
    const { clock, feel, held, submit, pool } = createWatched({ maxParallelJobs: 2, killGraceMs: 10 })
    const [a] = submit('a', 'b', 'c', 'd')
    feel.sample = full
    await clock.advance(1_000)
    a?.cancel()
    await clock.advance(10)
    expect(pool.getStatus()).toMatchObject({ zombies: 1, running: 1 })
    held.of('b').resolve()
    await clock.settle()
    expect(held.started()).toEqual(['a', 'b', 'c'])
  })

  test('a pause and a shutdown work as always', async () => {
    const { pool, clock, feel, held, submit } = createWatched({ maxParallelJobs: 1 })
    submit('a', 'b')
    feel.sample = full
    await clock.advance(1_000)
    pool.pause()
    held.of('a').resolve()
    await clock.settle()
    expect(held.started()).toEqual(['a'])
    const closing = pool.shutdown()
    await clock.advance(1_000)
    held.of('b').resolve()
    await clock.settle()
    await closing
    expect(pool.getHealth().status).toBe('closed')
  })

  test('status and health tell why and since when; the log too', async () => {
    const pressure = { eventLoopDelayMs: 200 }
    const { pool, clock, feel, logger, submit } = createWatched({ pressure })
    submit('a')
    expect(pool.getStatus().pressure).toBeUndefined()
    feel.sample = { memoryShare: 0.95, eventLoopDelayMs: 300 }
    await clock.advance(1_000)
    const since = clock.now()
    feel.sample = { memoryShare: 0.95, eventLoopDelayMs: 0 }
    await clock.advance(1_000)
    expect(pool.getStatus().pressure).toEqual({
      since,
      reasons: [{ measure: 'memoryShare', value: 0.95, clear: 0.85 }],
    })
    expect(pool.getHealth()).toMatchObject({
      status: 'degraded',
      isDispatching: false,
      reasons: [
        `Jobs start one at a time: dispatch is throttled since ${new Date(since).toISOString()}, ` +
          'as 95 % of the memory is used (clears below 85 %).',
      ],
    })
    expect(logger.at('warn')).toEqual([
      expect.stringMatching(/throttled.*95 % of the memory.*event loop turns 300 ms late/),
      expect.stringMatching(/throttled.*95 % of the memory is used \(clears below 85 %\)\.$/),
    ])
  })
})

describe('the watch', () => {
  test('looks only while jobs run, and forgets the pressure with them', async () => {
    const { pool, clock, feel, held, submit } = createWatched()
    await clock.advance(10_000)
    expect(feel).toMatchObject({ samples: 0, open: 0 })
    submit('a')
    feel.sample = full
    await clock.advance(3_500)
    expect(feel).toMatchObject({ samples: 3, open: 1 })
    expect(pool.actor.getSnapshot().matches({ dispatch: 'throttled' })).toBe(true)
    held.of('a').resolve()
    await clock.advance(10_000)
    expect(feel).toMatchObject({ samples: 3, open: 0 })
    expect(pool.actor.getSnapshot().matches({ dispatch: 'open' })).toBe(true)
    expect(clock.wishes).toBe(0)
    submit('b', 'c')
    expect(held.started()).toEqual(['a', 'b', 'c'])
  })

  test('never begins for jobs that end before the first look', async () => {
    const { clock, feel, held, submit } = createWatched()
    submit('a')
    await clock.advance(900)
    held.of('a').resolve()
    await clock.settle()
    expect(feel.samples).toBe(0)
    expect(clock.wishes).toBe(0)
  })

  test('does not exist with `pressure: false`, nor on a clock of its own without a host', async () => {
    const { clock, feel, submit } = createWatched({ pressure: false })
    submit('a')
    await clock.advance(5_000)
    expect(feel.samples).toBe(0)
    const { pool, clock: other } = createPool()
    pool.submitJob({ execute: createHeld().execute, timeoutMs: 99_000 })
    await other.settle()
    expect((other.nextWakeAt ?? 0) - other.now()).toBe(99_000)
  })

  test('says the same twice only when something has changed', async () => {
    const { pool, clock, feel, submit } = createWatched()
    const events = recordEvents(pool)
    submit('a')
    feel.sample = full
    await clock.advance(5_000)
    expect(typesOf(events)).toEqual(['job.submitted', 'job.started', 'pool.throttled'])
  })

  test('leaves no slot behind', async () => {
    const { pool, clock, feel, held, submit } = createWatched({
      maxRetries: 1,
      timeoutMs: 1_500,
      killGraceMs: 100,
    })
    feel.sample = full
    submit('a', 'b', 'c', 'd')
    await clock.advance(1_200)
    pool.cancelJob('b')
    await clock.advance(2_000)
    for (const { resolve } of held.attempts) resolve()
    await clock.advance(5_000)
    for (const { resolve } of held.attempts) resolve()
    feel.sample = calm
    await clock.advance(5_000)
    for (const { resolve } of held.attempts) resolve()
    await expectAllSlotsFree(pool, clock)
  })
})

describe("maxParallelJobs: 'auto'", () => {
  test('is worked out from the host, and told in status and log', () => {
    const { pool, logger } = createWatched({ maxParallelJobs: 'auto' })
    const formula = 'min(6 cores, 2 GiB available × 2, no container limit) = 4, bound by memory'
    expect(pool.getStatus()).toMatchObject({ maxParallelJobs: 4, autoLimit: { boundBy: 'memory', formula } })
    expect(logger.at('info')).toEqual([`maxParallelJobs: ${formula}.`])
  })

  test('works on this machine', () => {
    const { pool } = createPool({ maxParallelJobs: 'auto' })
    const { maxParallelJobs, autoLimit } = pool.getStatus()
    expect(maxParallelJobs).toBe(autoLimit?.maxParallelJobs)
    expect(maxParallelJobs).toBeGreaterThanOrEqual(1)
  })

  test('is told by nothing when the limit was given', () => {
    expect(createWatched().pool.getStatus().autoLimit).toBeUndefined()
  })
})
