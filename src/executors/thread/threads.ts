import type { WorkerListener, WorkerSource } from '../worker/pooled-worker.ts'
import { Thread, type ThreadOptions } from './thread.ts'

/** How long threads are listened to, one after the other, before the event loop turns. */
const HEARING_MS = 10

/** The threads of an executor. */
export class Threads implements WorkerSource {
  readonly #options: ThreadOptions
  readonly #threads = new Set<Thread>()

  constructor(options: Omit<ThreadOptions, 'onTurn'>) {
    this.#options = { ...options, onTurn: () => this.#hearAll() }
  }

  create(memoryLimitBytes: number | undefined, listener: WorkerListener): Thread {
    const thread = new Thread(memoryLimitBytes, this.#options, listener)
    this.#threads.add(thread)
    void thread.exited.then(() => this.#threads.delete(thread))
    return thread
  }

  /** Hears what has come meanwhile from any thread: a turn of the event loop for each message would take longer. */
  #hearAll(): void {
    const until = performance.now() + HEARING_MS
    let wasHeard: boolean
    do {
      wasHeard = false
      for (const thread of this.#threads) if (thread.hearNext()) wasHeard = true
    } while (wasHeard && performance.now() < until)
  }
}
