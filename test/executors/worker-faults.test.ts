import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { JobPool, type JobPoolOptions, type JobSpec } from 'espalier'
import { createProcessExecutor } from 'espalier/executors/process'
import { createThreadExecutor } from 'espalier/executors/thread'
import { afterEach, describe, expect, test } from 'vitest'
import { expectNothingLeft } from './crashes.ts'
import { nested } from './fixtures/faults.ts'
import { goneProcesses, isRunning, pidsIn } from './processes.ts'

const module = new URL('./fixtures/faults.ts', import.meta.url).href
const MIB = 1024 ** 2

const pools: JobPool[] = []
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.shutdown({ wait: false })))
})

function createPool(options: JobPoolOptions) {
  const pool = new JobPool({ maxParallelJobs: 2, killGraceMs: 100, maxLost: 0, pressure: false, ...options })
  pools.push(pool)
  const submit = (name: string, spec: Partial<JobSpec> = {}) =>
    pool.submitJob({ ...spec, execute: { module, export: name } })
  const run = (name: string, spec?: Partial<JobSpec>) => submit(name, spec).result()
  const nextLine = () =>
    new Promise<string>((resolve) => {
      const stop = pool.on('job.log', ({ line }) => {
        stop()
        resolve(line)
      })
    })
  return { pool, submit, run, nextLine }
}

