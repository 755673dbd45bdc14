import type { StateValue } from 'xstate'
import type { JobEvent, PoolEvent } from '../../../machines/index.ts'
import { Fifo } from '../../domain/fifo.ts'
import type { CancelSource, JobId } from '../../domain/job.ts'
import type { PressureReason } from '../../domain/pressure.ts'
import { Holdings } from '../../domain/resources.ts'
import type { TraceEvent } from '../../domain/trace.ts'
import type { Executor } from '../../ports/executor.ts'
import type { EffectTaker } from '../../statechart/index.ts'
import { type PoolActor, startPoolActor } from '../charts/charts.ts'
import { shieldInspection } from '../charts/shield.ts'
import type { RunningAttempt } from '../job/attempt.ts'
import { isJobEvent, type JobActor, type JobSupervisor } from '../job/job-actor.ts'
import { BLOCKED, DELAYED, isRunning, READY, stateOf } from '../job/job-states.ts'
import { isOwed } from '../job/owed.ts'
import type { DurableJob } from '../record/durable-job.ts'
import type { EndedJob } from '../record/ended-job.ts'
import { Journal } from '../record/journal.ts'
import { Deadlines, type Wish } from '../scheduling/deadlines.ts'
import { PressureWatch } from '../scheduling/pressure-watch.ts'
import { ReadyQueue } from '../scheduling/ready-queue.ts'
import { ResourceLines } from '../scheduling/resource-lines.ts'
import { Slots } from '../scheduling/slots.ts'
import { Announcer } from './announcer.ts'
import { AttemptReports } from './attempt-reports.ts'
import { CallbackRunner } from './callbacks.ts'
import { deliver } from './deliver.ts'
import { DurableEffects } from './durable-effects.ts'
import { EffectQueue } from './effect-queue.ts'
import { Granting } from './granting.ts'
import { Introductions } from './introductions.ts'
import { JobCounts } from './job-counts.ts'
import { JobEffects } from './job-effects.ts'
import { JobTable, type Naming } from './job-table.ts'
import { Leaving } from './leaving.ts'
import type { Loop } from './loop.ts'
import { Meter } from './metrics.ts'
import type { PoolSettings } from './options.ts'
import { PoolEffects } from './pool-effects.ts'
import type { PoolPurpose } from './purpose.ts'
import type { Recorder } from './recorder.ts'
import { Turns } from './turns.ts'

/**
 * The loop of a pool: step, commit, act.
 *
 * An event reaches an actor; its chart steps and names effects; the step is committed to the rows here, and counts
 * change with the rows; then the effects are carried out, in order, and each ends in an event. Only when none is left
 * are free slots granted, so that a grant sees everything that was decided before it.
 */
export class Supervisor implements JobSupervisor, EffectTaker, Loop {
  readonly settings: PoolSettings
  readonly purpose: PoolPurpose
  readonly executor: Executor
  readonly actor: PoolActor
  readonly jobs: JobTable
  readonly slots = new Slots<RunningAttempt<JobActor>>()
  readonly ready: ReadyQueue<JobActor>
  /** What running jobs hold of the resources they declare; it changes with the slots. */
  readonly holdings: Holdings
  /** The ready jobs that want resources; all others are in `ready`. */
  readonly lines: ResourceLines<JobActor>
  readonly deadlines: Deadlines
  readonly announcer: Announcer
  readonly reports = new AttemptReports(this)
  readonly meter = new Meter()
  readonly callbacks: CallbackRunner
  readonly counts = new JobCounts()
  recorder: Recorder | undefined = undefined
  /** What makes steps durable; absent in memory, where each step is its own commit. */
  readonly journal: Journal<DurableJob> | undefined
  /** Takes up an ended job from the store; absent in memory. */
  recall: ((jobId: JobId) => JobActor | undefined) | undefined = undefined
  /** The runs that are going on here, by id. */
  readonly runs = new Set<string>()
  wish: Wish | undefined = undefined
  readonly #pressure: PressureWatch | undefined
  readonly #jobEffects: JobEffects | DurableEffects
  readonly #poolEffects = new PoolEffects(this)
  readonly leaving: Leaving | undefined
  readonly #granting: Granting
  readonly introductions = new Introductions(this)
  readonly #turns: Turns
  readonly #effects = new EffectQueue()
  readonly #afterEffects = new Fifo<() => void>()
  #isActing = false

