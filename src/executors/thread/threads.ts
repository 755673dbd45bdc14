import type { WorkerListener, WorkerSource } from '../worker/pooled-worker.ts'
import { Thread, type ThreadOptions } from './thread.ts'

/** How long threads are listened to, one after the other, before the event loop turns. */
const HEARING_MS = 10
/**
 * How long it is listened for one more message before the event loop turns: as long as a short attempt takes and its
 * thread needs to be woken. Both sides' sleeping and waking would take longer than that.
 */
const LISTENING_MS = 0.03

/** The threads of an executor. */
export class Threads implements WorkerSource {
  readonly #options: ThreadOptions
  readonly #threads = new Set<Thread>()

  constructor(options: Omit<ThreadOptions, 'onTurn'>) {
    this.#options = { ...options, onTurn: (isFollowed) => this.#hearAll(isFollowed) }
  }

  create(memoryLimitBytes: number | undefined, listener: WorkerListener): Thread {
    const thread = new Thread(memoryLimitBytes, this.#options, listener)
    this.#threads.add(thread)
    void thread.exited.then(() => this.#threads.delete(thread))
    return thread
  }

  /**
   * Hears what has come meanwhile from any thread: a turn of the event loop for each message would take longer.
   *
   * @param isFollowed - Whether the thread heard last has its next attempt; where none waits, who waits for the result comes first.
   */
  #hearAll(isFollowed: boolean): void {
    let now = performance.now()
    const until = now + HEARING_MS
    let listenUntil = isFollowed ? now + LISTENING_MS : now
    let wasHeard: boolean
    do {
      wasHeard = false
      for (const thread of this.#threads) {
        if (!thread.hearNext()) continue
        wasHeard = true
        listenUntil = thread.running === undefined ? now : now + LISTENING_MS
      }
      now = performance.now()
    } while (now < until && (wasHeard || now < listenUntil))
  }
}