describe.each(['thread', 'process'])('a %s', (executorType) => {
  const create = (options: JobPoolOptions = {}) => createPool({ executorType, ...options })

  test.each(['growHeap', 'growBuffers'])(
    'that takes too much memory (%s) is ended, and costs nobody else',
    async (name) => {
      const { run, submit } = create({ maxRetries: 0 })
      const other = submit('wait', { args: [300] })
      const result = await run(name, { memoryLimitBytes: 64 * MIB, timeoutMs: 20_000 })
      expect(result).toMatchObject({ status: 'failed', reason: 'error', error: { code: 'ESP_MEMORY_LIMIT' } })
      expect((result.error as { details?: unknown }).details).toMatchObject({
        limitBytes: 64 * MIB,
        attempt: 1,
      })
      expect(await other.result()).toMatchObject({ status: 'completed', attempts: 1 })
      expect(await run('noop', { memoryLimitBytes: 64 * MIB })).toMatchObject({ status: 'completed' })
    },
  )

  test('may say what is neither a number nor text', async () => {
    const { pool, run } = create()
    const lines: string[] = []
    const told: unknown[] = []
    pool.on('job.log', ({ line }) => lines.push(line))
    pool.on('job.progress', ({ fraction, note }) => told.push([fraction, note]))
    expect(await run('sayAnything')).toMatchObject({ status: 'completed', value: 'said' })
    expect(lines).toEqual(['5', 'undefined', 'Symbol(line)', '{}'])
    expect(told).toEqual([
      [0.5, '5'],
      [0.5, 'Symbol(note)'],
      [0.5, '{}'],
    ])
  })

  test('whose result or arguments cannot be read at the other end rejects them, and the pool goes on', async () => {
    const { run, submit, pool } = create({ maxParallelJobs: 4, maxRetries: 3 })
    const isTold = { status: 'failed', reason: 'rejected', attempts: 1, error: { code: 'ESP_CANNOT_CARRY' } }
    const results = [2_000, 3_000, 6_000].map((depth) => run('nested', { args: [depth] }))
    const others = Array.from({ length: 12 }, () => submit('noop').result())
    const isFine = { status: 'completed', attempts: 1 }
    for (const result of await Promise.all(results)) {
      if (result.status !== 'completed') expect(result).toMatchObject(isTold)
    }
    expect((await Promise.all(results)).some(({ status }) => status === 'failed')).toBe(true)
    for (const other of await Promise.all(others)) expect(other).toMatchObject(isFine)
    const given = await Promise.all(
      [2_000, 3_000, 6_000].map((depth) => run('noop', { args: [nested(depth)] })),
    )
    for (const result of given) if (result.status !== 'completed') expect(result).toMatchObject(isTold)
    expect(given.some(({ status }) => status === 'failed')).toBe(true)
    expect(await run('noop')).toMatchObject(isFine)
    expect(pool.getStatus()).toMatchObject({ running: 0, zombies: 0 })
  })

  test('whose first arguments could not be sent runs the same handler with others', async () => {
    const { run } = create({ maxParallelJobs: 1 })
    // What is looked at before it is sent is plain when it is looked at, and throws when it is written.
    let looks = 0
    const fickle = Object.defineProperty({}, 'field', {
      enumerable: true,
      get() {
        if (++looks > 1) throw new Error('not again')
        return 1
      },
    })
    const isRefused = { status: 'failed', reason: 'rejected', error: { code: 'ESP_CANNOT_CARRY' } }
    expect(await run('noop', { args: [fickle] })).toMatchObject(isRefused)
    expect(await run('noop')).toMatchObject({ status: 'completed' })
  })

  test.each(['spinHere', 'matchForEver', 'sleepInNode'])(
    'that blocks (%s) is ended after its grace',
    async (name) => {
      const { run, pool } = create()
      expect(await run(name, { timeoutMs: 300 })).toMatchObject({ status: 'failed', reason: 'timeout' })
      expect(pool.getStatus()).toMatchObject({ zombies: 0, running: 0 })
      expect(await run('noop')).toMatchObject({ status: 'completed' })
    },
  )

  test.each([0, 1, 7])('that exits with code %i before it has a result is lost', async (code) => {
    const { run } = create({ maxLost: 1, maxRetries: 5 })
    const result = await run('exitWith', { args: [code] })
    expect(result).toMatchObject({ status: 'failed', reason: 'lost', attempts: 2 })
    expect(result.error?.message).toContain(
      `its ${executorType} exited with code ${code} before it had a result`,
    )
    expect(await run('noop')).toMatchObject({ status: 'completed' })
  })

  test('fails its attempt with what nobody caught', async () => {
    const { run } = create()
    const error = { name: 'Error', message: 'nobody caught this', code: 'E_ASIDE' }
    expect(await run('rejectAside')).toMatchObject({ status: 'failed', reason: 'error', error })
    const thrown = await run('throwNullAside')
    expect(thrown).toMatchObject({ status: 'failed', reason: 'error' })
    expect(thrown.error).toMatchObject({ cause: null })
  })

  test('spares the next attempt what an earlier one has left', async () => {
    const { run } = create({ maxParallelJobs: 1 })
    expect(await run('failLater')).toMatchObject({ status: 'completed', value: 'done' })
    const result = await run('wait', { args: [100] })
    expect(result).toMatchObject({ status: 'completed', attempts: 1 })
  })

  test.each(['imported', 'global'])(
    'spares the next attempt an exit that an earlier one has left (%s)',
    async (name) => {
      const { run } = create({ maxParallelJobs: 1 })
      const { value: first } = await run('countAttempts')
      expect(await run('exitLater', { args: [name] })).toMatchObject({ status: 'completed' })
      expect(await run('wait', { args: [100] })).toMatchObject({ status: 'completed', attempts: 1 })
      expect(await run('exitAtItsEnd')).toMatchObject({ status: 'completed' })
      expect(await run('wait', { args: [100] })).toMatchObject({ status: 'completed', attempts: 1 })
      expect([first, (await run('countAttempts')).value]).toEqual([1, 1])
    },
  )

  test('is not used again when an attempt has removed who hears of its errors', async () => {
    const { run } = create({ maxParallelJobs: 1 })
    expect(await run('leaveUnheard')).toMatchObject({ status: 'completed', value: 1 })
    expect(await run('countAttempts')).toMatchObject({ status: 'completed', value: 1 })
  })

  test.each(['clock', 'lists', 'lookup', 'objects', 'iteration'])(
    'in which an attempt has broken what everything needs (%s) ends with an attempt, and another does the next',
    async (what) => {
      const { run } = create({ maxParallelJobs: 1, maxRetries: 0 })
      await run('leaveBroken', { args: [what], timeoutMs: 60_000 })
      const next = await run('noop', { timeoutMs: 60_000 })
      if (next.status === 'failed') expect(['error', 'lost']).toContain(next.reason)
      expect(await run('noop')).toMatchObject({ status: 'completed', attempts: 1 })
    },
    20_000,
  )

  test('whose result cannot be sent is not used again: it may be what sends all results that is broken', async () => {
    const { run } = create({ maxParallelJobs: 1 })
    expect(await run('countAttempts')).toMatchObject({ value: 1 })
    expect(await run('fickleValue')).toMatchObject({
      reason: 'rejected',
      error: { code: 'ESP_CANNOT_CARRY' },
    })
    expect(await run('countAttempts')).toMatchObject({ status: 'completed', value: 1, attempts: 1 })
  })

  test.each([
    ['work', 'assigned'],
    ['default', 'default'],
  ])('takes what a CommonJS module has assigned as an export (%s)', async (name, value) => {
    const { pool } = create()
    const common = new URL('./fixtures/common.cjs', import.meta.url).href
    const result = (name: string) => pool.submitJob({ execute: { module: common, export: name } }).result()
    expect(await result(name)).toMatchObject({ status: 'completed', value })
    const refused = await result('toString')
    expect(refused).toMatchObject({ reason: 'rejected', error: { code: 'ESP_UNUSABLE_MODULE' } })
    expect(refused.error?.message).toContain('it exports default, work')
  })

  const throwing = new URL('./fixtures/throws-on-import.ts', import.meta.url).href

  test('reports what a module throws while it is loaded', async () => {
    const { pool } = create()
    const result = await pool.submitJob({ execute: { module: throwing, export: 'work' } }).result()
    expect(result).toMatchObject({ status: 'failed', reason: 'error', attempts: 1 })
    expect(result.error).toMatchObject({ name: 'Error', message: 'no connection', code: 'E_AWAY' })
  })

  test('loads a module that has thrown anew for the next attempt', async () => {
    const { pool } = create({ maxRetries: 1, backoff: { type: 'fixed', delayMs: 0 } })
    const job = pool.submitJob({ execute: { module: throwing, export: 'work' } })
    pool.on('job.retrying', () => {
      process.env.ESPALIER_TEST_IMPORT_FAILS = 'no'
    })
    const result = await job.result()
    delete process.env.ESPALIER_TEST_IMPORT_FAILS
    expect(result).toMatchObject({ status: 'completed', value: 1, attempts: 2 })
  })

  test('may write 1 GB: the first 1,048,576 characters are kept, it says so, and the next attempt goes on at once', async () => {
    const { pool, run } = create({ maxParallelJobs: 1 })
    const heard: [string, string, boolean][] = []
    pool.on('job.output', ({ jobId, chunk, truncated }) => heard.push([jobId, chunk, truncated]))
    const flood = await run('flood', { id: 'flood', args: [15_260] })
    expect(flood).toMatchObject({ status: 'completed', value: 15_260 * 65_536 })
    const next = await run('flood', { id: 'next', args: [1] })
    expect(next.durationMs).toBeLessThan(500)
    for (const [id, length, cuts] of [
      ['flood', 1_048_576, 1],
      ['next', 65_536, 0],
    ] as const) {
      const own = heard.filter(([jobId]) => jobId === id)
      expect(own.map(([, chunk]) => chunk).join('')).toHaveLength(length)
      expect(own.filter(([, , truncated]) => truncated)).toHaveLength(cuts)
    }
  })

  test('is still heard when an attempt has piped into its standard output', async () => {
    const { run, pool } = create({ maxParallelJobs: 1 })
    const printed: string[] = []
    pool.on('job.output', ({ chunk }) => printed.push(chunk))
    for (let count = 0; count < 2; count++) {
      expect(await run('pipeOut', { args: ['piped\n'] })).toMatchObject({ status: 'completed' })
      expect(await run('print', { args: ['heard'] })).toMatchObject({ status: 'completed' })
    }
    expect(printed.join('')).toBe('piped\nheard\n'.repeat(2))
  })

  test('carries 50 MB', async () => {
    const { run } = create()
    const { value } = await run('bytes', { args: [50 * MIB] })
    expect(value).toHaveLength(50 * MIB)
    expect((value as Uint8Array).at(-1)).toBe(7)
  })

  test('leaves nothing behind, however many attempts crash', async () => {
    await expectNothingLeft(executorType, executorType === 'thread' ? 60 : 20)
  }, 60_000)
})