  constructor(settings: PoolSettings, executor: Executor, purpose: PoolPurpose) {
    this.settings = settings
    this.purpose = purpose
    this.executor = executor
    const { clock, logger, store } = settings
    const effects = new JobEffects(this)
    this.journal = store && new Journal(store, () => this.openTurn())
    this.leaving = this.journal && new Leaving(this)
    this.#jobEffects = this.journal === undefined ? effects : new DurableEffects(effects, this.journal)
    this.jobs = new JobTable(settings.ids.next(), settings.keep, (job) => this.recorder?.forgotten(job))
    this.ready = new ReadyQueue(settings.promoteAfterMs)
    this.holdings = new Holdings(settings.limits)
    this.lines = new ResourceLines(this.holdings, settings.promoteAfterMs)
    this.deadlines = new Deadlines(clock)
    this.#granting = new Granting(this)
    this.#turns = new Turns(this, () => this.#turned())
    this.announcer = new Announcer(logger)
    this.#pressure = settings.pressure && new PressureWatch(this, settings.host, settings.pressure)
    this.callbacks = new CallbackRunner(settings, this.deadlines, this.meter)
    const inspect =
      settings.inspect === undefined ? {} : { inspect: shieldInspection(settings.inspect, logger) }
    const input = { maxParallelJobs: settings.maxParallelJobs }
    this.actor = startPoolActor(this, this.reportSubscriber, { id: 'pool', input, ...inspect })
    this.journal?.told('pool', this.jobs.idPrefix, this.now(), {
      type: 'pool.created',
      ...input,
      policy: settings.policy,
    })
  }

  readonly reportSubscriber = (thrown: unknown): void =>
    this.settings.logger.error('A subscriber of an actor threw; the actor is not affected.', thrown)

  /** Resolves when the pool is closed. */
  get closed(): Promise<void> {
    return this.#poolEffects.closed
  }

  /** Whether its store, which was opened for it, was closed with it. */
  get isStoreClosed(): boolean {
    return this.settings.closesStore && this.recall === undefined
  }

  get memoryLimitBytes(): number | undefined {
    return this.settings.memoryLimitBytes
  }

  now(): number {
    return this.settings.clock.now()
  }

  get limit(): number {
    return this.actor.getSnapshot().context.maxParallelJobs
  }

  get pressureReasons(): readonly PressureReason[] {
    return this.actor.getSnapshot().context.pressure?.reasons ?? []
  }

  /** Sends an event to the pool's own chart, and acts on it. */
  tell(event: PoolEvent): void {
    const before = this.journal && this.actor.getSnapshot()
    this.actor.send(event)
    if (before !== undefined && before !== this.actor.getSnapshot()) this.#record(event)
    this.act()
  }

