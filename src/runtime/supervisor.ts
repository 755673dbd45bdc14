import type { JobEvent, PoolEvent } from '../../machines/index.ts'
import { EspalierError } from '../domain/errors.ts'
import { Fifo } from '../domain/fifo.ts'
import type { CancelSource, JobId, JobResult, JobUsage, OutputStream } from '../domain/job.ts'
import { describePressure, type PressureReason } from '../domain/pressure.ts'
import { toError } from '../domain/thrown.ts'
import type { Attempt, AttemptSink, Executor } from '../ports/executor.ts'
import { type AttemptListener, RunningAttempt } from './attempt.ts'
import { CallbackRunner } from './callbacks.ts'
import { type EffectTaker, type PoolActor, startPoolActor } from './charts.ts'
import { Deadlines, type Sleeper } from './deadlines.ts'
import { EffectQueue } from './effect-queue.ts'
import { EventHub } from './event-hub.ts'
import type { PoolEventType, PoolStreamEvent } from './events.ts'
import {
  BLOCKED,
  type Dependency,
  EXECUTING,
  type JobActor,
  type JobSnapshot,
  type JobSupervisor,
  READY,
  stateOf,
} from './job.ts'
import { isRunning, JobCounts } from './job-counts.ts'
import { JobTable, type Naming } from './job-table.ts'
import { Meter } from './metrics.ts'
import type { PoolSettings } from './options.ts'
import { PressureWatch } from './pressure-watch.ts'
import { ReadyQueue } from './ready-queue.ts'
import { shieldInspection } from './shield.ts'
import { Slots } from './slots.ts'

type Running = RunningAttempt<JobActor>

/** How long slots are granted without letting the event loop turn, in ms: timers and sockets get their share. */
const TURN_MS = 20

/**
 * The loop of a pool: step, commit, act.
 *
 * An event reaches an actor; its chart steps and names effects; the step is committed to the rows here, and counts
 * change with the rows; then the effects are carried out, in order, and each ends in an event. Only when none is left
 * are free slots granted, so that a grant sees everything that was decided before it.
 */
export class Supervisor implements JobSupervisor, AttemptListener, AttemptSink, EffectTaker, Sleeper {
  readonly settings: PoolSettings
  readonly executor: Executor
  readonly actor: PoolActor
  readonly jobs: JobTable<JobActor>
  readonly slots: Slots<Running>
  readonly ready: ReadyQueue<JobActor>
  readonly deadlines: Deadlines
  readonly events: EventHub<PoolStreamEvent>
  readonly meter = new Meter()
  readonly callbacks: CallbackRunner
  readonly counts = new JobCounts()
  /** Resolves when the pool is closed. */
  readonly closed: Promise<void>
  heapIndex = -1
  wakeAt: number | undefined = undefined
  readonly #pressure: PressureWatch | undefined
  readonly #effects = new EffectQueue()
  readonly #afterEffects = new Fifo<() => void>()
  #isActing = false
  /** The job that was granted a slot within its own step, as one that is retried at once: it takes it after that step. */
  #granted: JobActor | undefined
  /** When the event loop last turned, as far as this pool needed to know; `undefined` while nothing happens. */
  #turnAt: number | undefined
  readonly #endTurn = () => this.#turn()
  #resolveClosed: () => void = () => {}
  #idleWaiters: (() => void)[] = []

  constructor(settings: PoolSettings, executor: Executor) {
    this.settings = settings
    this.executor = executor
    const { clock, logger } = settings
    this.jobs = new JobTable(settings.ids.next(), settings.keep)
    this.slots = new Slots()
    this.ready = new ReadyQueue(settings.promoteAfterMs)
    this.deadlines = new Deadlines(clock)
    this.events = new EventHub((thrown, type) => logger.error(`A listener of "${type}" threw.`, thrown))
    this.#pressure = settings.pressure && new PressureWatch(this, settings.host, settings.pressure)
    this.callbacks = new CallbackRunner(settings, this.deadlines, this.meter)
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    const inspect =
      settings.inspect === undefined ? {} : { inspect: shieldInspection(settings.inspect, logger) }
    const input = { maxParallelJobs: settings.maxParallelJobs }
    this.actor = startPoolActor(this, this.reportSubscriber, { id: 'pool', input, ...inspect })
  }

  readonly reportSubscriber = (thrown: unknown): void =>
    this.settings.logger.error('A subscriber of an actor threw; the actor is not affected.', thrown)

  get memoryLimitBytes(): number | undefined {
    return this.settings.memoryLimitBytes
  }

