import type { ActorRefFrom } from 'xstate'
import type { poolMachine } from '../../../machines/index.ts'
import {
  checkBoolean,
  checkDuration,
  checkInteger,
  checkKeys,
  checkObject,
  checkPositive,
  checkString,
} from '../../domain/check.ts'
import { EspalierError } from '../../domain/errors.ts'
import { JOB_STATES, type JobId, type JobResult, type JobSpec } from '../../domain/job.ts'
import { bandOf, type Priority } from '../../domain/priority.ts'
import type { Host } from '../../ports/host.ts'
import type { RunStore } from '../../ports/run-store.ts'
import type { PoolEventType, PoolListener, PoolStreamEvent } from '../events/events.ts'
import type { Job } from '../job/job.ts'
import { stateOf } from '../job/job-states.ts'
import { type ExecutorFactories, ExecutorSet } from './executors.ts'
import { explain, type JobExplanation } from './explain.ts'
import type { PoolMetrics } from './metrics.ts'
import { type JobPoolOptions, resolveOptions } from './options.ts'
import type { PoolPurpose } from './purpose.ts'
import { recoverPool } from './recovery.ts'
import {
  healthOf,
  type PoolHealth,
  type PoolStatus,
  statusOf,
  type TimelineEntry,
  timelineOf,
} from './status.ts'
import { Submissions } from './submission.ts'
import { Supervisor } from './supervisor.ts'

/** How `shutdown` goes about it. */
export interface ShutdownOptions {
  /** Whether accepted jobs may run to their end; `false` ends the pool at once. Default `true`. */
  readonly wait?: boolean
  /** How long to wait before what is left is left in the store or cancelled, in ms. Default 30,000. */
  readonly timeoutMs?: number
  /**
   * Whether what has not ended by then stays in the store, for the next pool on it; `false` cancels it for good, as a pool
   * without a store does. Default `true`.
   */
  readonly leave?: boolean
}

export interface WaitOptions {
  /** How long to wait, in ms. Default: for ever. */
  readonly timeoutMs?: number
}

const SHUTDOWN_OPTIONS: ReadonlySet<string> = new Set<keyof ShutdownOptions>(['wait', 'timeoutMs', 'leave'])
const WAIT_OPTIONS: ReadonlySet<string> = new Set<keyof WaitOptions>(['timeoutMs'])

interface PoolParts {
  readonly supervisor: Supervisor
  readonly submissions: Submissions
}

/** The pool without its adapters; `JobPool` is this one with them. */
export class PoolCore implements AsyncDisposable {
  readonly #supervisor: Supervisor
  readonly #submissions: Submissions
  readonly #executors: ExecutorSet

  /**
   * @param factories - Make the executors that `executorType` and a job's `executor` may name.
   * @param systemHost - The machine, for pools that name no `host`.
   * @param openStore - Opens a store that is given as a path.
   * @param purpose - What it takes up of its store.
   * @throws {EspalierError} `ESP_INVALID_OPTION` or `ESP_UNKNOWN_EXECUTOR`; with a store, what opening it throws, and
   * `ESP_UNKNOWN_HANDLER` when a job in it names a handler that the pool does not have.
   */
  constructor(
    options: JobPoolOptions,
    factories: ExecutorFactories,
    systemHost: Host,
    openStore: (file: string) => RunStore = openNone,
    purpose: PoolPurpose = 'jobs',
  ) {
    const settings = resolveOptions(options, systemHost, openStore)
    if (settings.autoLimit !== undefined)
      settings.logger.info(`maxParallelJobs: ${settings.autoLimit.formula}.`)
    this.#executors = new ExecutorSet(settings, factories)
    this.#supervisor = new Supervisor(settings, this.#executors.first, purpose)
    this.#submissions = new Submissions(this.#supervisor, this.#executors)
    if (settings.store !== undefined) this.#recover(settings.store, settings.closesStore)
    const abort = () => void this.shutdown({ wait: false })
    const { signal } = settings
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
    // A signal often outlives the pool, and would hold it.
    if (signal !== undefined)
      void this.#supervisor.closed.then(() => signal.removeEventListener('abort', abort))
  }

  #recover(store: RunStore, isOwn: boolean): void {
    try {
      recoverPool(this.#supervisor, this.#submissions)
    } catch (error) {
      // Nobody has this pool: what it has taken up wakes nothing.
      this.#supervisor.leaving?.end()
      if (isOwn) store.close()
      throw error
    }
  }

