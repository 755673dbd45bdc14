import { EspalierError } from '../domain/errors.ts'
import type { Attempt, AttemptSink, Executor } from '../ports/executor.ts'
import { FirstUse } from './first-use.ts'
import { refusesAllButModules } from './modules.ts'
import type { Child, ChildOptions } from './process/child.ts'
import { Watchdog } from './watchdog.ts'
import { RunningTask } from './worker/running.ts'
import { taskOf } from './worker/task.ts'

/** What `createProcessExecutor()` takes. Everything has a default. */
export interface ProcessExecutorOptions {
  /** What jobs name it by. Default `'process'`. */
  readonly name?: string
  /** The environment of the processes. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv
  /** Node's options for the processes. Default: this process's, without those for debugging. */
  readonly execArgv?: readonly string[]
}

/** How many idle processes of other memory limits are kept when one more is needed. */
const IDLE_OTHERS_MAX = 4
/** How often the memory of processes is looked at: while one has a limit, and otherwise. */
const WATCH_LIMITED_MS = 25
const WATCH_MS = 250

/**
 * Runs handlers of modules in processes of their own, which are used again; a process runs one attempt at a time.
 *
 * It keeps a crash away from this process and from other jobs. It is no sandbox: the handler may do whatever the user
 * who runs it may.
 */
export function createProcessExecutor(options: ProcessExecutorOptions = {}): Executor {
  return new ProcessExecutor(options)
}

class ProcessExecutor implements Executor {
  readonly name: string
  readonly supports = {
    modules: true,
    carries: 'clones',
    memoryLimit: true,
    forcedStop: true,
    context: true,
    output: true,
    usage: true,
  } as const
  readonly refuses = refusesAllButModules
  readonly #options: ProcessExecutorOptions
  /** All that have not ended. */
  readonly #children = new Set<Child>()
  /** The one used last being the last. */
  readonly #idle: Child[] = []
  /** The child process, with execa. */
  readonly #childClass = new FirstUse<new (options: ChildOptions) => Child>(
    async () => (await import('./process/child.ts')).Child,
    (attempt, sink) => this.start(attempt, sink),
  )
  readonly #watchdog = new Watchdog()
  #lastNumber = 0
  #watch: NodeJS.Timeout | undefined
  #watchMs = 0

  constructor(options: ProcessExecutorOptions) {
    this.name = options.name ?? 'process'
    this.#options = options
  }

  start(attempt: Attempt, sink: AttemptSink): void {
    const ChildClass = this.#childClass.loaded
    if (ChildClass === undefined) {
      this.#childClass.hold(attempt, sink)
      return
    }
    const number = ++this.#lastNumber
    const running = new RunningTask(number, attempt, sink)
    const task = taskOf(number, attempt)
    if (task instanceof EspalierError) {
      running.reject(task)
      return
    }
    const { memoryLimitBytes } = attempt
    this.#childFor(memoryLimitBytes, ChildClass).run(running, task)
    this.#watchEvery(memoryLimitBytes === undefined ? WATCH_MS : WATCH_LIMITED_MS)
  }

  stop(attempt: Attempt, killGraceMs: number): void {
    if (this.#childClass.withdraw(attempt)) return
    for (const child of this.#children) {
      const { running } = child
      if (running?.attempt === attempt) child.stop(running, killGraceMs)
    }
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#children, (child) => child.close()))
    await this.#watchdog.close()
  }

  /** An idle process with this memory limit, which V8 takes when a process starts, or a new one. */
  #childFor(limit: number | undefined, ChildClass: new (options: ChildOptions) => Child): Child {
    const index = this.#idle.findLastIndex(({ memoryLimitBytes }) => memoryLimitBytes === limit)
    if (index >= 0) return this.#idle.splice(index, 1)[0] as Child
    // Jobs that each have a limit of their own would otherwise leave a process each.
    if (this.#idle.length >= IDLE_OTHERS_MAX) void this.#idle[0]?.close()
    const child = new ChildClass({
      memoryLimitBytes: limit,
      env: this.#options.env,
      execArgv: this.#options.execArgv,
      watchdog: this.#watchdog,
      onIdle: (idle) => this.#idle.push(idle),
      onUnfit: (unfit) => {
        const at = this.#idle.indexOf(unfit)
        if (at >= 0) this.#idle.splice(at, 1)
      },
    })
    this.#children.add(child)
    void child.exited.then(() => this.#children.delete(child))
    return child
  }

  #watchEvery(ms: number): void {
    if (this.#watch !== undefined && this.#watchMs <= ms) return
    clearInterval(this.#watch)
    this.#watchMs = ms
    this.#watch = setInterval(() => this.#look(), ms).unref()
  }

  #look(): void {
    let isNeeded = false
    for (const child of this.#children) {
      if (child.running === undefined) continue
      isNeeded = true
      child.look()
    }
    if (isNeeded) return
    clearInterval(this.#watch)
    this.#watch = undefined
  }
}
