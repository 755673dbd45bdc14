import { readFileSync } from 'node:fs'
import os from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { HostCapacity } from '../domain/capacity.ts'
import type { HostSample } from '../domain/pressure.ts'
import type { Host, HostWatch } from '../ports/host.ts'
import { type CgroupLimits, readCgroupLimits } from './cgroup.ts'

/** Ticks of the event loop's monitor, in ms. */
const RESOLUTION_MS = 20

/** The machine this process runs on, and the container around it if there is one. */
export const systemHost: Host = {
  capacity: () => capacityOf(os.availableParallelism(), machineMemory(), readCgroupLimits(readText)),
  watch: () => new SystemWatch(),
}

interface Memory {
  readonly totalBytes: number
  readonly availableBytes: number
}

/** What machine and container leave together. */
export function capacityOf(cores: number, machine: Memory, { cpus, memory }: CgroupLimits): HostCapacity {
  const limits = memory.map(({ limitBytes }) => limitBytes)
  const rests = memory.map(({ limitBytes, usedBytes }) => Math.max(0, limitBytes - usedBytes))
  return {
    cores,
    containerCpus: cpus,
    totalMemoryBytes: Math.min(machine.totalBytes, ...limits),
    availableMemoryBytes: Math.min(machine.availableBytes, ...rests),
  }
}

/** The worst of the machine and of every group around this process. */
export function memoryShareOf(machine: Memory | undefined, { memory }: CgroupLimits): number | undefined {
  const shares = memory.map(({ limitBytes, usedBytes }) => usedBytes / limitBytes)
  if (machine !== undefined) shares.push(1 - machine.availableBytes / machine.totalBytes)
  return shares.length === 0 ? undefined : Math.max(...shares)
}

class SystemWatch implements HostWatch {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })

  constructor() {
    this.#delays.enable()
  }

  sample(): HostSample {
    // What macOS calls free leaves out all that it would free on demand: it looks full when it is not.
    const machine = process.platform === 'darwin' ? undefined : machineMemory()
    return {
      memoryShare: memoryShareOf(machine, readCgroupLimits(readText)),
      cpuLoad: process.platform === 'win32' ? undefined : (os.loadavg()[0] as number) / os.cpus().length,
      eventLoopDelayMs: this.#delay(),
    }
  }

  close(): void {
    this.#delays.disable()
  }

  /**
   * What arrives while the loop is held for d waits d/2, and is more likely to arrive in a long hold than in a short
   * one: Σd²/2Σd on average. An idle loop is held by the monitor's own ticks, which are taken off.
   */
  #delay(): number | undefined {
    const { count, mean, stddev } = this.#delays
    if (count === 0) return undefined
    this.#delays.reset()
    const waitMs = (mean ** 2 + stddev ** 2) / (2 * mean) / 1e6
    return Math.max(0, waitMs - RESOLUTION_MS / 2)
  }
}

/** On Linux, `freemem` is what the kernel calls available: caches that it can drop count as free. */
const machineMemory = (): Memory => ({ totalBytes: os.totalmem(), availableBytes: os.freemem() })

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