  now(): number {
    return this.settings.clock.now()
  }

  get pressureReasons(): readonly PressureReason[] {
    return this.actor.getSnapshot().context.pressure?.reasons ?? []
  }

  /** Sends an event to the pool's own chart, and acts on it. */
  tell(event: PoolEvent): void {
    this.actor.send(event)
    this.act()
  }

  /** Runs `work`, which may step many jobs, and acts only after it. */
  together<Result>(work: () => Result): Result {
    if (this.#isActing) return work()
    this.#isActing = true
    try {
      return work()
    } finally {
      this.#isActing = false
      this.act()
    }
  }

  /** Adds jobs that have been checked, with the jobs they wait for; those that wait for nothing get ready. */
  admit(job: JobActor, naming: Naming, at: number): void {
    this.jobs.add(job, naming)
    this.meter.start(at)
    this.counts.add(BLOCKED, job.priority)
    this.#openTurn(at)
    job.start()
    if (this.events.hasListeners('job.submitted')) this.#emitOf(job, 'job.submitted', at, {})
  }

  /** Connects a job with the jobs it waits for; one that waits for nothing more gets ready. */
  connect(job: JobActor, dependencies: readonly Dependency[], at: number): void {
    if (dependencies.length === 0) {
      job.send({ type: 'dependencies.met', at })
      return
    }
    const links = { dependencies, outstanding: 0, dependants: job.links?.dependants ?? [] }
    job.links = links
    let fault: JobId | undefined
    for (const dependency of dependencies) {
      const ended = this.#endOf(dependency)
      if (ended === undefined) {
        linksOf(dependency as JobActor).dependants.push(job)
        links.outstanding++
      } else if (ended !== 'completed' && job.extras.runsOnDependencyFailure !== true) {
        fault ??= typeof dependency === 'string' ? dependency : dependency.id
      }
    }
    if (fault !== undefined) this.cancel(job, 'dependency', 'dependency', fault)
    else if (links.outstanding === 0) job.send({ type: 'dependencies.met', at })
  }

  cancel(job: JobActor, by: CancelSource, reason: string, causedBy?: JobId): boolean {
    if (job._snapshot.status !== 'active') return false
    const event = { type: 'job.cancel', at: this.now(), by, reason } as const
    job.send(causedBy === undefined ? event : { ...event, causedBy })
    return true
  }

  /** Calls back when all that the steps so far have asked for has been carried out, before any slot is granted. */
  whenQuiet(callback: () => void): void {
    this.#afterEffects.push(callback)
    this.act()
  }

  /** Calls back once no job is queued or running; at once when that is so. */
  whenIdle(callback: () => void): () => void {
    this.#idleWaiters.push(callback)
    this.#tellIdle()
    return () => {
      this.#idleWaiters = this.#idleWaiters.filter((waiter) => waiter !== callback)
    }
  }

  // The commit: rows, counts and slots change together, before anybody hears of the step.

  commit(job: JobActor, before: JobSnapshot, after: JobSnapshot, event: JobEvent): void {
    if (before === after) {
      this.#ignored(job, event)
      return
    }
    const from = stateOf(before)
    const to = stateOf(after)
    if (from === to) return
    const { at } = event
    this.#openTurn(at)
    this.counts.move(from, to, job.priority)
    if (from === READY && isRunning(to)) this.#reserve(job)
    else if (isRunning(from) && !isRunning(to)) this.#release(job)
    else return
    this.meter.slotsChanged(at, this.slots.busy, this.#limit)
  }

  #reserve(job: JobActor): void {
    this.slots.reserve()
    if (this.#granted === job) this.#granted = undefined
  }

  #release(job: JobActor): void {
    const attempt = job.current
    if (attempt === undefined || attempt.hasEnded) this.slots.free(attempt)
    else this.slots.abandon(attempt, this.settings.releaseZombies)
  }

  #ignored(job: JobActor, event: JobEvent): void {
    if ((event.type as string) === 'xstate.init') return
    this.meter.ignoredEvents++
    if (!this.events.hasListeners('job.ignored')) return
    this.#emitOf(job, 'job.ignored', this.now(), { event: event.type, status: job.status })
  }

  // Effects: written down while a chart steps, carried out after the commit.

  takeJobEffect(job: JobActor, type: string, params: unknown): void {
    this.#effects.push(job, type, params)
  }

  takeEffect(type: string, params: unknown): void {
    this.#effects.push(undefined, type, params)
    // Somebody may have sent the event straight to the actor: then nobody acts but the next turn.
    this.#openTurn(this.now())
  }

