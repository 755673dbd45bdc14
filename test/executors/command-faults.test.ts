import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CommandLine, JobPool, type JobPoolOptions, type JobSpec } from 'espalier'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { childrenOf, goneProcesses, isRunning, pidsIn } from './processes.ts'

const isLinux = process.platform === 'linux'
const folder = mkdtempSync(join(tmpdir(), 'espalier-faults-'))
const pools: JobPool[] = []
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.shutdown({ wait: false })))
})
afterAll(() => rmSync(folder, { recursive: true }))

function createPool(options: JobPoolOptions = {}) {
  const pool = new JobPool({ executorType: 'command', killGraceMs: 200, ...options })
  pools.push(pool)
  let output = ''
  const listeners = new Set<() => void>()
  pool.on('job.output', ({ chunk }) => {
    output += chunk
    for (const listener of listeners) listener()
  })
  /** The pids that the commands have printed, once there are so many. */
  const printed = (count: number) =>
    new Promise<number[]>((resolve) => {
      const look = () => pidsIn(output).length >= count && resolve(pidsIn(output))
      listeners.add(look)
      look()
    })
  const run = (execute: CommandLine, rest: Partial<JobSpec> = {}) =>
    pool.submitJob({ execute, ...rest }).result()
  return { pool, printed, run }
}

const sh = (line: string): CommandLine => ({ command: 'sh', args: ['-c', line] })
const node = (script: string): CommandLine => ({ command: process.execPath, args: ['-e', script] })

describe('a command that cannot be started', () => {
  const plain = join(folder, 'plain')
  writeFileSync(plain, 'no program')
  chmodSync(plain, 0o644)
  const script = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text)
    chmodSync(path, 0o755)
    return path
  }
  const orphan = script('orphan', '#!/no/such/interpreter -x\necho 1\n')
  const foreign = script('foreign', '#!/bin/sh\r\necho 1\r\n')

  test.each<[string, CommandLine, string, RegExp]>([
    ['does not exist', { command: 'no-such-program' }, 'ENOENT', /no such program/],
    ['may not be executed', { command: plain }, 'EACCES', /may not be executed/],
    ['has an argument of 3 MB', { command: 'true', args: ['x'.repeat(3e6)] }, 'E2BIG', /too long/],
    [
      'has no directory to run in',
      { command: 'true', cwd: '/no/such/place' },
      'ENOENT',
      /no directory "\/no\/such\/place"/,
    ],
    [
      'is to run in a file',
      { command: 'true', cwd: plain },
      'ENOTDIR',
      /plain" is no directory: correct `cwd`/,
    ],
    [
      'is to run below a file',
      { command: 'true', cwd: join(plain, 'x') },
      'ENOTDIR',
      /no directory ".*plain\/x"/,
    ],
    [
      'would lie in a file',
      { command: join(plain, 'x') },
      'ENOTDIR',
      /goes through a file.*correct the path/,
    ],
    [
      'has an interpreter that is missing',
      { command: orphan },
      'ENOENT',
      /orphan" is there.*"\/no\/such\/interpreter"/,
    ],
    ['has lines that end as on Windows', { command: foreign }, 'ENOENT', /foreign" is there.*"\/bin\/sh\\r"/],
    [
      'is found from its directory, and its interpreter is missing',
      { command: './orphan', cwd: folder },
      'ENOENT',
      /orphan" is there/,
    ],
    [
      'is found on the PATH, and its interpreter is missing',
      { command: 'orphan', env: { PATH: `/no/such/place:${folder}` } },
      'ENOENT',
      /orphan" is there/,
    ],
  ])('because it %s is rejected, and not tried again', async (_, execute, code, text) => {
    const { run, pool } = createPool({ maxRetries: 3 })
    const { status, reason, error, attempts } = await run(execute)
    expect({ status, reason, attempts }).toEqual({ status: 'failed', reason: 'rejected', attempts: 1 })
    expect(error).toMatchObject({ code: 'ESP_COMMAND_NOT_STARTED', details: { code } })
    expect(error?.message).toMatch(text)
    expect((await run(sh('exit 0'))).status).toBe('completed')
    expect(pool.getStatus()).toMatchObject({ running: 0, zombies: 0 })
  })
})

