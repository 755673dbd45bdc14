import { fileURLToPath } from 'node:url'
import { receiveMessageOnPort, type Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { EspalierError } from '../../domain/errors.ts'
import type { Attempt, AttemptSink } from '../../ports/executor.ts'
import { packError } from '../packed-error.ts'
import type { Abort, Outcome, Said } from '../worker/messages.ts'
import { afterGrace, type Force, OUT_OF_MEMORY, RunningTask } from '../worker/running.ts'
import { taskOf } from '../worker/task.ts'
import type { Introduction } from './worker.ts'

/** As many as anybody may want: the job pool says how many attempts run. */
const THREADS_MAX = 4_096
/** How often the memory of threads is looked at: with a limit, and without. */
const WATCH_LIMITED_MS = 25
const WATCH_MS = 250
/** A thread with a fuller heap is ended before V8 does it, which would end the whole process at times. */
const HEAP_SHARE_MAX = 0.9
/** How long to wait for a thread that is just about to take an attempt. */
const PURSUE_MS = 5

export interface ThreadPoolOptions {
  readonly memoryLimitBytes: number | undefined
  readonly env: NodeJS.ProcessEnv | undefined
  readonly execArgv: readonly string[] | undefined
  /** Its threads cannot start; nothing more is to be started here. */
  onBroken(): void
}

/** A thread that has introduced itself. */
interface Thread extends Introduction {
  readonly worker: Worker
  /** The exit code, once the thread has ended. */
  readonly exited: Promise<number>
  /** Whether it was asked how much memory it holds, and has not answered. */
  isAsked: boolean
}

/**
 * Threads with one memory limit: V8 takes it when a thread is made.
 *
 * Piscina makes and keeps the threads, and carries tasks and outcomes. Beside it each thread has a port of its own, for
 * what an attempt says and for asking it to end.
 */
export class ThreadPool {
  readonly #piscina: Piscina
  readonly #limitBytes: number | undefined
  readonly #threads = new Set<Thread>()
  readonly #running = new Map<number, RunningTask>()
  /** The threads that ended, or are about to, with an attempt that has not been reported. */
  readonly #endedWith = new Map<number, Thread>()
  readonly #onBroken: () => void
  #lastNumber = 0
  #watch: NodeJS.Timeout | undefined

  constructor({ memoryLimitBytes, env, execArgv, onBroken }: ThreadPoolOptions) {
    this.#onBroken = onBroken
    this.#limitBytes = memoryLimitBytes
    this.#piscina = new Piscina({
      filename: fileURLToPath(import.meta.url).replace(/pool(\.\w+)$/, 'worker$1'),
      minThreads: 0,
      maxThreads: THREADS_MAX,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      ...(memoryLimitBytes === undefined ? {} : { resourceLimits: heapLimits(memoryLimitBytes) }),
      ...(env === undefined ? {} : { env }),
      ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
    })
    this.#piscina.on('message', (introduction: Introduction) => this.#meet(introduction))
    this.#piscina.on('error', (error: unknown) => this.#giveUpUnstarted(error))
    this.#piscina.on('workerDestroy', () => queueMicrotask(() => this.#giveUpUnstarted(undefined)))
  }

  get isIdle(): boolean {
    return this.#running.size === 0
  }

  start(attempt: Attempt, sink: AttemptSink): void {
    const number = this.#nextNumber()
    const running = new RunningTask(number, attempt, sink)
    const task = taskOf(number, attempt)
    if (task instanceof EspalierError) {
      running.reject(task)
      return
    }
    this.#running.set(number, running)
    const { transfer } = attempt
    const options = transfer.length === 0 ? undefined : { transferList: [...transfer] as never }
    this.#piscina.run(task, options).then(
      (outcome: Outcome) => this.#ended(running, outcome),
      (error: unknown) => void this.#lost(running, error),
    )
    const every = this.#limitBytes === undefined ? WATCH_MS : WATCH_LIMITED_MS
    this.#watch ??= setInterval(() => this.#look(), every).unref()
  }

  stop(attempt: Attempt, killGraceMs: number): boolean {
    for (const running of this.#running.values()) {
      if (running.attempt !== attempt) continue
      this.#pursue(running, performance.now() + killGraceMs)
      return true
    }
    return false
  }

  /** Ends all threads; attempts that still run end with them. */
  async close(): Promise<void> {
    for (const running of this.#running.values()) running.force('stopped')
    clearInterval(this.#watch)
    this.#watch = undefined
    await this.#piscina.destroy()
  }

  /** Numbers fit into an Int32Array; after two billion attempts they begin again. */
  #nextNumber(): number {
    this.#lastNumber = (this.#lastNumber % (2 ** 31 - 1)) + 1
    return this.#lastNumber
  }

  #meet(introduction: Introduction): void {
    const worker = this.#piscina.threads.find(({ threadId }) => threadId === introduction.threadId)
    if (worker === undefined) return
    const { port, current } = introduction
    const exited = new Promise<number>((resolve) => {
      worker.once('exit', (code) => {
        this.#threads.delete(thread)
        const number = Atomics.load(current, 0)
        if (this.#running.has(number)) this.#endedWith.set(number, thread)
        this.#hearAll(thread)
        port.close()
        resolve(code)
      })
    })
    const thread: Thread = { ...introduction, worker, exited, isAsked: false }
    this.#threads.add(thread)
    port.on('message', (said: Said) => this.#hear(said))
    port.unref()
  }

  #hear({ number, word }: Said): void {
    this.#running.get(number)?.hear(word)
  }

  /** Takes in what a thread has said so far, without waiting for the event loop to bring it. */
  #hearAll({ port }: Thread): void {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
      this.#hear(next.message as Said)
  }

  #ended(running: RunningTask, outcome: Outcome): void {
    // Outcome and words come by different ways: the words were sent before it.
    if (outcome.words > running.words) for (const thread of this.#threads) this.#hearAll(thread)
    if (this.#forget(running)) running.report(outcome)
  }

  /** Piscina has lost the thread of an attempt, or could not even send it there. */
  async #lost(running: RunningTask, error: unknown): Promise<void> {
    const thread = this.#endedWith.get(running.number) ?? this.#threadOf(running)
    if (thread === undefined && (error as Error | null)?.name === 'DataCloneError') {
      if (this.#forget(running)) running.reject(error as Error)
      return
    }
    const code = await thread?.exited
    const isOutOfMemory = (error as { code?: unknown } | null)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
    const how = isOutOfMemory
      ? OUT_OF_MEMORY
      : `its thread exited ${code === undefined ? '' : `with code ${code} `}before it had a result`
    if (this.#forget(running)) running.reportEnd(how, isOutOfMemory)
  }

  #forget(running: RunningTask): boolean {
    this.#endedWith.delete(running.number)
    const wasRunning = this.#running.delete(running.number)
    if (this.#running.size === 0) {
      clearInterval(this.#watch)
      this.#watch = undefined
    }
    return wasRunning
  }

  /**
   * Reports the attempts that no thread has taken, and none will: Piscina keeps tasks when the thread it made for them
   * ends before it was ready.
   */
  #giveUpUnstarted(error: unknown): void {
    if (this.#piscina.threads.length > 0 || this.#running.size === 0) return
    const unstarted = [...this.#running.values()].filter(({ number }) => !this.#endedWith.has(number))
    if (unstarted.length === 0) return
    this.#onBroken()
    const why = error instanceof Error ? `: ${error.message}` : ''
    for (const running of unstarted)
      if (this.#forget(running)) running.reportEnd(`its thread ended before it was ready${why}`)
  }

  #threadOf({ number }: RunningTask): Thread | undefined {
    for (const thread of this.#threads) if (Atomics.load(thread.current, 0) === number) return thread
    return undefined
  }

  /** Asks the attempt's thread to end it, and ends the thread when the grace is over. */
  #pursue(running: RunningTask, forceAt: number): void {
    if (!this.#running.has(running.number)) return
    const thread = this.#threadOf(running)
    if (thread === undefined) {
      running.timer = afterGrace(PURSUE_MS, () => this.#pursue(running, forceAt))
      return
    }
    const { number, attempt } = running
    thread.port.postMessage({ number, reason: packError(attempt.signal.reason) } satisfies Abort)
    running.timer = afterGrace(forceAt - performance.now(), () => this.#force(running, thread, 'stopped'))
  }

  #force(running: RunningTask, thread: Thread, reason: Force, seenBytes?: number): void {
    if (Atomics.load(thread.current, 0) !== running.number) return
    running.force(reason, seenBytes)
    void thread.worker.terminate()
  }

  /** Looks how much memory each busy thread holds. */
  #look(): void {
    for (const thread of this.#threads) {
      const running = this.#running.get(Atomics.load(thread.current, 0))
      if (running !== undefined && !thread.isAsked) void this.#lookAt(thread, running)
    }
  }

  async #lookAt(thread: Thread, running: RunningTask): Promise<void> {
    thread.isAsked = true
    try {
      const statistics = await thread.worker.getHeapStatistics()
      if (Atomics.load(thread.current, 0) !== running.number) return
      const { used_heap_size: heap, external_memory: external, heap_size_limit: heapLimit } = statistics
      running.seen(heap + external)
      const { memoryLimitBytes: limit } = running.attempt
      const seenBytes = heap + external - thread.ownBytes
      const isOver = limit !== undefined && seenBytes > limit
      if (isOver || heap > heapLimit * HEAP_SHARE_MAX) this.#force(running, thread, 'memory', seenBytes)
    } catch {
      // The thread has ended meanwhile.
    } finally {
      thread.isAsked = false
    }
  }
}

const MIB = 2 ** 20

/**
 * V8's own limit, as a last resort well above the job's: a thread that reaches it ends the whole process, unless each of
 * its allocations is small, which a small young generation makes more likely.
 */
function heapLimits(limitBytes: number): {
  maxOldGenerationSizeMb: number
  maxYoungGenerationSizeMb: number
} {
  return { maxOldGenerationSizeMb: Math.ceil((2 * limitBytes) / MIB) + 256, maxYoungGenerationSizeMb: 8 }
}
