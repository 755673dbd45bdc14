import type { Task } from './messages.ts'
import type { RunningTask } from './running.ts'

/** A thread or process that runs attempts, one at a time, seen from the executor that uses it again. */
export interface PooledWorker {
  /** What it was started with: V8 takes its limit then. */
  readonly memoryLimitBytes: number | undefined
  /** The attempt that runs in it. */
  readonly running: RunningTask | undefined
  /** Resolves when it has ended, with all that it has started. */
  readonly exited: Promise<void>
  run(running: RunningTask, task: Task): void
  /** Asks its attempt to end, and ends it with the attempt when the grace is over. */
  stop(running: RunningTask, killGraceMs: number): void
  /** Looks how much memory it holds. */
  look(): void
  /** Ends it; an attempt that still runs ends with it. */
  close(): Promise<void>
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
