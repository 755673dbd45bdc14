import type {
  ActorOptions,
  ActorRefFrom,
  AnyActorRef,
  AnyEventObject,
  Observer,
  StateValue,
  Subscription,
} from 'xstate'
import type { JobContext, JobEvent, jobMachine } from '../../../machines/index.ts'
import { checkString } from '../../domain/check.ts'
import { EspalierError } from '../../domain/errors.ts'
import type { CancelSource, Execute, JobId, JobResult, JobStatus, Transferable } from '../../domain/job.ts'
import type { Demand } from '../../domain/resources.ts'
import type { Executor } from '../../ports/executor.ts'
import type { EffectTaker } from '../../statechart/index.ts'
import { ChartActor, jobLogic } from '../charts/charts.ts'
import { shieldObserver } from '../charts/shield.ts'
import type { Sleeper, Wish } from '../scheduling/deadlines.ts'
import type { Queueable } from '../scheduling/ready-queue.ts'
import type { RunningAttempt } from './attempt.ts'
import type { Job, JobSnapshot, SentEvent } from './job.ts'
import { isQueued, READY, stateOf, statusOf } from './job-states.ts'
import type { Links } from './links.ts'
import { Owed } from './owed.ts'

/** Who is told of a job's steps: its pool. */
export interface JobSupervisor {
  /** A step has been made: `to` is about to become the job's state. */
  commit(job: JobActor, to: StateValue, hasChanged: boolean, event: JobEvent): void
  /** The store has taken a job. */
  tellAccepted(job: JobActor): void
  /** The store has taken a step: `to` is about to become what others see of the job. */
  tellStep(job: JobActor, to: StateValue, event: JobEvent): void
  takeJobEffect(job: JobActor, type: string, params: unknown): void
  /** Runs the jobs that name no other. */
  readonly executor: Executor
  /** Of the jobs that name no other. */
  readonly memoryLimitBytes: number | undefined
  /** Carries out what the steps so far have asked for. */
  act(): void
  /** Tells a job that its deadline is reached. */
  deadlineOf(job: JobActor, at: number): void
  /** Records an event that changed nothing. */
  ignored(job: JobActor, event: JobEvent): void
  readonly reportSubscriber: (thrown: unknown) => void
  cancel(job: JobActor, by: CancelSource, reason: string, causedBy?: JobId): boolean
}

/** What a job is made with, besides its actor's options. */
export interface JobRow {
  readonly spec: { readonly execute: Execute; readonly score?: number }
  /** Index into `PRIORITIES`. */
  readonly priority: number
  /** The order of submission. */
  readonly sequence: number
  readonly extras: JobExtras
}

/** What few jobs have. */
export interface JobExtras {
  readonly args?: readonly unknown[] | undefined
  /** Absent: the pool's own. */
  readonly executor?: Executor | undefined
  readonly callback?: ((result: JobResult) => unknown) | undefined
  readonly dedupeKey?: string | undefined
  readonly runsOnDependencyFailure?: boolean
  readonly observer?: JobObserver | undefined
  readonly memoryLimitBytes?: number | undefined
  readonly demand?: Demand | undefined
  readonly transfer?: readonly Transferable[] | undefined
  /** What it runs and in which version, when a recorded value of the same content may be taken. */
  readonly cache?: string | undefined
}

/** Whom a job of a tree tells of its life: the orchestrator. */
export interface JobObserver {
  started(job: JobActor): void
  progressed(job: JobActor, fraction: number, note: string | undefined): void
  /** It is queued again, for its next attempt. */
  retrying(job: JobActor): void
  settled(job: JobActor, result: JobResult): void
}

/** A dependency: the job itself, or the id of one that ended and was forgotten. */
export type Dependency = JobActor | JobId

interface ActorCore extends ActorRefFrom<typeof jobMachine> {
  readonly isActive: boolean
  readonly stateValue: StateValue
  readonly context: JobContext
  readonly output: JobResult | undefined
  _snapshot: JobSnapshot
  start(): this
  send(event: JobEvent): void
  _send(event: JobEvent): void
  stepping(to: StateValue, hasChanged: boolean, event: JobEvent): void
  stepped(): void
  _sendKnown(event: JobEvent, next: JobSnapshot): void
  update(snapshot: JobSnapshot, event: AnyEventObject): void
}
type ActorCoreClass = new (logic: typeof jobMachine, options: ActorOptions<typeof jobMachine>) => ActorCore

