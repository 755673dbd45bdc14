import { cannotSend } from '../carrying.ts'
import { packError, unpackError } from '../packed-error.ts'
import { type Abort, type Outcome, type Task, type TaskMessage, TaskWriter } from './messages.ts'
import type { Report } from './report.ts'
import { afterGrace, type Force, type RunningTask } from './running.ts'

/** A thread or process that runs attempts, one at a time, seen from the executor that uses it again. */
export abstract class PooledWorker {
  /** What it was started with: V8 takes its limit then. */
  readonly memoryLimitBytes: number | undefined
  /** Resolves when it has ended, with all that it has started. */
  abstract readonly exited: Promise<void>
  /** What it holds by itself; unknown until it is ready. */
  protected ownBytes: number | undefined
  readonly #listener: WorkerListener
  readonly #tasks = new TaskWriter()
  #running: RunningTask | undefined
  #isUnfit = false
  /** Whether it keeps this process awake. */
  #isHeld = false

  constructor(memoryLimitBytes: number | undefined, listener: WorkerListener) {
    this.memoryLimitBytes = memoryLimitBytes
    this.#listener = listener
  }

  /** The attempt that runs in it. */
  get running(): RunningTask | undefined {
    return this.#running
  }

  run(running: RunningTask, task: Task): void {
    this.#running = running
    if (!this.#isHeld) {
      this.#isHeld = true
      this.ref()
    }
    try {
      this.hand(this.#tasks.write(task), running.attempt.transfer)
    } catch (thrown) {
      this.#tasks.forget()
      this.#rest()
      running.reject(cannotSend(running.attempt.jobId, 'its arguments', thrown))
      this.#release()
    }
  }

  /** Asks its attempt to end, and ends it with the attempt when the grace is over. */
  stop(running: RunningTask, killGraceMs: number): void {
    const { number, attempt } = running
    this.hand({ number, reason: packError(attempt.signal.reason) }, [])
    running.timer = afterGrace(killGraceMs, () => this.force(running, 'stopped'))
  }

  /** Looks how much memory it holds. */
  abstract look(): void

  /** Ends it; an attempt that still runs ends with it. */
  abstract close(): Promise<void>

  /**
   * Sends it a message.
   *
   * @param moved - What of the message is to be moved, where that is possible.
   * @throws When the message cannot be carried.
   */
  protected abstract hand(message: TaskMessage | Abort, moved: readonly object[]): void

  /** Keeps this process awake while an attempt runs in it. */
  protected abstract ref(): void

  /** Lets this process end while it is idle. */
  protected abstract unref(): void

  /** Ends it at once. */
  protected abstract kill(): void

  /** It tells how its attempt ended. */
  protected abstract onEnded(report: Extract<Report, { kind: 'ended' }>): void

  protected hear(report: Report): void {
    switch (report.kind) {
      case 'ended':
        this.onEnded(report)
        return
      case 'said':
        if (this.#running?.number === report.number) this.#running.hear(report.word)
        return
      case 'ready':
        this.ownBytes = report.ownBytes
        return
      case 'unfit':
        this.retire()
        if (this.#running === undefined) void this.close()
        return
      case 'unread':
        this.garbled('its arguments', unpackError(report.error))
        return
    }
  }

  /**
   * What was sent, by it or to it, cannot be read at the other end: it ends, and its attempt is over with that.
   *
   * @param what - What that was most likely.
   */
  protected garbled(what: string, thrown: unknown): void {
    const running = this.#running
    if (running !== undefined) {
      const error = packError(cannotSend(running.attempt.jobId, what, thrown))
      running.hear({ kind: 'last', outcome: { verb: 'rejected', error, usage: {} } })
    }
    this.kill()
  }

  /** Its attempt has ended: it is ready for another, unless it is unfit. */
  protected finish(outcome: Outcome): void {
    const running = this.#running
    this.#rest()
    running?.report(outcome)
    this.#release()
  }

  /** It has ended, and with it an attempt that still ran; see `RunningTask.reportEnd`. */
  protected gone(how: string, isOutOfMemory: boolean): void {
    const running = this.#running
    this.#running = undefined
    running?.reportEnd(how, isOutOfMemory)
  }

  protected force(running: RunningTask, reason: Force, seenBytes?: number): void {
    if (this.#running !== running) return
    running.force(reason, seenBytes)
    this.kill()
  }

  /** It is to be given no more attempts. */
  protected retire(): void {
    if (this.#isUnfit) return
    this.#isUnfit = true
    this.#listener.onUnfit(this)
  }

  #rest(): void {
    this.#running = undefined
    if (this.#isUnfit) void this.close()
    else this.#listener.onIdle(this)
  }

  /** The next attempt often follows at once, before this is called: then it stays as it is. */
  #release(): void {
    if (!this.#isHeld || this.#running !== undefined) return
    this.#isHeld = false
    this.unref()
  }
}

/** What a {@link PooledWorker} tells its executor. */
export interface WorkerListener {
  /** It waits for another attempt. */
  onIdle(worker: PooledWorker): void
  /** It is to be given no more attempts; told once, when it has ended or is about to. */
  onUnfit(worker: PooledWorker): void
}

/** Starts threads or processes. */
export interface WorkerSource {
  create(memoryLimitBytes: number | undefined, listener: WorkerListener): PooledWorker
  /** Called once all of its workers have ended. */
  close?(): Promise<void>
}