  wake(at: number): void {
    this.tell({ type: 'deadline.reached', at })
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

  /** Adds a job that has been checked; it is yet to be told of, and to be connected with the jobs it waits for. */
  admit(job: JobActor, naming: Naming, at: number): void {
    this.jobs.add(job, naming)
    this.meter.start(at)
    this.counts.add(BLOCKED, job.priority)
    this.openTurn()
    if (this.journal === undefined) this.recorder?.submitted(job, naming !== 'own')
    else this.journal.submitted(job as DurableJob, at)
    job.start()
  }

  /** Whoever records hears of a job of a store when that has taken it, as do all others. */
  tellAccepted(job: JobActor): void {
    this.recorder?.submitted(job, job.id !== this.jobs.idOf(job.sequence))
    this.introductions.tell(job, job.context.queuedAt)
  }

  /** A job by its id; an ended one that only the store remembers is taken up again. */
  find(jobId: JobId): JobActor | undefined {
    return this.jobs.get(jobId) ?? this.recall?.(jobId)
  }

  /** Takes up a job from the store that has ended. */
  remember(job: EndedJob, naming: Naming): void {
    const { id, status, endedAt } = job
    // One that was forgotten was counted when it ended.
    if (this.jobs.tombstone(id) === undefined) this.counts.addEnded(status)
    this.jobs.add(job, naming)
    this.jobs.ended(job, status, endedAt)
  }

  /** Takes up a job from the store that goes on: counts, queue, slots and deadlines follow from its state. */
  readmit(job: DurableJob, naming: Naming): void {
    const state = stateOf(job.stateValue)
    this.counts.add(state, job.priority)
    this.jobs.add(job, naming)
    this.derive(job, state)
    if (isRunning(state)) this.reserve(job)
  }

  /** Puts a job where its state says it must be: into the queue, or to sleep. */
  derive(job: JobActor, state: number): void {
    const { deadlineAt = 0 } = job.context
    if (state === READY) this.enqueue(job)
    this.deadlines.wish(job, state === DELAYED || isRunning(state) ? deadlineAt : 0)
  }

  /** While the store refuses, a deadline waits with all else; jobs that hear of it late are never early. */
  deadlineOf(job: JobActor, at: number): void {
    this.#turns.deadlineOf(job, at)
  }

  cancel(job: JobActor, by: CancelSource, reason: string, causedBy?: JobId): boolean {
    if (!job.isActive) return false
    const event = { type: 'job.cancel', at: this.now(), by, reason } as const
    job.take(causedBy === undefined ? event : { ...event, causedBy })
    return true
  }

  /** Moves a queued job to another priority, an index into `PRIORITIES`. */
  prioritise(job: JobActor, priority: number): void {
    // A job that is yet to be accepted will be with the priority that it has by then.
    if (job.isAccepted) this.recorder?.prioritised(job, priority, this.now())
    this.counts.moveBand(job.priority, priority)
    job.priority = priority
    job.band = priority
    // Its old place is passed over when it comes to the front.
    if (job.isReady) this.enqueue(job)
  }

  /** Calls back when all that the steps so far have asked for has been carried out, before any slot is granted. */
  whenQuiet(callback: () => void): void {
    this.#afterEffects.push(callback)
    this.act()
  }

  /** Calls back once no job is queued or running; at once when that is so. */
  whenIdle(callback: () => void): () => void {
    const stop = this.announcer.addIdleWaiter(callback)
    this.#tellIdle()
    return stop
  }

  // The commit: rows, counts and slots change together, before anybody hears of the step.

  commit(job: JobActor, next: StateValue, hasChanged: boolean, event: JobEvent): void {
    if (!hasChanged) {
      this.#passOn(job, event)
      return
    }
    const from = stateOf(job.stateValue)
    const to = stateOf(next)
    if (this.recorder !== undefined && this.journal === undefined && !isOwed(job.owed, event, from, to))
      this.recorder.stepped(job, event, to)
    if (from === to) return
    const { at } = event
    this.openTurn()
    this.#granting.stepped(job)
    this.counts.move(from, to, job.priority)
    if (from === READY && isRunning(to)) this.reserve(job)
    else if (isRunning(from) && !isRunning(to)) this.#release(job)
    else return
    this.meter.slotsChanged(at, this.slots.busy, this.limit)
  }

  tellStep(job: JobActor, next: StateValue, event: JobEvent): void {
    const to = stateOf(next)
    if (this.recorder !== undefined && !isOwed(job.owed, event, stateOf(job.knownState), to))
      this.recorder.stepped(job, event, to)
  }

  /** Calls back once others may know what has happened to a job so far; never when that is refused. */
  whenKnown(job: JobActor, tell: () => void): void {
    if (!job.isPending) {
      tell()
      return
    }
    this.openTurn()
    this.journal?.afterCommit(tell)
  }

  /** Takes a slot for a job, and what it demands. */
  reserve(job: JobActor): void {
    this.slots.reserve()
    this.holdings.take(job.demand)
  }

  #release(job: JobActor): void {
    const attempt = job.current
    const { releaseZombies } = this.settings
    const hasEnded = attempt === undefined || attempt.hasEnded
    if (hasEnded) this.slots.free()
    else this.slots.abandon(attempt, releaseZombies)
    if (!hasEnded && !releaseZombies) return
    this.holdings.giveBack(job.demand)
    if (attempt === undefined) return
    if (this.journal === undefined) this.slots.vacate(attempt)
    else this.journal.afterCommit(() => this.slots.vacate(attempt))
  }