describe('a thread', () => {
  test.each([
    ['throws', 'throw new Error("at its start")', 'its thread ended before it was ready: at its start'],
    ['exits', 'process.exit(3)', 'its thread ended before it was ready'],
  ])('that %s while it starts is lost with its attempt', async (_, code, how) => {
    const execArgv = ['--import', `data:text/javascript,${code}`]
    const { run } = createPool({ executorType: createThreadExecutor({ execArgv }) })
    const result = await run('noop')
    expect(result).toMatchObject({ status: 'failed', reason: 'lost', attempts: 1 })
    expect(result.error?.message).toContain(how)
  })

  test('in a synchronous native call keeps its slot until that returns', async () => {
    const { pool, run, nextLine } = createPool({ executorType: 'thread' })
    await run('noop')
    const sleeping = nextLine()
    const result = run('sleepInShell', { args: [1], timeoutMs: 300 })
    await sleeping
    expect(await result).toMatchObject({
      status: 'failed',
      reason: 'timeout',
      durationMs: expect.any(Number),
    })
    expect((await result).durationMs).toBeGreaterThan(900)
    expect(pool.getStatus()).toMatchObject({ zombies: 0, running: 0 })
  })
})

describe('a process', () => {
  const create = (options: JobPoolOptions = {}) => createPool({ executorType: 'process', ...options })

  test('that does not start is lost with its attempt', async () => {
    const execArgv = [`--title=${'x'.repeat(1_000_000)}`]
    const { run } = createPool({ executorType: createProcessExecutor({ execArgv }) })
    const result = await run('noop')
    expect(result).toMatchObject({ status: 'failed', reason: 'lost', attempts: 1 })
    expect(result.error?.message).toContain('its process did not start')
  })

  test.each([
    ['abort', 'SIGABRT'],
    ['segfault', 'SIGSEGV'],
  ])('that dies by itself (%s) is lost, and costs nobody else', async (name, signal) => {
    const { run, submit } = create()
    const other = submit('wait', { args: [300] })
    const result = await run(name)
    expect(result).toMatchObject({ status: 'failed', reason: 'lost', attempts: 1 })
    expect(result.error?.message).toContain(`its process was killed by ${signal}`)
    expect(await other.result()).toMatchObject({ status: 'completed', attempts: 1 })
  })

  test('in a synchronous native call is ended all the same', async () => {
    const { run } = create()
    const result = await run('sleepInShell', { args: [60], timeoutMs: 300 })
    expect(result).toMatchObject({ status: 'failed', reason: 'timeout' })
    expect(result.durationMs).toBeLessThan(30_000)
  })

  test('is ended with what it has started, though both ignore SIGTERM', async () => {
    const { submit, nextLine } = create()
    const line = nextLine()
    const job = submit('startDeaf')
    const pids = (await line).split(' ').map(Number)
    job.cancel()
    expect(await job.result()).toMatchObject({ status: 'cancelled' })
    await goneProcesses(pids)
  })

  test('keeps its slot until it and what it has started have ended', async () => {
    const { pool, submit, nextLine } = create({ maxParallelJobs: 1 })
    const line = nextLine()
    const job = submit('startDeaf')
    const next = submit('noop')
    const pids = (await line).split(' ').map(Number)
    let ran: boolean[] | undefined
    pool.on('job.started', ({ jobId }) => {
      if (jobId === next.id) ran = pids.map(isRunning)
    })
    job.cancel()
    expect(await next.result()).toMatchObject({ status: 'completed' })
    expect(ran).toEqual([false, false])
  })

  test('is not used again while something runs that an attempt has left', async () => {
    const { run } = create({ maxParallelJobs: 1 })
    const { value: left } = await run('leaveProgram')
    await goneProcesses(left as number[])
    expect((await run('pid')).value).not.toBe((left as number[])[0])
  })

  test.each(['stdout', 'channel', 'listeners'])(
    'is not used again when an attempt has cut its %s',
    async (what) => {
      const { run, pool } = create({ maxParallelJobs: 1 })
      const { value: left } = await run('leaveMaimed', { args: [what] })
      const printed: string[] = []
      pool.on('job.output', ({ chunk }) => printed.push(chunk))
      const next = await run('print', { args: ['heard'] })
      expect(next).toMatchObject({ status: 'completed', attempts: 1 })
      expect(next.value).not.toBe(left)
      expect(printed).toEqual(['heard\n'])
    },
  )

  test('waits for the next attempt when one has let go of what keeps it awake', async () => {
    const { run } = create({ maxParallelJobs: 1 })
    const { value: first } = await run('letGo')
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(await run('pid')).toMatchObject({ status: 'completed', value: first })
  })

  test('in which an attempt has closed the line to its executor loses an attempt at most', async () => {
    const { run } = create({ maxParallelJobs: 1, maxLost: 1 })
    const { value: left } = await run('closeLine')
    for (let count = 0; count < 3; count++) {
      const next = await run('pid', { timeoutMs: 60_000 })
      expect(next).toMatchObject({ status: 'completed' })
      expect(next.value).not.toBe(left)
    }
  }, 20_000)

  test('is used again otherwise', async () => {
    const { run } = create({ maxParallelJobs: 1 })
    expect((await run('pid')).value).toBe((await run('pid')).value)
  })

  test.each(['spinHere', 'startDeaf'])('does not outlive its pool’s process (%s)', async (name) => {
    const owner = fileURLToPath(new URL('./fixtures/owner.ts', import.meta.url))
    const parent = spawn(process.execPath, [owner, name], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(parent.stdout, 'data')
    const pids = pidsIn(String(line).replace(' ', '\n'))
    expect(pids.length).toBeGreaterThan(0)
    parent.kill('SIGKILL')
    await goneProcesses(pids)
  })
})
