import type { PoolStreamEvent } from 'espalier'
import { describe, expect, test } from 'vitest'
import { createHeld, createPool, failing, recordEvents, typesOf } from './harness.ts'

describe('a listener', () => {
  test('hears of the life of a job, in order, with its ids', async () => {
    const { pool, clock } = createPool({ maxRetries: 1 })
    const events = recordEvents(pool)
    const held = createHeld()
    const job = pool.submitJob({ id: 'j', nodeId: 'n', treeId: 't', execute: held.execute })
    held.of('j').context.progress(0.5, 'half')
    held.of('j').context.log('a line')
    held.of('j').reject(new Error('once'))
    await clock.advance(1_000)
    held.of('j').resolve('value')
    const result = await job.result()
    expect(typesOf(events)).toEqual([
      'job.submitted',
      'job.started',
      'job.progress',
      'job.log',
      'job.retrying',
      'job.started',
      'job.completed',
    ])
    for (const event of events) expect(event).toMatchObject({ jobId: 'j', nodeId: 'n', treeId: 't' })
    expect(events[2]).toMatchObject({ attempt: 1, fraction: 0.5, note: 'half' })
    expect(events[3]).toMatchObject({ attempt: 1, line: 'a line' })
    expect(events[5]).toMatchObject({ attempt: 2, at: result.startedAt })
    expect(events[6]).toMatchObject({ result, at: result.endedAt })
  })

  test('hears only the type it asked for', async () => {
    const { pool } = createPool()
    const failed: string[] = []
    pool.on('job.failed', ({ jobId }) => failed.push(jobId))
    pool.submitJobs([
      { id: 'good', execute: () => 1 },
      { id: 'bad', execute: failing() },
    ])
    await pool.waitForAll()
    expect(failed).toEqual(['bad'])
  })

  test('hears nothing after it has stopped listening, while others do', async () => {
    const { pool } = createPool()
    const heard: string[] = []
    const stop = pool.on('job.completed', () => heard.push('stopped'))
    pool.on('job.completed', () => heard.push('other'))
    await pool.submitJob({ execute: () => 1 }).result()
    stop()
    stop()
    await pool.submitJob({ execute: () => 1 }).result()
    expect(heard).toEqual(['stopped', 'other', 'other'])
  })

  test('that submits jobs is heard of after all others have heard what it heard', async () => {
    const { pool } = createPool()
    const heard: string[] = []
    pool.on('job.submitted', ({ jobId }) => {
      heard.push(`first ${jobId}`)
      if (jobId === 'a') pool.submitJob({ id: 'b', execute: () => 1 })
    })
    pool.on('job.submitted', ({ jobId }) => heard.push(`second ${jobId}`))
    pool.submitJob({ id: 'a', execute: () => 1 })
    expect(heard).toEqual(['first a', 'second a', 'first b', 'second b'])
    await pool.waitForAll()
  })

  test('given twice is called twice, and each is stopped for itself', async () => {
    const { pool } = createPool()
    let calls = 0
    const listener = () => void calls++
    const stop = pool.on('*', listener)
    pool.on('*', listener)
    pool.pause()
    expect(calls).toBe(2)
    stop()
    pool.resume()
    expect(calls).toBe(3)
  })

  test('may stop itself and add others while it is called', async () => {
    const { pool } = createPool()
    const heard: string[] = []
    const stop = pool.on('job.completed', () => {
      stop()
      heard.push('first')
      pool.on('job.completed', () => heard.push('second'))
    })
    await pool.submitJob({ execute: () => 1 }).result()
    heard.length = 0
    await pool.submitJob({ execute: () => 1 }).result()
    expect(heard).toEqual(['second'])
  })
})

describe('the stream of events', () => {
  async function collect(stream: AsyncIterable<PoolStreamEvent>): Promise<string[]> {
    const types: string[] = []
    for await (const { type } of stream) types.push(type)
    return types
  }

  test('gives all events from the call on, until the pool is closed', async () => {
    const { pool } = createPool()
    await pool.submitJob({ execute: () => 'before' }).result()
    const all = collect(pool.events())
    const other = pool.events()
    await pool.submitJob({ execute: () => 1 }).result()
    await pool.shutdown()
    const expected = ['job.submitted', 'job.started', 'job.completed', 'pool.closed']
    expect(await all).toEqual(expected)
    // Read late: nothing is lost meanwhile.
    expect(await collect(other)).toEqual(expected)
  })

  test('wakes a reader that waits', async () => {
    const { pool } = createPool()
    const stream = pool.events()
    const reading = [stream.next(), stream.next()]
    pool.pause()
    pool.resume()
    expect((await Promise.all(reading)).map(({ value }) => value.type)).toEqual([
      'pool.paused',
      'pool.resumed',
    ])
  })

  test('ends for a reader that breaks early, and for those that wait then', async () => {
    const { pool } = createPool()
    const stream = pool.events()
    pool.pause()
    pool.resume()
    for await (const { type } of stream) {
      expect(type).toBe('pool.paused')
      break
    }
    pool.pause()
    expect(await stream.next()).toEqual({ done: true, value: undefined })

    const other = pool.events()
    const reading = other.next()
    await other.return?.()
    expect(await reading).toEqual({ done: true, value: undefined })
  })

  test('ends at once when the pool is closed', async () => {
    const { pool } = createPool()
    await pool.shutdown()
    expect(await collect(pool.events())).toEqual([])
  })

  test('ends for a reader that waits when the pool closes', async () => {
    const { pool } = createPool()
    const reading = collect(pool.events())
    await pool.shutdown()
    expect(await reading).toEqual(['pool.closed'])
  })

  test('drops the oldest for a reader that falls far behind, and counts them', async () => {
    const { pool } = createPool()
    const stream = pool.events()
    const MAX = 100_000
    for (let count = 0; count < MAX / 2 + 2; count++) {
      pool.pause()
      pool.resume()
    }
    expect(stream.dropped).toBe(4)
    await pool.shutdown()
    expect(stream.dropped).toBe(5)
    expect((await collect(stream)).length).toBe(MAX)
  })
})