  freeSlot(attempt: RunningAttempt<JobActor>, at: number): void {
    this.slots.bury(attempt)
    this.whenKnown(attempt.job, () => this.recorder?.abandonedEnded(attempt.job, at))
    if (!this.settings.releaseZombies) this.holdings.giveBack(attempt.job.demand)
    this.meter.slotsChanged(at, this.slots.busy, this.limit)
    this.openTurn()
  }

  /** What the job's chart does not know may be for the body of its attempt, which gets it when the step is over. */
  #passOn(job: JobActor, event: JobEvent): void {
    const { current, executor } = job
    const isForBody = executor.supports.events === true && current !== undefined && !isJobEvent(event.type)
    if (!isForBody) {
      this.ignored(job, event)
      return
    }
    this.#afterEffects.push(() => {
      if (current.hasEnded || !deliver(current, event, this.settings.logger)) this.ignored(job, event)
    })
  }

  ignored(job: JobActor, event: JobEvent): void {
    this.meter.ignoredEvents++
    const at = this.now()
    this.whenKnown(job, () => {
      this.recorder?.ignored(job, event, at)
      if (!this.announcer.hasListeners('job.ignored')) return
      this.announcer.tellOf(job, 'job.ignored', at, { event: event.type, status: job.status })
    })
  }

  // Effects: written down while a chart steps, carried out after the commit.

  enqueue(job: JobActor): void {
    this.#granting.enqueue(job)
  }

  takeJobEffect(job: JobActor, type: string, params: unknown): void {
    this.#effects.push(job, type, params)
  }

  takeEffect(type: string, params: unknown): void {
    this.#effects.push(undefined, type, params)
    // Somebody may have sent the event straight to the actor: then nobody acts but the next turn.
    this.openTurn()
  }

  act(): void {
    if (this.#isActing) return
    this.#isActing = true
    try {
      do {
        while (this.#effects.take()) {
          const { job, type, params } = this.#effects
          if (job === undefined) this.#poolEffects.carryOut(type, params)
          else this.#jobEffects.carryOut(job, type, params)
        }
      } while (this.#callBack() || this.#grant())
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

  #grant(): boolean {
    return this.#turns.mayGrant && this.leaving?.hasBegun !== true && this.#granting.grant()
  }

  // The turn of the event loop.

  /** Something has happened that waits for the end of the turn. */
  openTurn(): void {
    this.#turns.open()
  }

  /** Commits what this turn has staged, and lets everybody hear of it. */
  commitTurn(): void {
    this.#turns.commit()
  }

  stopCommitting(): void {
    this.#turns.stop()
    // A store that closes with its pool is not read any more either.
    if (this.settings.closesStore) this.recall = undefined
  }

  /** The event loop has turned: the pool's chart gets the counts, and granting may go on. */
  #turned(): void {
    this.#granting.turned()
    this.reportCounts()
    this.act()
    this.#pressure?.follow(this.#running > 0)
    this.jobs.expire(this.now())
  }

  #record(given: PoolEvent): void {
    const { at = this.now(), ...event } = given as PoolEvent & { readonly at?: number }
    this.journal?.told('pool', this.jobs.idPrefix, at, event as TraceEvent)
  }

  /** How many jobs run, without those that were left: they count as running where the store did not take their end. */
  get #running(): number {
    return this.leaving?.isOver ? 0 : this.counts.running
  }

  reportCounts(): void {
    const { completed, failed, cancelled } = this.counts
    const queued = this.leaving?.hasBegun ? 0 : this.counts.queued
    this.actor.send({
      type: 'jobs.changed',
      at: this.now(),
      jobs: { queued, running: this.#running, completed, failed, cancelled },
    })
  }

  /** Whether the store has refused a commit, and has taken none since: nothing starts until it does. */
  get isRefused(): boolean {
    return this.#turns.isRefused
  }

  #tellIdle(): void {
    if (this.journal?.isOpen) return
    if (!this.announcer.hasIdleWaiters || this.counts.queued + this.counts.running > 0) return
    this.announcer.tellIdle()
  }
}
