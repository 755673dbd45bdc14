import type { Executor } from '../ports/executor.ts'
import { BETWEEN_PROCESSES } from './carrying.ts'
import { ownFile } from './own-file.ts'
import { Watchdog } from './watchdog.ts'
import { WorkerExecutor } from './worker/executor.ts'
import { checkWorkerOptions } from './worker-options.ts'

/** What `createProcessExecutor()` takes. Everything has a default. */
export interface ProcessExecutorOptions {
  /** What jobs name it by. Default `'process'`. */
  readonly name?: string
  /** The environment of the processes. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv
  /** Node's options for the processes. Default: this process's, without those for debugging. */
  readonly execArgv?: readonly string[]
}

/**
 * Runs handlers of modules in processes of their own, which are used again; a process runs one attempt at a time.
 *
 * It keeps a crash away from this process and from other jobs. It is no sandbox: the handler may do whatever the user
 * who runs it may.
 *
 * @throws {EspalierError} `ESP_INVALID_OPTION` or `ESP_UNKNOWN_OPTION`.
 */
export function createProcessExecutor(given: ProcessExecutorOptions = {}): Executor {
  const { name = 'process', ...options } = checkWorkerOptions('the process executor', given)
  return new WorkerExecutor({
    name,
    carrier: BETWEEN_PROCESSES,
    async load() {
      const file = ownFile('process/worker')
      const watchdog = new Watchdog()
      watchdog.check()
      const { Child } = await import('./process/child.ts')
      return {
        create: (limit, listener) => new Child(limit, { ...options, file, watchdog }, listener),
        close: () => watchdog.close(),
      }
    },
  })
}