  /** What runs on top of a pool inside this package, such as the orchestrator, works with these. */
  static partsOf(pool: PoolCore): PoolParts {
    return { supervisor: pool.#supervisor, submissions: pool.#submissions }
  }

  /** The supervisor: the root actor of the system that all jobs live in. */
  get actor(): ActorRefFrom<typeof poolMachine> {
    return this.#supervisor.actor
  }

  /**
   * Accepts a job; it starts as soon as a slot is free, at once if one is.
   *
   * @throws {EspalierError} And changes nothing: `ESP_INVALID_OPTION`, `ESP_UNKNOWN_PRIORITY`, `ESP_MISSING_HANDLER`,
   * `ESP_UNSUPPORTED`, `ESP_UNKNOWN_EXECUTOR`, `ESP_DUPLICATE_JOB`, `ESP_DEPENDENCY_UNKNOWN`, `ESP_DEPENDENCY_SELF`, or `ESP_POOL_CLOSED`
   * after `shutdown`.
   */
  submitJob<Value = unknown>(spec: JobSpec<Value>): Job<Value> {
    return this.#submissions.submit(spec as JobSpec) as unknown as Job<Value>
  }

  /**
   * Accepts several jobs, or none; they may depend on each other in any order.
   *
   * @throws {EspalierError} As `submitJob`, and `ESP_DEPENDENCY_CYCLE`, which names the path.
   */
  submitJobs<Value = unknown>(specs: readonly JobSpec<Value>[]): Job<Value>[]
  /** Jobs that return different things: each is of what its own spec returns. */
  submitJobs<Values extends readonly unknown[] | []>(
    specs: {
      readonly [Index in keyof Values]: JobSpec<Values[Index]>
    },
  ): { -readonly [Index in keyof Values]: Job<Awaited<Values[Index]>> }
  submitJobs(specs: readonly JobSpec[]): Job[] {
    return this.#submissions.submitAll(specs)
  }

  /**
   * The actor of a job, in any state; `undefined` for one that is not known, or not any more.
   *
   * @throws {EspalierError} `ESP_INVALID_OPTION` when the id is no string; so do all that take one.
   */
  job(jobId: JobId): Job | undefined {
    checkString('jobId', jobId)
    this.#forgetOld()
    return this.#supervisor.find(jobId)
  }

  /**
   * Asks a job to end, and its dependants with it.
   *
   * A queued job ends at once; a running one keeps its slot until its executor confirms the end. With a store,
   * `job.cancelled` and the result acknowledge it, after its commit; a cancel that the store refuses is asked again when it
   * takes commits.
   *
   * @param reason - Kept in the result, with \ufffd for half a character; default `'user'`.
   * @returns `false` when the job had already ended: its outcome stands.
   * @throws {EspalierError} `ESP_UNKNOWN_JOB`; `ESP_INVALID_OPTION` when the reason is no string.
   */
  cancelJob(jobId: JobId, reason = 'user'): boolean {
    checkString('jobId', jobId)
    checkString('reason', reason)
    const job = this.#supervisor.jobs.get(jobId)
    if (job !== undefined) return job.cancel(reason)
    if (this.#supervisor.jobs.tombstone(jobId) !== undefined) return false
    throw new EspalierError('ESP_UNKNOWN_JOB', { jobId })
  }

  /**
   * Gives a queued job another priority.
   *
   * @returns `false` when it is not queued any more: nothing is changed.
   * @throws {EspalierError} `ESP_UNKNOWN_JOB`, `ESP_UNKNOWN_PRIORITY`.
   */
  prioritiseJob(jobId: JobId, priority: Priority): boolean {
    checkString('jobId', jobId)
    const band = bandOf(priority)
    if (band < 0) throw new EspalierError('ESP_UNKNOWN_PRIORITY', { jobId, got: priority })
    const job = this.#supervisor.jobs.get(jobId)
    if (job === undefined && this.#supervisor.jobs.tombstone(jobId) === undefined) {
      throw new EspalierError('ESP_UNKNOWN_JOB', { jobId })
    }
    if (job?.isQueued !== true) return false
    if (job.priority !== band) this.#supervisor.prioritise(job, band)
    return true
  }

  /**
   * Waits for the end of a job.
   *
   * @throws {EspalierError} `ESP_UNKNOWN_JOB`; `ESP_WAIT_TIMEOUT` when it takes longer: the job goes on.
   */
  async waitForJob(jobId: JobId, options: WaitOptions = {}): Promise<JobResult> {
    checkString('jobId', jobId)
    const job = this.#supervisor.find(jobId)
    if (job === undefined) throw new EspalierError('ESP_UNKNOWN_JOB', { jobId })
    return this.#within(options, `Job "${jobId}"`, (done) => {
      void job.result().then(done)
      return () => {}
    })
  }

