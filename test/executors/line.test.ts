import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'
import { devNull } from 'node:os'
import { fileURLToPath } from 'node:url'
import { JobPool, type JobSpec } from 'espalier'
import { afterEach, describe, expect, test } from 'vitest'
import { writeWhole } from '../../src/executors/process/line.ts'
import { goneProcesses, pidsIn } from './processes.ts'

const module = new URL('./fixtures/leftovers.ts', import.meta.url).href
const MIB = 1024 ** 2

const pools: JobPool[] = []
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.shutdown({ wait: false })))
})

/** A pool with one process. */
function createPool() {
  const pool = new JobPool({ executorType: 'process', maxParallelJobs: 1, maxLost: 0, pressure: false })
  pools.push(pool)
  const submit = (name: string, spec: Partial<JobSpec> = {}) =>
    pool.submitJob({ ...spec, execute: { module, export: name } })
  const value = (name: string, ...args: unknown[]) => submit(name, { args }).value()
  /** Runs attempts that follow each other at once, each of which comes by the line but for the first. */
  const runMany = (count: number) => Promise.all(Array.from({ length: count }, () => value('noop')))
  return { pool, submit, value, runMany }
}

test('what a process tells may be larger than Node writes at once', () => {
  const fd = openSync(devNull, 'w')
  try {
    expect(() => writeWhole(fd, { bytes: Buffer.alloc(2 ** 31 + 1), length: 2 ** 31 + 1 })).not.toThrow()
  } finally {
    closeSync(fd)
  }
})

describe('what an attempt has left in its process', () => {
  test('goes on while other attempts follow without a pause', async () => {
    const { value, runMany } = createPool()
    await value('leaveTimer')
    let ticks = 0
    while (ticks < 20) {
      const [, counted] = await Promise.all([runMany(500), value('countTicks')])
      expect(counted).toBeGreaterThanOrEqual(ticks)
      ticks = counted as number
    }
  })

  test('goes on while no attempt follows, and so do its connections', async () => {
    const { value, runMany } = createPool()
    const port = (await value('leaveServer')) as number
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = () =>
      new Promise<number | undefined>((resolve, reject) => {
        const request = get({ host: '127.0.0.1', port, agent }, (response) => {
          response.resume().once('end', () => resolve(request.socket?.localPort))
        })
        request.once('error', reject)
      })
    const first = await ask()
    await runMany(100)
    expect(await ask()).toBe(first)
    const [, during] = await Promise.all([runMany(2_000), ask()])
    expect(during).toBe(first)
    agent.destroy()
  })

  test('and that nobody catches costs no attempt that follows', async () => {
    const { submit } = createPool()
    const jobs = ['noop', 'rejectAtItsEnd', 'noop', 'noop'].map((name) => submit(name))
    for (const job of jobs) expect(await job.result()).toMatchObject({ status: 'completed', attempts: 1 })
  })
})

describe('attempts that follow each other in a process', () => {
  test('are heard in the order in which they speak, before they end', async () => {
    const { pool, submit } = createPool()
    const heard: string[] = []
    pool.on('job.log', ({ jobId, line }) => heard.push(`${jobId} ${line}`))
    pool.on('job.progress', ({ jobId, fraction }) => heard.push(`${jobId} ${fraction}`))
    pool.on('job.completed', ({ jobId }) => heard.push(`${jobId} end`))
    const ids = ['a', 'b', 'c']
    const jobs = ids.map((id) => submit('speakOften', { id, args: [50] }))
    for (const job of jobs) expect(await job.value()).toBe(50)
    const expected = ids.flatMap((id) => {
      const words = Array.from({ length: 50 }, (_, index) => [
        `${id} ${(index + 1) / 50}`,
        `${id} line ${index + 1}`,
      ])
      return [...words.flat(), `${id} end`]
    })
    expect(heard).toEqual(expected)
  })

  test('carry far more than their line holds, both ways', async () => {
    const { value, runMany } = createPool()
    const large = [3, 20, 1].map((count, index) => new Uint8Array(count * MIB).fill(index + 1))
    const values = await Promise.all([
      runMany(3),
      ...large.map((bytes) => value('back', bytes)),
      value('back', 7),
    ])
    expect(
      values.slice(1, -1).map((bytes) => [(bytes as Uint8Array).length, (bytes as Uint8Array).at(-1)]),
    ).toEqual(large.map((bytes) => [bytes.length, bytes.at(-1)]))
    expect(values.at(-1)).toBe(7)
  })

  test.runIf(process.platform === 'linux')('come though a signal has interrupted their process', async () => {
    const { value, submit } = createPool()
    const pid = (await value('pid')) as number
    const sleeps = () =>
      Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    // While it waits, Node opens its inspector; nothing is sent to it before it sleeps again.
    const interrupt = () => {
      while (!/^State:\s+S/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')));
      const before = sleeps()
      process.kill(pid, 'SIGUSR1')
      while (sleeps() === before);
    }
    await submit('noop', { callback: interrupt }).result()
    expect([await value('pid'), await value('pid'), await value('pid')]).toEqual([pid, pid, pid])
  })

  test('can be asked to end', async () => {
    const { pool, submit } = createPool()
    const jobs = ['noop', 'noop', 'noop', 'obey', 'noop'].map((name) => submit(name))
    pool.on('job.log', ({ jobId }) => pool.cancelJob(jobId))
    const statuses = await Promise.all(jobs.map(async (job) => (await job.result()).status))
    expect(statuses).toEqual([...Array(3).fill('completed'), 'cancelled', 'completed'])
  })

  test('are refused one by one where they cannot be carried, and so is one that follows nothing', async () => {
    const { submit } = createPool()
    const { port1: port } = new MessageChannel()
    const end = async (args: unknown[]) => (await submit('back', { args, maxRetries: 0 }).result()).reason
    expect(await end([port])).toBe('rejected')
    expect(await Promise.all([end([1]), end([2]), end([port]), end([4])])).toEqual([
      undefined,
      undefined,
      'rejected',
      undefined,
    ])
    port.close()
  })

  test('end with their process, at any moment', async () => {
    const { submit, value } = createPool()
    for (let turn = 0; turn < 3; turn++) {
      const pid = (await value('pid')) as number
      const jobs = Array.from({ length: 200 }, () => submit('noop'))
      // The process waits for its next attempt just now, or runs one.
      await jobs[50 * turn]?.result()
      process.kill(pid, 'SIGKILL')
      const results = await Promise.all(jobs.map((job) => job.result()))
      expect(results.filter(({ status }) => status === 'failed').length).toBeLessThanOrEqual(1)
      await goneProcesses([pid])
    }
  })

  test('leave the line to their process alone', async () => {
    const { value } = createPool()
    const [, listing] = await Promise.all([value('noop'), value('descriptorsOfProgram')])
    expect(listing).not.toMatch(/ [3-9] -> socket/)
  })
})

test('a process that waits for its next attempt does not outlive its pool’s process', async () => {
  const owner = fileURLToPath(new URL('./fixtures/busy-owner.ts', import.meta.url))
  const parent = spawn(process.execPath, ['--conditions=espalier-source', owner], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(parent.stdout, 'data')
  const pids = pidsIn(String(line))
  expect(pids).toHaveLength(1)
  parent.kill('SIGKILL')
  await goneProcesses(pids)
})
