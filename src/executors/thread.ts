import type { Attempt, AttemptSink, Executor } from '../ports/executor.ts'
import { FirstUse } from './first-use.ts'
import { refusesAllButModules } from './modules.ts'
import type { ThreadPool, ThreadPoolOptions } from './thread/pool.ts'

/** What `createThreadExecutor()` takes. Everything has a default. */
export interface ThreadExecutorOptions {
  /** What jobs name it by. Default `'thread'`. */
  readonly name?: string
  /** The environment of the threads. Default: a copy of this process's. */
  readonly env?: NodeJS.ProcessEnv
  /** Node's options for the threads. Default: this process's. */
  readonly execArgv?: readonly string[]
}

/** Of how many memory limits threads are kept while no attempt with that limit runs. */
const IDLE_LIMITS_MAX = 4

/**
 * Runs handlers of modules in worker threads, on Piscina; a thread runs one attempt at a time.
 *
 * A thread shares this process: it is no sandbox, and what ends the process ends all of them.
 */
export function createThreadExecutor(options: ThreadExecutorOptions = {}): Executor {
  return new ThreadExecutor(options)
}

class ThreadExecutor implements Executor {
  readonly name: string
  readonly supports = {
    modules: true,
    carries: 'clones',
    transfer: true,
    memoryLimit: true,
    forcedStop: true,
    context: true,
    output: true,
    usage: true,
  } as const
  readonly refuses = refusesAllButModules
  readonly #options: ThreadExecutorOptions
  /** By memory limit, the one used last being the last. */
  readonly #pools = new Map<number | undefined, ThreadPool>()
  /** The pool of threads, with Piscina. */
  readonly #poolClass = new FirstUse<new (options: ThreadPoolOptions) => ThreadPool>(
    async () => (await import('./thread/pool.ts')).ThreadPool,
    (attempt, sink) => this.start(attempt, sink),
  )

  constructor(options: ThreadExecutorOptions) {
    this.name = options.name ?? 'thread'
    this.#options = options
  }

  start(attempt: Attempt, sink: AttemptSink): void {
    const PoolClass = this.#poolClass.loaded
    if (PoolClass === undefined) this.#poolClass.hold(attempt, sink)
    else this.#poolFor(attempt.memoryLimitBytes, PoolClass).start(attempt, sink)
  }

  stop(attempt: Attempt, killGraceMs: number): void {
    if (this.#poolClass.withdraw(attempt)) return
    for (const pool of this.#pools.values()) if (pool.stop(attempt, killGraceMs)) return
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()]
    this.#pools.clear()
    await Promise.all(pools.map((pool) => pool.close()))
  }

  #poolFor(limit: number | undefined, PoolClass: new (options: ThreadPoolOptions) => ThreadPool): ThreadPool {
    let pool = this.#pools.get(limit)
    if (pool !== undefined) return pool
    const { env, execArgv } = this.#options
    const onBroken = () => {
      if (this.#pools.get(limit) === pool) this.#pools.delete(limit)
      void pool?.close()
    }
    pool = new PoolClass({ memoryLimitBytes: limit, env, execArgv, onBroken })
    this.#pools.set(limit, pool)
    if (limit !== undefined) this.#endOldest()
    return pool
  }

  /** Jobs that each have a limit of their own would otherwise leave a thread each. */
  #endOldest(): void {
    const idle = [...this.#pools].filter(([limit, pool]) => limit !== undefined && pool.isIdle)
    for (const [limit, pool] of idle.slice(0, -IDLE_LIMITS_MAX)) {
      this.#pools.delete(limit)
      void pool.close()
    }
  }
}
