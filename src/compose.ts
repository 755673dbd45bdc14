import { checkKeys, checkObject } from './domain/check.ts'
import { defineWorkflow, type RunOutcome, type Workflow } from './domain/workflow.ts'
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

/** The pool of one run: jobs of its store that stand alone are left to a pool that has their handlers. */
export class RunPool extends PoolCore {
  constructor(options: JobPoolOptions) {
    super(options, FACTORIES, systemHost, openSqliteStore, 'runs')
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
 * @returns How the run ended; it rejects for what is wrong before it has started and, with a store, for what leaves the run there to be
 * resumed: the pool's shutdown, or a commit that is refused.
 * @throws {EspalierError} `ESP_INVALID_WORKFLOW`, `ESP_INVALID_INPUT`, `ESP_UNKNOWN_HANDLER`, `ESP_INVALID_OPTION`,
 * `ESP_UNKNOWN_OPTION`: also for an option of a pool beside a given `pool`.
 */
// biome-ignore lint/suspicious/noExplicitAny: a workflow of any input type can be run.
export async function runWorkflow(workflow: Workflow<any>, options: RunOptions = {}): Promise<RunOutcome> {
  checkObject('options', options)
  if (options.pool !== undefined) checkKeys('a run in a given pool', options, RUN_OPTION_NAMES)
  else checkKeys('a run', options, ALL_OPTION_NAMES)
  const { pool: given, input, runId, executor, source, fork, signal, ...poolOptions } = options
  const pool = given ?? new RunPool(poolOptions as JobPoolOptions)
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

/**
 * Cancels a stored run that no process works on.
 *
 * Nothing of it starts, so its workflow, and the executors and limits that its jobs name, need not be there.
 */
export async function cancelStoredRun(
  { id: runId, workflow: name }: { readonly id: string; readonly workflow: string },
  store: NonNullable<JobPoolOptions['store']>,
): Promise<RunOutcome> {
  const pool = new PoolCore({ store }, FACTORIES, systemHost, openSqliteStore, 'cancel')
  pool.pause()
  try {
    // What was not decided stays so: an answer of ours would be recorded as the workflow's.
    const expand = () => new Promise<never>(() => {})
    const workflow = defineWorkflow({ name, handlers: {}, root: () => [], expand })
    const orchestrator = new Orchestrator(workflow, { pool, runId })
    const ended = orchestrator.run()
    orchestrator.cancel()
    return await ended
  } finally {
    await pool.shutdown({ wait: false })
  }
}

const ALL_OPTION_NAMES: ReadonlySet<string> = new Set([...RUN_OPTION_NAMES, ...POOL_OPTION_NAMES])