  /**
   * Waits until no job is queued or running.
   *
   * @returns The results of all jobs that are still known, by id, in order of submission.
   * @throws {EspalierError} `ESP_WAIT_TIMEOUT` when it takes longer: the jobs go on.
   */
  async waitForAll(options: WaitOptions = {}): Promise<Map<JobId, JobResult>> {
    const supervisor = this.#supervisor
    this.#forgetOld()
    return this.#within(options, 'The jobs of the pool', (done) =>
      supervisor.whenIdle(() => {
        const results = new Map<JobId, JobResult>()
        for (const { id, settled } of supervisor.jobs.entries())
          if (settled !== undefined) results.set(id, settled)
        done(results)
      }),
    )
  }

  getStatus(): PoolStatus {
    this.#forgetOld()
    return statusOf(this.#supervisor)
  }

  getMetrics(): PoolMetrics {
    const { meter, counts } = this.#supervisor
    return meter.read(this.#supervisor.now(), counts)
  }

  /**
   * Tells why a job is where it is: what it waits for, its place in the queue, or what led to its end.
   *
   * @throws {EspalierError} `ESP_UNKNOWN_JOB`.
   */
  explain(jobId: JobId): JobExplanation {
    checkString('jobId', jobId)
    const job = this.#supervisor.find(jobId)
    if (job === undefined) throw new EspalierError('ESP_UNKNOWN_JOB', { jobId })
    return explain(job, JOB_STATES[stateOf(job.stateValue)] as string, this.#supervisor)
  }

  getHealth(): PoolHealth {
    return healthOf(this.#supervisor)
  }

  /** When each job that is still known waited and ran, in order of submission. */
  getTimeline(): TimelineEntry[] {
    this.#forgetOld()
    return timelineOf(this.#supervisor)
  }

  /** Starts nothing new until `resume`; what runs goes on. */
  pause(): void {
    this.#supervisor.tell({ type: 'pool.pause', at: this.#supervisor.now() })
  }

  resume(): void {
    this.#supervisor.tell({ type: 'pool.resume', at: this.#supervisor.now() })
  }

  /**
   * Changes how many attempts may run at a time. With a lower limit, what runs goes on, and nothing starts until
   * enough has ended.
   *
   * @throws {EspalierError} `ESP_INVALID_OPTION` unless it is a whole number of at least 1.
   */
  setMaxParallelJobs(maxParallelJobs: number): void {
    checkInteger('maxParallelJobs', maxParallelJobs, 1)
    const at = this.#supervisor.now()
    this.#supervisor.tell({ type: 'pool.limit', at, maxParallelJobs })
  }

  /**
   * Calls `listener` for each event of a type, or of every type with `'*'`. One that throws is logged.
   *
   * @returns A function that stops listening.
   * @throws {EspalierError} `ESP_INVALID_OPTION` for a type that no event has, or a listener that is no function.
   */
  on(type: '*', listener: (event: PoolStreamEvent) => unknown): () => void
  on<Type extends PoolEventType>(type: Type, listener: PoolListener<Type>): () => void
  on(type: string, listener: (event: never) => unknown): () => void {
    return this.#supervisor.announcer.events.on(type, listener as (event: PoolStreamEvent) => unknown)
  }

  /**
   * All events from now on, until the pool is closed or the reader stops.
   *
   * A reader that falls 100,000 events behind loses the oldest; `dropped` counts them.
   */
  events(): AsyncIterableIterator<PoolStreamEvent> & { readonly dropped: number } {
    return this.#supervisor.announcer.events.stream()
  }

  /**
   * Ends the pool: it takes no more jobs, and resolves when all have ended and their callbacks have returned.
   *
   * Bounded: after `timeoutMs`, and `killGraceMs` for what then still runs, everything has settled; ending threads and
   * processes may take 5 seconds more. May be called again, to hurry: with `wait: false`, or a `timeoutMs` that is over
   * earlier. Called by a callback, before that awaits anything, it does not wait for callbacks.
   *
   * @throws {EspalierError} `ESP_INVALID_OPTION` or `ESP_UNKNOWN_OPTION` for bad options.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    checkKeys('shutdown', checkObject('options', options), SHUTDOWN_OPTIONS)
    const { wait = true, timeoutMs = 30_000, leave = true } = options
    checkBoolean('wait', wait)
    checkBoolean('leave', leave)
    checkDuration('timeoutMs', timeoutMs)
    const supervisor = this.#supervisor
    if (supervisor.leaving !== undefined) supervisor.leaving.isWanted = leave
    const isCalledBack = supervisor.callbacks.isCalling
    supervisor.commitTurn()
    supervisor.reportCounts()
    supervisor.tell({ type: 'pool.shutdown', at: supervisor.now(), wait, timeoutMs })
    await supervisor.closed
    await this.#executors.close()
    if (!isCalledBack) await supervisor.callbacks.drained()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }

  /** What is too old goes with the next event or look: no timer keeps the process awake for it. */
  #forgetOld(): void {
    this.#supervisor.jobs.expire(this.#supervisor.now())
  }

  #within<Result>(
    options: WaitOptions,
    what: string,
    wait: (done: (result: Result) => void) => () => void,
  ): Promise<Result> {
    const { deadlines } = this.#supervisor
    checkKeys('a wait', checkObject('options', options), WAIT_OPTIONS)
    const { timeoutMs } = options
    if (timeoutMs !== undefined) checkPositive('timeoutMs', timeoutMs)
    return new Promise((resolve, reject) => {
      let stopWaiting = () => {}
      const timeout = {
        wish: undefined,
        wake: () => {
          stopWaiting()
          reject(new EspalierError('ESP_WAIT_TIMEOUT', { what, timeoutMs: timeoutMs as number }))
        },
      }
      if (timeoutMs !== undefined) deadlines.set(timeout, this.#supervisor.now() + timeoutMs)
      stopWaiting = wait((result) => {
        deadlines.remove(timeout)
        resolve(result)
      })
    })
  }
}

function openNone(file: string): never {
  throw new EspalierError('ESP_INVALID_OPTION', { option: 'store', expected: 'a RunStore', got: file })
}
