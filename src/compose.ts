import { asyncExecutor } from './executors/async.ts'
import { PoolCore } from './runtime/job-pool.ts'
import type { JobPoolOptions } from './runtime/options.ts'

/**
 * Runs jobs, at most `maxParallelJobs` attempts at a time: by priority, after their dependencies, with retries,
 * timeouts and cancellation. The pool and every job are XState actors in one system.
 */
export class JobPool extends PoolCore {
  /** @throws {EspalierError} `ESP_INVALID_OPTION` or `ESP_UNKNOWN_EXECUTOR`. */
  constructor(options: JobPoolOptions = {}) {
    super(options, [asyncExecutor])
  }
}