  act(): void {
    if (this.#isActing) return
    this.#isActing = true
    try {
      do {
        while (this.#effects.take()) {
          const { job, type, params } = this.#effects
          if (job === undefined) this.#carryOutForPool(type, params)
          else this.#carryOutForJob(job, type, params)
        }
      } while (this.#callBack() || this.#grantSlot())
    } finally {
      this.#isActing = false
    }
    this.#tellIdle()
  }

  #callBack(): boolean {
    const callback = this.#afterEffects.shift()
    callback?.()
    return callback !== undefined
  }

  #carryOutForJob(job: JobActor, type: string, params: unknown): void {
    switch (type) {
      case 'requestSlot':
        this.ready.add(job, this.settings.promoteAfterMs > 0 ? this.now() : 0)
        return
      case 'startAttempt':
        this.#start(job, params as { attempt: number; at: number })
        return
      case 'stopAttempt':
        this.#stop(job, params as { attempt: number; by: string; reason: string })
        return
      case 'abandonAttempt':
        this.#abandon(job)
        return
      case 'wakeAt':
        this.#wakeAt(job, params as { at: number })
        return
      case 'notify':
        this.#retrying(job, params as { attempt: number; at: number })
        return
      case 'settle':
        this.#settle(job)
        return
      default:
        throw new Error(`The job chart asks for an effect "${type}" that the runtime does not know.`)
    }
  }

  #carryOutForPool(type: string, params: unknown): void {
    switch (type) {
      case 'dispatch':
        // Granting slots is what follows when no effect is left.
        this.meter.slotsChanged(this.now(), this.slots.busy, this.#limit)
        return
      case 'cancelJobs':
        this.#cancelAll((params as { reason: string }).reason)
        return
      case 'wakeAt':
        this.#wakeAt(this, params as { at: number })
        return
      case 'notify':
        this.#notify({ ...(params as PoolStreamEvent), at: this.now() })
        return
      case 'close':
        this.#close()
        return
      default:
        throw new Error(`The pool chart asks for an effect "${type}" that the runtime does not know.`)
    }
  }

  /** Grants one slot, if there is one to grant and a job to take it. */
  #grantSlot(): boolean {
    if (this.counts.ready === 0) {
      this.ready.clear()
      return false
    }
    // Its slot is reserved when its mailbox gets to the grant.
    if (this.#granted?.isReady) return false
    const pool = this.actor.getSnapshot()
    if (this.slots.busy >= pool.context.maxParallelJobs) return false
    if (!pool.hasTag('dispatching') && !(pool.hasTag('trickling') && this.counts.running === 0)) return false
    const at = this.now()
    if (this.#turnAt !== undefined && at - this.#turnAt > TURN_MS) return false
    const job = this.ready.take(at)
    if (job === undefined) return false
    job.send({ type: 'slot.granted', at })
    this.#granted = job.isReady ? job : undefined
    return true
  }

  #start(job: JobActor, { attempt: number, at }: { attempt: number; at: number }): void {
    if (stateOf(job._snapshot) !== EXECUTING) {
      this.#confirmUnstarted(job, number)
      return
    }
    if (job.current !== undefined) {
      job.earlier ??= []
      job.earlier.push(job.current)
    }
    const attempt = new RunningAttempt(job, number, at, this.slots.claim(), this)
    this.slots.hold(attempt)
    job.current = attempt
    if (this.events.hasListeners('job.started')) this.#emitOf(job, 'job.started', at, { attempt: number })
    job.extras.observer?.started(job)
    try {
      job.executor.start(attempt, this)
    } catch (thrown) {
      // After the end was reported, it is no word of the executor but a fault of the pool: not to be lost.
      if (attempt.hasEnded) throw thrown
      this.failed(attempt, thrown)
    }
  }