describe('a command whose result file', () => {
  const path = join(folder, 'result')
  const cases: [string, CommandLine, RegExp, number][] = [
    ['is a pipe', { ...sh(`mkfifo ${path}`), result: { file: path } }, /something there that is no file/, 2],
    ['is a device', { ...sh(`ln -s /dev/zero ${path}`), result: { file: path } }, /no file/, 2],
    ['is a directory', { ...sh('true'), result: { file: folder } }, /directory/, 1],
    ['would lie in a file', { ...sh('true'), result: { file: join(process.execPath, 'x') } }, /ENOTDIR/, 1],
  ]

  test.each(cases)('%s is told, and holds up nobody', async (_, execute, text, attempts) => {
    const { run } = createPool({ maxRetries: 1, backoff: { type: 'fixed', delayMs: 0 } })
    const result = await run(execute, { timeoutMs: 5_000 })
    expect(result).toMatchObject({ status: 'failed', attempts, error: { code: 'ESP_COMMAND_RESULT' } })
    expect(result.error?.message).toMatch(text)
    rmSync(path, { force: true })
  })
})

test('a command has its grace, however long that is', async () => {
  const { pool, printed } = createPool({ killGraceMs: 2 ** 31 })
  const execute = sh('trap "sleep 0.3; echo 2; exit 0" TERM; echo 1; while :; do sleep 0.1; done')
  const job = pool.submitJob({ execute })
  await printed(1)
  job.cancel()
  expect((await printed(2)).length).toBe(2)
  expect((await job.result()).status).toBe('cancelled')
})

describe('a command that fails', () => {
  test('by its exit code is tried again as often as the policy says', async () => {
    const { run } = createPool({ maxRetries: 2, backoff: { type: 'fixed', delayMs: 0 } })
    const { attempts, error } = await run(sh('echo out; echo "it broke" >&2; exit 3'))
    expect(attempts).toBe(3)
    expect(error).toMatchObject({
      code: 'ESP_COMMAND_FAILED',
      details: { exitCode: 3, signal: undefined, stdout: 'out\n', stderr: 'it broke\n' },
      message: expect.stringContaining('exit code 3; the end of its stderr: "it broke"'),
    })
  })

  test.each(['SEGV', 'ABRT', 'KILL'])('by SIG%s tells the signal', async (signal) => {
    const { error, reason } = await createPool().run(sh(`kill -${signal} $$`))
    expect(reason).toBe('error')
    expect(error).toMatchObject({ details: { exitCode: undefined, signal: `SIG${signal}` } })
  })
})

describe('a command that will not end', () => {
  test('ends when it times out, at SIGTERM if it listens', async () => {
    const { run } = createPool({ timeoutMs: 300, killGraceMs: 60_000 })
    const { reason, durationMs } = await run(sh('exec sleep 1000'))
    expect(reason).toBe('timeout')
    expect(durationMs).toBeLessThan(10_000)
  })

  test('ends by force, grandchildren too, when all of them ignore SIGTERM', async () => {
    const { pool, printed } = createPool()
    const ignoring = `trap '' TERM; echo $$; (echo $(exec sh -c 'echo $PPID'); while :; do sleep 1; done) & while :; do :; done`
    const job = pool.submitJob({ execute: sh(ignoring) })
    const pids = await printed(2)
    expect(pids.map(isRunning)).toEqual([true, true])
    job.cancel()
    const { status } = await job.result()
    expect(status).toBe('cancelled')
    await goneProcesses(pids)
    expect(pool.getStatus()).toMatchObject({ running: 0, zombies: 0 })
  })

  test.runIf(isLinux)('ends with those that made a process group of their own', async () => {
    const { pool, printed } = createPool()
    const line = `timeout 1000 sh -c 'trap "" TERM; echo $$; while :; do sleep 1; done' & echo $!; echo $$; wait`
    const job = pool.submitJob({ execute: sh(line) })
    const pids = await printed(3)
    job.cancel()
    await job.result()
    await goneProcesses(pids)
  })

  test('keeps its slot until all of it has ended', async () => {
    const { pool, printed } = createPool({ maxParallelJobs: 1 })
    const job = pool.submitJob({ execute: sh(`trap '' TERM; echo $$; while :; do sleep 0.1; done`) })
    const next = pool.submitJob({ execute: sh('exit 0') })
    const [pid] = await printed(1)
    let wasRunning: boolean | undefined
    pool.on('job.started', ({ jobId }) => {
      if (jobId === next.id) wasRunning = isRunning(pid as number)
    })
    job.cancel()
    expect(next.status).toBe('queued')
    expect((await next.result()).status).toBe('completed')
    expect(wasRunning).toBe(false)
  })

  test('before it has begun is not started at all', async () => {
    const { pool } = createPool()
    const file = join(folder, 'never')
    const job = pool.submitJob({ execute: { command: 'touch', args: [file] } })
    job.cancel()
    expect((await job.result()).status).toBe('cancelled')
    await pool.shutdown()
    expect(() => chmodSync(file, 0o600)).toThrow(/ENOENT/)
  })
})

