import type { HostCapacity } from '../../domain/capacity.ts'
import type { HostSample } from '../../domain/pressure.ts'
import type { ExecutorSupports } from '../../ports/executor.ts'
import type { Host, HostWatch } from '../../ports/host.ts'
import type { Logger } from '../../ports/logger.ts'

/** What simulated executors can do: all but ending by force what ignores its signal, which is a fault to be simulated. */
export const EVERYTHING: ExecutorSupports = {
  closures: true,
  modules: true,
  transfer: true,
  memoryLimit: true,
  context: true,
  output: true,
}

/** The executors that a workflow's nodes may name. */
export const EXECUTORS = ['async', 'thread', 'process', 'command', 'machine'] as const

const ignore = (): void => {}

/** What the runtime would tell people; here the invariants tell. */
export const SILENT_LOGGER: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }

/** A machine of two cores, so that `maxParallelJobs: 'auto'` is the same everywhere; it complains when it is told to. */
export class SimulatedHost implements Host {
  isPressed = false

  capacity(): HostCapacity {
    return {
      cores: 2,
      containerCpus: undefined,
      totalMemoryBytes: 2 ** 33,
      availableMemoryBytes: 2 ** 33,
    }
  }

  watch(): HostWatch {
    const sample = () => (this.isPressed ? { memoryShare: 1, cpuLoad: 100, eventLoopDelayMs: 1e6 } : QUIET)
    return { sample, close: ignore }
  }
}

const QUIET: HostSample = { memoryShare: 0, cpuLoad: 0, eventLoopDelayMs: 0 }