  /** A subscriber that heard of the start has cancelled it before it was carried out: nothing is left to end. */
  #confirmUnstarted(job: JobActor, attempt: number): void {
    const error = new EspalierError('ESP_JOB_CANCELLED', { jobId: job.id, reason: 'before its start' })
    job.send({ type: 'attempt.failed', at: this.now(), attempt, error, reason: 'error', random: 0 })
  }

  #stop(job: JobActor, { attempt, by, reason }: { attempt: number; by: string; reason: string }): void {
    const { current } = job
    if (current === undefined || current.hasEnded || current.attempt !== attempt) return
    const { timeoutMs } = job.context.job.policy
    const error =
      by === 'timeout'
        ? new EspalierError('ESP_ATTEMPT_TIMEOUT', { jobId: job.id, attempt, timeoutMs })
        : new EspalierError('ESP_JOB_CANCELLED', { jobId: job.id, reason })
    current.abort(error)
    try {
      job.executor.stop?.(current, this.settings.policy.killGraceMs)
    } catch (thrown) {
      this.settings.logger.error(
        `The executor "${job.executor.name}" threw when it was asked to stop.`,
        thrown,
      )
    }
  }

  #abandon(job: JobActor): void {
    const { current } = job
    if (current === undefined || current.hasEnded) return
    this.settings.logger.warn(
      `Attempt ${current.attempt} of job "${job.id}" ignores its signal: it goes on as a zombie` +
        (this.settings.releaseZombies ? '.' : ', and keeps its slot until it ends.'),
    )
    if (this.events.hasListeners('job.zombie')) {
      this.#emitOf(job, 'job.zombie', this.now(), { attempt: current.attempt })
    }
  }

  #wakeAt(sleeper: Sleeper, { at }: { at: number }): void {
    if (at > 0) this.deadlines.set(sleeper, at)
    else this.deadlines.remove(sleeper)
  }

  #retrying(job: JobActor, { attempt, at: retryAt }: { attempt: number; at: number }): void {
    this.meter.retries++
    job.extras.observer?.retrying(job)
    if (!this.events.hasListeners('job.retrying')) return
    this.#emitOf(job, 'job.retrying', this.now(), { attempt, retryAt })
  }

  #settle(job: JobActor): void {
    this.deadlines.remove(job)
    const result = job.settled
    if (result === undefined) throw new Error(`Job "${job.id}" has settled without a result.`)
    const { status, endedAt: at } = result
    job.settle(result)
    if (job.current !== undefined) {
      job.lastSlot = job.current.slot
      // A zombie is held by its slot.
      job.current = undefined
    }
    this.jobs.ended(job, status, at)
    this.meter.jobEnded(result)
    const type = `job.${status}` as const
    if (this.events.hasListeners(type)) this.#emitOf(job, type, at, { result })
    const { observer, callback } = job.extras
    observer?.settled(job, result)
    if (callback !== undefined) this.callbacks.run(callback, result)
    const dependants = job.links?.dependants
    // Else each job of a chain would hold all before it, long after `keep` let them go.
    job.links = undefined
    if (dependants !== undefined) this.#tellDependants(job, dependants, result)
  }

  #tellDependants(job: JobActor, dependants: readonly JobActor[], { status, endedAt: at }: JobResult): void {
    for (const dependant of dependants) {
      if (dependant._snapshot.status !== 'active') continue
      const waiting = linksOf(dependant)
      waiting.outstanding--
      if (status === 'completed' || dependant.extras.runsOnDependencyFailure === true) {
        if (waiting.outstanding === 0) dependant.send({ type: 'dependencies.met', at })
      } else {
        dependant.send({ type: 'job.cancel', at, by: 'dependency', reason: 'dependency', causedBy: job.id })
      }
    }
  }

  #cancelAll(reason: string): void {
    for (const job of this.jobs.values()) this.cancel(job, 'shutdown', reason)
  }

  #close(): void {
    this.deadlines.remove(this)
    this.events.close()
    this.#resolveClosed()
  }

  // What executors and attempts report.

  completed(reported: Attempt, value: unknown, usage?: JobUsage): void {
    const attempt = reported as Running
    if (!this.#end(attempt)) return
    const at = attempt.endedAt as number
    this.#report(attempt.job, { type: 'attempt.completed', at, attempt: attempt.attempt, value, usage })
  }

  failed(attempt: Attempt, thrown: unknown, usage?: JobUsage): void {
    this.#fail(attempt as Running, toError(thrown), 'error', usage)
  }

  lost(reported: Attempt, how = 'what ran it went away without a result', usage?: JobUsage): void {
    const attempt = reported as Running
    const { attempt: number, jobId } = attempt
    this.#fail(attempt, new EspalierError('ESP_ATTEMPT_LOST', { jobId, attempt: number, how }), 'lost', usage)
  }

  rejected(attempt: Attempt, thrown: unknown, usage?: JobUsage): void {
    this.#fail(attempt as Running, toError(thrown), 'rejected', usage)
  }

  output(reported: Attempt, stream: OutputStream, chunk: string): boolean {
    const attempt = reported as Running
    const cap = attempt.output(stream)
    if (attempt.hasEnded || cap.isTruncated) return false
    const passing = cap.take(chunk)
    const truncated = cap.isTruncated
    if (this.events.hasListeners('job.output')) {
      const facts = { attempt: attempt.attempt, stream, chunk: passing, truncated }
      this.#emitOf(attempt.job, 'job.output', this.now(), facts)
    }
    return !truncated
  }

  progressed(reported: RunningAttempt, fraction: number, note: string | undefined): void {
    const attempt = reported as Running
    attempt.job.extras.observer?.progressed(attempt.job, fraction, note)
    if (!this.events.hasListeners('job.progress')) return
    this.#emitOf(attempt.job, 'job.progress', this.now(), { attempt: attempt.attempt, fraction, note })
  }

  logged(reported: RunningAttempt, line: string, truncated: boolean): void {
    const attempt = reported as Running
    if (!this.events.hasListeners('job.log')) return
    this.#emitOf(attempt.job, 'job.log', this.now(), { attempt: attempt.attempt, line, truncated })
  }

  wake(at: number): void {
    this.tell({ type: 'deadline.reached', at })
  }

  #fail(
    attempt: Running,
    error: Error,
    reason: 'error' | 'lost' | 'rejected',
    usage: JobUsage | undefined,
  ): void {
    if (!this.#end(attempt)) return
    const random = this.settings.random.next()
    const at = attempt.endedAt as number
    const { attempt: number } = attempt
    this.#report(attempt.job, { type: 'attempt.failed', at, attempt: number, error, reason, random, usage })
  }

  /** An actor that has ended drops what it is sent: that a result came too late is recorded here. */
  #report(job: JobActor, event: JobEvent): void {
    if (job._snapshot.status === 'active') job.send(event)
    else this.#ignored(job, event)
    this.act()
  }

  /** Notes an end that the executor confirms; `false` for one that was confirmed before. */
  #end(attempt: Running): boolean {
    if (attempt.hasEnded) return false
    attempt.endedAt = this.now()
    if (!this.slots.isZombie(attempt)) return true
    this.slots.free(attempt)
    this.meter.slotsChanged(attempt.endedAt, this.slots.busy, this.#limit)
    this.#openTurn(attempt.endedAt)
    return true
  }

  // Telling others.

  get #limit(): number {
    return this.actor.getSnapshot().context.maxParallelJobs
  }

  #endOf(dependency: Dependency): 'completed' | 'failed' | 'cancelled' | undefined {
    if (typeof dependency === 'string') return this.jobs.tombstone(dependency)
    return dependency.settled?.status
  }

  #emit(event: PoolStreamEvent): void {
    if (this.events.hasListeners(event.type)) this.events.emit(event)
  }

  #notify(event: PoolStreamEvent): void {
    const { logger } = this.settings
    if (event.type === 'pool.throttled') {
      const why = event.reasons.map(describePressure).join('; ')
      logger.warn(`The pool is throttled: jobs start one at a time, since ${why}.`)
    } else if (event.type === 'pool.unthrottled') logger.info('The pool is not throttled any more.')
    this.#emit(event)
  }

  #emitOf(job: JobActor, type: PoolEventType, at: number, facts: object): void {
    const { id: jobId, nodeId, treeId } = job
    this.events.emit({ type, at, jobId, nodeId, treeId, ...facts } as PoolStreamEvent)
  }

  #openTurn(at: number): void {
    if (this.#turnAt !== undefined) return
    this.#turnAt = at
    this.settings.clock.soon(this.#endTurn)
  }

  /** The event loop has turned: the pool's chart gets the counts, and granting may go on. */
  #turn(): void {
    this.#turnAt = undefined
    this.reportCounts()
    this.act()
    this.#pressure?.follow(this.counts.running > 0)
    this.jobs.expire(this.now())
  }

  reportCounts(): void {
    const { queued, running, completed, failed, cancelled } = this.counts
    this.actor.send({
      type: 'jobs.changed',
      at: this.now(),
      jobs: { queued, running, completed, failed, cancelled },
    })
  }

  #tellIdle(): void {
    if (this.#idleWaiters.length === 0 || this.counts.queued + this.counts.running > 0) return
    const waiters = this.#idleWaiters
    this.#idleWaiters = []
    for (const waiter of waiters) waiter()
  }
}

function linksOf(job: JobActor): NonNullable<JobActor['links']> {
  job.links ??= { dependencies: [], outstanding: 0, dependants: [] }
  return job.links
}