const NO_ARGS: readonly unknown[] = Object.freeze([])
const NO_TRANSFER: readonly Transferable[] = Object.freeze([])

type Resolve = (result: JobResult) => void

let heldResolve: Resolve | undefined
/** One function for all promises: a closure for each would weigh more than the promise. */
const holdResolve = (resolve: Resolve): void => {
  heldResolve = resolve
}

/** What a pool knows of a job: its actor, or one that has ended in a store and becomes an actor when somebody asks for it. */
export interface JobEntry {
  readonly id: JobId
  /** The order of submission. */
  readonly sequence: number
  readonly dedupeKey: string | undefined
  /** Whether it has not ended. */
  readonly isActive: boolean
  readonly status: JobStatus
  /** Epoch ms; absent until then. */
  readonly endedAt: number | undefined
  /** How it ended; absent until then. */
  readonly settled: JobResult | undefined
  /** How it ended, as far as others may know. */
  readonly known: JobResult | undefined
  /** Absent: nothing. */
  readonly owed?: Owed
  readonly actor: JobActor
}

/** A job as the runtime sees it: the actor, and its row. */
export class JobActor
  extends (ChartActor as unknown as ActorCoreClass)
  implements Job, JobEntry, EffectTaker, Queueable, Sleeper
{
  readonly supervisor: JobSupervisor
  readonly execute: Execute
  /** Index into `PRIORITIES`; changed by {@link JobSupervisor} only. */
  priority: number
  readonly score: number
  readonly sequence: number
  readonly extras: JobExtras
  /** The band it waits in: its priority, until ageing promotes it. */
  band: number
  wish: Wish | undefined = undefined
  /** The attempt that holds a slot, or held the last one. */
  current: RunningAttempt<JobActor> | undefined = undefined
  /** The slot of the last attempt, once the job has ended. */
  lastSlot = -1
  /** Earlier attempts, when there were any. */
  earlier: RunningAttempt<JobActor>[] | undefined = undefined
  owed: Owed = Owed.NOTHING
  /** Absent when no job waits for another here. Of one that has ended, only whom it waited for. */
  links: Links<JobActor> | undefined = undefined
  #promise: Promise<JobResult> | undefined = undefined
  #resolve: Resolve | undefined = undefined

  constructor(supervisor: JobSupervisor, row: JobRow, options: ActorOptions<typeof jobMachine>) {
    super(jobLogic, options)
    this.supervisor = supervisor
    this.execute = row.spec.execute
    this.priority = row.priority
    this.band = row.priority
    this.score = row.spec.score ?? 0
    this.sequence = row.sequence
    this.extras = row.extras
  }

  /** One for all jobs: XState and its machines remember every type they meet. */
  get doneType(): string {
    return 'xstate.done.actor.job'
  }

  get actor(): this {
    return this
  }

  get nodeId(): string | undefined {
    return this.context.origin?.nodeId
  }

  get dedupeKey(): string | undefined {
    return this.extras.dedupeKey
  }

  get demand(): Demand | undefined {
    return this.extras.demand
  }

  get body(): AnyActorRef | undefined {
    const { current } = this
    if (current === undefined || current.hasEnded) return undefined
    return this.executor.body?.(current) as AnyActorRef | undefined
  }

  get args(): readonly unknown[] {
    return this.extras.args ?? NO_ARGS
  }

  get executor(): Executor {
    return this.extras.executor ?? this.supervisor.executor
  }

  get memoryLimitBytes(): number | undefined {
    return this.extras.memoryLimitBytes ?? this.supervisor.memoryLimitBytes
  }

  get transfer(): readonly Transferable[] {
    return this.extras.transfer ?? NO_TRANSFER
  }

  get treeId(): string | undefined {
    return this.context.origin?.treeId
  }

  get status(): JobStatus {
    return statusOf(this.stateValue)
  }

  get isReady(): boolean {
    return stateOf(this.stateValue) === READY
  }

  /** Whether it may be moved in the queue: it may be about to start, though others do not know. */
  get isQueued(): boolean {
    return isQueued(stateOf(this.stateValue))
  }

  get accepted(): Promise<void> {
    return Promise.resolve()
  }

  result<Value>(): Promise<JobResult<Value>> {
    if (this.#promise === undefined) {
      const { known } = this
      if (known === undefined) {
        this.#promise = new Promise(holdResolve)
        this.#resolve = heldResolve
        heldResolve = undefined
      } else {
        this.#promise = Promise.resolve(known)
      }
    }
    return this.#promise as Promise<JobResult<Value>>
  }

  value<Value>(): Promise<Value> {
    return this.result<Value>().then(valueIn)
  }

  cancel(reason = 'user'): boolean {
    return this.supervisor.cancel(this, 'user', checkString('reason', reason).toWellFormed())
  }

  /**
   * Takes an event from outside.
   *
   * A cancel is carried out as `cancel` does, and what the chart does not know may be for the body of an attempt. The
   * chart's other events are the pool's to say: they are recorded as ignored, or whoever holds a job could start it
   * beyond the limit, or end it with a value of their own.
   */
  override send(event: SentEvent): void {
    if (typeof event?.type !== 'string') {
      const expected = 'an object with a string as `type`'
      throw new EspalierError('ESP_INVALID_OPTION', { option: 'event', expected, got: event })
    }
    if (event.type === 'job.cancel') this.cancel((event as { readonly reason?: string }).reason)
    else if (isJobEvent(event.type)) this.supervisor.ignored(this, event as JobEvent)
    else this.take(event as JobEvent)
  }

  /** Takes an event from the pool. */
  take(event: JobEvent): void {
    super.send(event)
  }

  /** Every step of the chart passes here, whoever sent the event: commit first, then tell, then act. */
  override stepping(to: StateValue, hasChanged: boolean, event: JobEvent): void {
    this.supervisor.commit(this, to, hasChanged, event)
  }

  override stepped(): void {
    this.supervisor.act()
  }

  override subscribe(observer: Observer<JobSnapshot>): Subscription
  override subscribe(
    next?: (snapshot: JobSnapshot) => void,
    error?: (error: unknown) => void,
    complete?: () => void,
  ): Subscription
  override subscribe(...args: readonly unknown[]): Subscription {
    return super.subscribe(shieldObserver(args, this.supervisor.reportSubscriber))
  }

  takeEffect(type: string, params: unknown): void {
    this.supervisor.takeJobEffect(this, type, params)
  }

  wake(at: number): void {
    this.supervisor.deadlineOf(this, at)
  }

  get endedAt(): number | undefined {
    return this.output?.endedAt
  }

  get settled(): JobResult | undefined {
    return this.output
  }

  get known(): JobResult | undefined {
    return this.settled
  }

  /** Its state, as far as others may know. */
  get knownState(): StateValue {
    return this.stateValue
  }

  /** Its context, as far as others may know. */
  get knownContext(): JobContext {
    return this.context
  }

  /** Whether others may know of it. */
  get isAccepted(): boolean {
    return true
  }

  /** Whether something has happened to it that others may not know of yet. */
  get isPending(): boolean {
    return false
  }

  /** Makes the result known to whoever waits for it; a zombie is from now on held by its slot alone. */
  settle(result: JobResult): void {
    this.#resolve?.(result)
    this.#resolve = undefined
    if (this.current === undefined) return
    this.lastSlot = this.current.slot
    this.current = undefined
  }

  /** Its pool is closed, and the job is not at its end: whoever waits for it hears no more than this. */
  leave(result: JobResult): void {
    this.#promise ??= Promise.resolve(result)
    this.#resolve?.(result)
  }

  dependencyValues(): Record<string, unknown> {
    if (this.links === undefined) return {}
    const values: [name: string, value: unknown][] = []
    for (const dependency of this.links.dependencies) {
      if (typeof dependency === 'string' || dependency.settled?.status !== 'completed') continue
      values.push([dependency.nodeId ?? dependency.id, dependency.settled.value])
    }
    // An assignment would take the name `__proto__` for something else.
    return Object.fromEntries(values)
  }
}

/** One function for all jobs: an async method would keep a frame for each that is waited for. */
function valueIn<Value>({ status, jobId, value, error, reason }: JobResult<Value>): Value {
  if (status === 'completed') return value
  if (status === 'failed') throw error
  throw new EspalierError('ESP_JOB_CANCELLED', { jobId, reason })
}

/** The job chart's events; XState's own count as such. */
const JOB_EVENTS: ReadonlySet<string> = new Set<JobEvent['type']>([
  'dependencies.met',
  'slot.granted',
  'deadline.reached',
  'job.cancel',
  'attempt.completed',
  'attempt.failed',
])

export const isJobEvent = (type: string): boolean => JOB_EVENTS.has(type) || type.startsWith('xstate.')