describe('what a command leaves behind', () => {
  test('in its group is killed when it ends, though it holds the streams', async () => {
    const { run, printed } = createPool()
    const { status, value } = await run(sh('sleep 1000 & echo $!; echo done'))
    expect(status).toBe('completed')
    expect(value).toMatchObject({ stdout: expect.stringContaining('done') })
    await goneProcesses(await printed(1))
  })

  test.runIf(isLinux)('in a session of its own is out of reach, and does not hold up the job', async () => {
    const { run, printed } = createPool()
    const { status } = await run(sh('setsid sh -c "echo \\$\\$; exec sleep 1000" & sleep 0.2; echo done'))
    expect(status).toBe('completed')
    const [pid] = (await printed(1)) as [number]
    expect(isRunning(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  })
})

describe.runIf(isLinux)('a command that takes too much memory', () => {
  test('is ended: 600 MB of Buffers under a limit of 150 MB', async () => {
    const { run, pool } = createPool({ memoryLimitBytes: 150e6 })
    const greedy = `
      const held = []
      const grow = () => { if (held.length < 60) { held.push(Buffer.alloc(10e6, 1)); setTimeout(grow, 20) } }
      grow(); setTimeout(() => {}, 60000)`
    const { status, reason, error, usage } = await run(node(greedy))
    expect({ status, reason }).toEqual({ status: 'failed', reason: 'error' })
    expect(error).toMatchObject({ code: 'ESP_MEMORY_LIMIT', details: { limitBytes: 150e6 } })
    expect(usage?.peakMemoryBytes).toBeGreaterThan(150e6)
    expect(usage?.peakMemoryBytes).toBeLessThan(500e6)
    expect(pool.getStatus().running).toBe(0)
  })

  test('in its grandchildren is ended with them', async () => {
    const { run, printed } = createPool()
    const greedy = `const held = Buffer.alloc(300e6, 1); setTimeout(() => held, 60000)`
    const line = `"$0" -e '${greedy}' & echo $!; wait`
    const { error } = await run(
      { command: 'sh', args: ['-c', line, process.execPath] },
      { memoryLimitBytes: 200e6 },
    )
    expect(error).toMatchObject({ code: 'ESP_MEMORY_LIMIT' })
    await goneProcesses(await printed(1))
  })

  test('is left alone below its limit', async () => {
    const { status } = await createPool().run(node('Buffer.alloc(20e6, 1)'), { memoryLimitBytes: 1e9 })
    expect(status).toBe('completed')
  })
})

test('a shutdown ends what runs, and waits for it', async () => {
  const { pool, printed } = createPool()
  const job = pool.submitJob({ execute: sh(`trap '' TERM; echo $$; while :; do sleep 0.1; done`) })
  const pids = await printed(1)
  await pool.shutdown({ wait: false })
  expect((await job.result()).status).toBe('cancelled')
  expect(pids.map(isRunning)).toEqual([false])
})

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'a pool process that dies by %s leaves nothing running',
  async (signal) => {
    const script = join(import.meta.dirname, 'fixtures/orphaning.ts')
    const parent = spawn(process.execPath, ['--conditions=espalier-source', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    const pids = await new Promise<number[]>((resolve) =>
      parent.stdout.on('data', (chunk) => {
        output += chunk
        if (pidsIn(output).length >= 4) resolve(pidsIn(output))
      }),
    )
    expect(pids.every(isRunning)).toBe(true)
    parent.kill(signal)
    await goneProcesses([parent.pid as number, ...pids])
  },
)

test.runIf(isLinux)(
  'after 1,000 crashed commands the pool holds no process and no handle more',
  async () => {
    const { pool, run } = createPool({ maxParallelJobs: 4 })
    await run(sh('exit 1'))
    const handles = () =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'PipeWrap' || kind === 'ProcessWrap').length
    const before = { children: childrenOf(process.pid).length, handles: handles() }
    const crashing = ['exit 1', 'kill -SEGV $$', 'kill -KILL $$', 'sleep 1000 & exit 2']
    const jobs = Array.from({ length: 1_000 }, (_, index) =>
      pool.submitJob({ execute: sh(crashing[index % crashing.length] as string) }),
    )
    for (const job of jobs) expect((await job.result()).status).toBe('failed')
    expect(childrenOf(process.pid).length).toBeLessThanOrEqual(before.children)
    // Node lets go of a pipe some turns after its end.
    while (handles() > before.handles) await new Promise((resolve) => setImmediate(resolve))
    expect(pool.getStatus()).toMatchObject({ running: 0, zombies: 0 })
    await pool.shutdown()
    await goneProcesses(childrenOf(process.pid))
  },
  60_000,
)
