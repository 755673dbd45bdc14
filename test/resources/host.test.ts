import { readFileSync } from 'node:fs'
import os from 'node:os'
import { describe, expect, test } from 'vitest'
import { readCgroupLimits } from '../../src/resources/cgroup.ts'
import { capacityOf, memoryShareOf, systemHost } from '../../src/resources/host.ts'

const GIB = 1024 ** 3
const machine = { totalBytes: 16 * GIB, availableBytes: 12 * GIB }
const none = { cpus: undefined, memory: [] }
const contained = {
  cpus: 1.5,
  memory: [
    { limitBytes: 2 * GIB, usedBytes: GIB / 2 },
    { limitBytes: 4 * GIB, usedBytes: 3.5 * GIB },
  ],
}

describe('the capacity', () => {
  test('is the machine where nothing limits it', () => {
    expect(capacityOf(8, machine, none)).toEqual({
      cores: 8,
      containerCpus: undefined,
      totalMemoryBytes: 16 * GIB,
      availableMemoryBytes: 12 * GIB,
    })
  })

  test('is the least limit, and the least rest: they need not be of the same level', () => {
    expect(capacityOf(8, machine, contained)).toEqual({
      cores: 8,
      containerCpus: 1.5,
      totalMemoryBytes: 2 * GIB,
      availableMemoryBytes: GIB / 2,
    })
  })

  test('has nothing left, and not less, where more is used than the limit', () => {
    const full = { cpus: undefined, memory: [{ limitBytes: GIB, usedBytes: 2 * GIB }] }
    expect(capacityOf(8, machine, full).availableMemoryBytes).toBe(0)
  })

  test('of this machine is within it', () => {
    const { cores, totalMemoryBytes, availableMemoryBytes } = systemHost.capacity()
    expect(cores).toBe(os.availableParallelism())
    expect(totalMemoryBytes).toBeLessThanOrEqual(os.totalmem())
    expect(availableMemoryBytes).toBeGreaterThan(0)
    expect(availableMemoryBytes).toBeLessThan(totalMemoryBytes)
  })
})

test.runIf(process.platform === 'linux')("this machine's cgroups are found, of whichever version", () => {
  const asked: string[] = []
  const read = (path: string) => {
    try {
      const text = readFileSync(path, 'utf8')
      asked.push(path)
      return text
    } catch {
      return undefined
    }
  }
  const { memory } = readCgroupLimits(read)
  for (const { limitBytes } of memory) expect(limitBytes).toBeGreaterThan(0)
  // The root of version 2 alone has no such files.
  if (!/^0::\/$/.test(readFileSync('/proc/self/cgroup', 'utf8').trim())) {
    expect(asked.filter((path) => /memory\.(max|limit_in_bytes)$/.test(path))).not.toEqual([])
  }
})

describe('the used share of the memory', () => {
  test('is the worst of the machine and the groups', () => {
    expect(memoryShareOf(machine, none)).toBe(0.25)
    expect(memoryShareOf(machine, contained)).toBe(0.875)
    expect(memoryShareOf(undefined, none)).toBeUndefined()
  })
})

describe('a watch of this machine', () => {
  const watchFor = async (work: () => Promise<unknown>) => {
    const watch = systemHost.watch()
    try {
      await work()
      return watch.sample()
    } finally {
      watch.close()
    }
  }
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
  const block = (ms: number) => {
    const until = performance.now() + ms
    while (performance.now() < until);
  }

  test('measures shares, the load, and how long the event loop was held', async () => {
    const calm = await watchFor(() => pause(150))
    expect(calm.eventLoopDelayMs).toBeGreaterThanOrEqual(0)
    if (process.platform !== 'darwin') {
      expect(calm.memoryShare).toBeGreaterThan(0)
      expect(calm.memoryShare).toBeLessThan(1)
    }
    if (process.platform !== 'win32') expect(calm.cpuLoad).toBeGreaterThanOrEqual(0)
    const held = await watchFor(async () => {
      await pause(45)
      block(400)
      await pause(45)
    })
    // Most of the half second was one hold of 400 ms: what arrived in it waited for 200 ms on average.
    expect(held.eventLoopDelayMs).toBeGreaterThan(100)
  })

  test('has no delay to tell before the event loop has turned', async () => {
    expect((await watchFor(async () => {})).eventLoopDelayMs).toBeUndefined()
  })
})
