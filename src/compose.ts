import { checkKeys, checkObject } from './domain/check.ts'
import type { RunOutcome, Workflow } from './domain/workflow.ts'
import { asyncExecutor } from './executors/async.ts'
import { createCommandExecutor } from './executors/command.ts'
import { createMachineExecutor } from './executors/machine.ts'
import { createProcessExecutor } from './executors/process.ts'
import { createThreadExecutor } from './executors/thread.ts'
import { systemHost } from './resources/host.ts'
import type { ExecutorFactories } from './runtime/pool/executors.ts'
import { PoolCore } from './runtime/pool/job-pool.ts'
import { type JobPoolOptions, POOL_OPTION_NAMES } from './runtime/pool/options.ts'
import { Orchestrator, type OrchestratorOptions, RUN_OPTION_NAMES } from './runtime/tree/orchestrator.ts'
import { openSqliteStore } from './sqlite-store.ts'

/** The executors that every pool knows by name; each is made when a job first needs it. */
const FACTORIES: ExecutorFactories = {
  async: () => asyncExecutor,
  thread: () => createThreadExecutor(),
  process: () => createProcessExecutor(),
  command: () => createCommandExecutor(),
  machine: createMachineExecutor,
}

/**
 * Runs jobs, at most `maxParallelJobs` attempts at a time: by priority, after their dependencies, with retries,
 * timeouts and cancellation. The pool and every job are XState actors in one system.
 */
export class JobPool extends PoolCore {
  /** @throws {EspalierError} `ESP_INVALID_OPTION` or `ESP_UNKNOWN_EXECUTOR`. */
  constructor(options: JobPoolOptions = {}) {
    super(options, FACTORIES, systemHost, openSqliteStore)
  }
}

/** What a run is started with: a pool to run in, or the options of one of its own. */
export type RunOptions = Omit<OrchestratorOptions, 'pool'> &
  (
    | ({ readonly pool: JobPool } & { readonly [Option in keyof JobPoolOptions]?: never })
    | ({ readonly pool?: never } & Omit<JobPoolOptions, 'signal'>)
  ) & {
    readonly signal?: AbortSignal
  }

/**
 * Runs a workflow to its end, in the given pool or in one of its own that is shut down afterwards.
 *
 * @returns How the run ended; it rejects only for what is wrong before it has started.
 * @throws {EspalierError} `ESP_INVALID_WORKFLOW`, `ESP_INVALID_INPUT`, `ESP_UNKNOWN_HANDLER`, `ESP_INVALID_OPTION`,
 * `ESP_UNKNOWN_OPTION`: also for an option of a pool beside a given `pool`.
 */
// biome-ignore lint/suspicious/noExplicitAny: a workflow of any input type can be run.
export async function runWorkflow(workflow: Workflow<any>, options: RunOptions = {}): Promise<RunOutcome> {
  checkObject('options', options)
  if (options.pool !== undefined) checkKeys('a run in a given pool', options, RUN_OPTION_NAMES)
  else checkKeys('a run', options, ALL_OPTION_NAMES)
  const { pool: given, input, runId, executor, source, fork, signal, ...poolOptions } = options
  const pool = given ?? new JobPool(poolOptions as JobPoolOptions)
  try {
    const run = {
      pool,
      input,
      ...(runId === undefined ? {} : { runId }),
      ...(executor === undefined ? {} : { executor }),
      ...(source === undefined ? {} : { source }),
      ...(fork === undefined ? {} : { fork }),
      ...(signal === undefined ? {} : { signal }),
    }
    return await new Orchestrator(workflow, run).run()
  } finally {
    if (given === undefined) await pool.shutdown()
  }
}

const ALL_OPTION_NAMES: ReadonlySet<string> = new Set([...RUN_OPTION_NAMES, ...POOL_OPTION_NAMES])
