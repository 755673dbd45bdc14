import { EspalierError } from '../../domain/errors.ts'
import type { Attempt, AttemptSink, Executor, ExecutorSupports } from '../../ports/executor.ts'
import type { Carrier } from '../carrying.ts'
import { FirstUse } from '../first-use.ts'
import { refusesAllButModules } from '../modules.ts'
import type { PooledWorker, WorkerListener, WorkerSource } from './pooled-worker.ts'
import { RunningTask } from './running.ts'
import { taskOf } from './task.ts'

export interface WorkerExecutorOptions {
  readonly name: string
  /** By what values travel. Within a process, buffers are handed over without a copy. */
  readonly carrier: Carrier
  /** Loads what starts the threads or processes, with the library behind it; called when the first attempt needs it. */
  load(): Promise<WorkerSource>
}

const SUPPORTS = {
  modules: true,
  carries: 'clones',
  memoryLimit: true,
  forcedStop: true,
  context: true,
  output: true,
  usage: true,
} as const

/** How many idle workers of other memory limits are kept when one more is needed. */
const IDLE_OTHERS_MAX = 4
/** How often the memory of workers is looked at: while one has a limit, and otherwise. */
const WATCH_LIMITED_MS = 25
const WATCH_MS = 250

/** Runs handlers of modules in workers, threads or processes, which are used again; a worker runs one attempt at a time. */
export class WorkerExecutor implements Executor, WorkerListener {
  readonly name: string
  readonly supports: ExecutorSupports
  readonly refuses = refusesAllButModules
  /** All that have not ended. */
  readonly #workers = new Set<PooledWorker>()
  /** The one used last being the last. */
  readonly #idle: PooledWorker[] = []
  readonly #source: FirstUse<WorkerSource>
  readonly #carrier: Carrier
  #lastNumber = 0
  #watch: NodeJS.Timeout | undefined
  #watchMs = 0

  constructor({ name, carrier, load }: WorkerExecutorOptions) {
    this.name = name
    this.#carrier = carrier
    this.supports = { ...SUPPORTS, transfer: carrier.isWithinProcess }
    this.#source = new FirstUse(load, (attempt, sink) => this.start(attempt, sink))
  }

  start(attempt: Attempt, sink: AttemptSink): void {
    const { loaded: source } = this.#source
    if (source === undefined) {
      this.#source.hold(attempt, sink)
      return
    }
    const number = ++this.#lastNumber
    const running = new RunningTask(number, attempt, sink)
    const task = taskOf(number, attempt, this.#carrier)
    if (task instanceof EspalierError) {
      running.reject(task)
      return
    }
    const { memoryLimitBytes } = attempt
    const worker = this.#takeIdle(memoryLimitBytes) ?? this.#create(memoryLimitBytes, source)
    worker.run(running, task)
    this.#watchEvery(memoryLimitBytes === undefined ? WATCH_MS : WATCH_LIMITED_MS)
  }

  stop(attempt: Attempt, killGraceMs: number): void {
    if (this.#source.withdraw(attempt)) return
    for (const worker of this.#workers) {
      const { running } = worker
      if (running?.attempt === attempt) worker.stop(running, killGraceMs)
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#watch)
    await Promise.all(Array.from(this.#workers, (worker) => worker.close()))
    await this.#source.loaded?.close?.()
  }

  onIdle(worker: PooledWorker): void {
    this.#idle.push(worker)
  }

  onUnfit(worker: PooledWorker): void {
    const at = this.#idle.indexOf(worker)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  #takeIdle(limit: number | undefined): PooledWorker | undefined {
    const idle = this.#idle
    for (let index = idle.length - 1; index >= 0; index--)
      if (idle[index]?.memoryLimitBytes === limit) return idle.splice(index, 1)[0]
    return undefined
  }

  #create(limit: number | undefined, source: WorkerSource): PooledWorker {
    // Jobs that each have a limit of their own would otherwise leave a worker each.
    if (this.#idle.length >= IDLE_OTHERS_MAX) void this.#idle[0]?.close()
    const worker = source.create(limit, this)
    this.#workers.add(worker)
    void worker.exited.then(() => this.#workers.delete(worker))
    return worker
  }

  #watchEvery(ms: number): void {
    if (this.#watch !== undefined && this.#watchMs <= ms) return
    clearInterval(this.#watch)
    this.#watchMs = ms
    this.#watch = setInterval(() => this.#look(), ms).unref()
  }

  #look(): void {
    let isNeeded = false
    for (const worker of this.#workers) {
      if (worker.running === undefined) continue
      isNeeded = true
      worker.look()
    }
    if (isNeeded) return
    clearInterval(this.#watch)
    this.#watch = undefined
  }
}
