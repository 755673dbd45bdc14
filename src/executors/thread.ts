import type { Executor } from '../ports/executor.ts'
import { BETWEEN_THREADS } from './carrying.ts'
import { ownFile } from './own-file.ts'
import { WorkerExecutor } from './worker/executor.ts'
import { checkWorkerOptions } from './worker-options.ts'

/** What `createThreadExecutor()` takes. Everything has a default. */
export interface ThreadExecutorOptions {
  /** What jobs name it by. Default `'thread'`. */
  readonly name?: string
  /** The environment of the threads. Default: a copy of this process's. */
  readonly env?: NodeJS.ProcessEnv
  /** Node's options for the threads. Default: this process's. */
  readonly execArgv?: readonly string[]
}

/**
 * Runs handlers of modules in worker threads, on Piscina; a thread runs one attempt at a time.
 *
 * A thread shares this process: it is no sandbox, and what ends the process ends all of them.
 *
 * @throws {EspalierError} `ESP_INVALID_OPTION` or `ESP_UNKNOWN_OPTION`.
 */
export function createThreadExecutor(given: ThreadExecutorOptions = {}): Executor {
  const { name = 'thread', ...options } = checkWorkerOptions('the thread executor', given)
  return new WorkerExecutor({
    name,
    carrier: BETWEEN_THREADS,
    async load() {
      const file = ownFile('thread/worker')
      const { Threads } = await import('./thread/threads.ts')
      return new Threads({ ...options, file })
    },
  })
}
