import type { ActorOptions, StateValue } from 'xstate'
import type { JobContext, JobEvent, jobMachine } from '../../../machines/index.ts'
import { EspalierError } from '../../domain/errors.ts'
import type { JobResult, JobStatus } from '../../domain/job.ts'
import { jsonText } from '../../domain/json-text.ts'
import { type ChartEvent, type ErrorJson, type JobSubmitted, runOf } from '../../domain/trace.ts'
import type { JobRecord } from '../../ports/run-store.ts'
import { jobLogic } from '../charts/charts.ts'
import type { JobSnapshot } from '../job/job.ts'
import { JobActor, type JobRow, type JobSupervisor } from '../job/job-actor.ts'
import { isQueued, stateOf, statusOf } from '../job/job-states.ts'
import { recordOf } from './job-record.ts'
import type { Journal, StagingJob } from './journal.ts'

/** The longest spec or value, as JSON text, that the journal keeps until the row follows. */
const JOURNALED_LENGTH_MAX = 1_024

/** The longest value of a job, as JSON text; larger ones belong into a file. */
const VALUE_LENGTH_MAX = 64 * 1024 * 1024

/** What a durable job is made with, besides its row in the pool. */
export interface StoredRow {
  readonly submitted: JobSubmitted
  /** The number of the event by which it was submitted; 0 when that is to come. */
  readonly firstSeq: number
  readonly isStored: boolean
  /** Of what is long in its spec, as JSON text. */
  readonly length: number
  /** Whether others will look for its row. */
  readonly isSought: boolean
}

/**
 * A job whose steps are committed before anybody hears of them.
 *
 * An event steps the chart at once, but on a snapshot of its own: the *staged* one, which the pool works with. When the
 * store has taken the step, the actor makes it, tells its observers, and its effects are carried out. A step that is
 * refused has never happened.
 */
export class DurableJob extends JobActor implements StagingJob {
  readonly submitted: JobSubmitted
  firstSeq: number
  hasRow: boolean
  behindSince = 0
  plannedBy = 0
  /** Whether it has to have a row from the beginning. */
  readonly #isSought: boolean
  readonly #journal: Journal<DurableJob>
  #staged: JobSnapshot | undefined = undefined
  /** How many staged steps the actor has yet to make. */
  #pending = 0
  /** The value of a staged completion, as the store takes it. */
  #value: string | undefined = undefined
  /** The error of the last attempt that failed, and how it was told. */
  #failure: readonly [error: Error, told: ErrorJson] | undefined = undefined
  #accepted: PromiseWithResolvers<void> | undefined = undefined
  #isAccepted: boolean
  /** Names the content that makes its value; known when it starts. */
  cacheKey: string | undefined = undefined

  constructor(
    supervisor: JobSupervisor,
    journal: Journal<DurableJob>,
    row: JobRow,
    stored: StoredRow,
    options: ActorOptions<typeof jobMachine>,
  ) {
    super(supervisor, row, options)
    this.#journal = journal
    this.submitted = stored.submitted
    this.firstSeq = stored.firstSeq
    this.hasRow = stored.isStored
    this.#isSought = stored.isSought || stored.length > JOURNALED_LENGTH_MAX
    this.#isAccepted = stored.isStored
  }

  /** Its key in the store. */
  get key(): number {
    return this.sequence
  }

  // What the pool works with is the staged snapshot; while the actor makes a committed step, it is its own.

  override get isActive(): boolean {
    return this.#isStaged ? this.#staged?.status === 'active' : super.isActive
  }

  override get stateValue(): StateValue {
    return this.#isStaged ? (this.#staged as JobSnapshot).value : super.stateValue
  }

  override get context(): JobContext {
    return this.#isStaged ? (this.#staged as JobSnapshot).context : super.context
  }

  override get output(): JobResult | undefined {
    return this.#isStaged ? this.#staged?.output : super.output
  }

  override get isQueued(): boolean {
    return isQueued(stateOf((this.#staged ?? (this._snapshot as JobSnapshot)).value))
  }

  get #isStaged(): boolean {
    return this.#staged !== undefined && delivering !== this
  }

  // What others see is committed.

  override get status(): JobStatus {
    return statusOf(super.stateValue)
  }

  override get known(): JobResult | undefined {
    return super.output
  }

  override get knownState(): StateValue {
    return super.stateValue
  }

  override get knownContext(): JobContext {
    return super.context
  }

  override get isAccepted(): boolean {
    return this.#isAccepted
  }

  override get isPending(): boolean {
    return !this.#isAccepted || this.#pending > 0
  }

  override get accepted(): Promise<void> {
    if (this.#isAccepted) return Promise.resolve()
    if (this.#accepted === undefined) {
      this.#accepted = Promise.withResolvers()
      // Not everybody who asks whether it was accepted waits for the answer.
      this.#accepted.promise.catch(() => {})
      // It has ended and was not accepted: it was refused.
      if (this.known !== undefined) this.#accepted.reject(this.known.error)
    }
    return this.#accepted.promise
  }

  /** Takes an event: the chart steps, and the step waits for its commit. */
  override _send(given: JobEvent): void {
    const outer = delivering
    delivering = undefined
    try {
      const event = given.type === 'attempt.completed' ? this.#storable(given) : given
      const before = this.#staged ?? (this._snapshot as JobSnapshot)
      scope.self = this
      const after = jobLogic.transition(before, event, scope as never) as JobSnapshot
      this.supervisor.commit(this, after.value, after !== before, event)
      if (after !== before) {
        this.#staged = after
        this.#pending++
        const told = this.#journal.stepped(this, event, after)
        if (event.type === 'attempt.failed')
          this.#failure = [event.error, (told as ChartEvent).error as ErrorJson]
      }
    } finally {
      delivering = outer
    }
    this.supervisor.act()
  }

  /** Makes a step that has been committed, in the sight of all. */
  deliver(event: JobEvent, staged: JobSnapshot): void {
    const outer = delivering
    delivering = this
    try {
      this._sendKnown(event, staged)
    } finally {
      delivering = outer
    }
    this.#pending--
    if (this.#pending === 0) this.#staged = undefined
  }

  /** The store has taken it: the actor is about to make its steps. */
  accept(): void {
    this.#isAccepted = true
    this.#accepted?.resolve()
    this.supervisor.tellAccepted(this)
  }

  /** Takes over the value of a completion that is stored already. */
  keepValue(value: string | undefined): void {
    this.#value = value
  }

  /** The store has refused what is staged. @returns Whether the job was accepted before. */
  rollBack(error: Error): boolean {
    this.#staged = undefined
    this.#pending = 0
    if (this.#isAccepted) return true
    this.#accepted?.reject(error)
    return false
  }

  /**
   * Ends a job that was never accepted, for whoever holds it.
   *
   * The chart has no step for it, since nothing of it is told: the job is put where a refusal has to leave it.
   */
  refuse(result: JobResult): void {
    const refused = jobLogic.resolveState({ value: 'failed', context: this.context, output: result })
    this.update(refused as JobSnapshot, { type: 'submission.refused' })
    this.settle(result)
  }

  /** Of a refusal nothing is told. */
  override stepping(to: StateValue, _hasChanged: boolean, event: JobEvent): void {
    if (delivering === this) this.supervisor.tellStep(this, to, event)
  }

  /** Effects come from staging; those that are named again when the step is made are carried out already. */
  override takeEffect(type: string, params: unknown): void {
    if (delivering !== this) super.takeEffect(type, params)
  }

  override stepped(): void {}

  /** The job as the store keeps it, with what is staged. */
  get record(): JobRecord {
    const { key, id, firstSeq, submitted, cacheKey } = this
    const { stateValue: value, context, output } = this
    const [error, told] = this.#failure ?? NO_FAILURE
    return recordOf(
      { key, id, runId: runOf(submitted), firstSeq, submitted, cacheKey },
      { value, context, output },
      this.#value,
      error === output?.error ? told : undefined,
    )
  }

  /**
   * Whether its row has to be written with what is staged: what looks for rows finds it there, by its id, its content or what
   * it depends on, and what is large is not written twice.
   */
  get needsRow(): boolean {
    if (!this.hasRow && this.#isSought) return true
    if (this.isActive) return false
    return this.cacheKey !== undefined || (this.#value?.length ?? 0) > JOURNALED_LENGTH_MAX
  }

  /** A value that the store cannot carry is a failure, and trying again would not help. */
  #storable(event: Extract<JobEvent, { type: 'attempt.completed' }>): JobEvent {
    const { at, attempt, value } = event
    if (attempt !== this.context.attempt) return event
    try {
      this.#value = jsonText(value, `The value of job "${this.id}"`)
      const length = this.#value?.length ?? 0
      if (length <= VALUE_LENGTH_MAX) return event
      throw new EspalierError('ESP_VALUE_TOO_LARGE', { jobId: this.id, length, longest: VALUE_LENGTH_MAX })
    } catch (thrown) {
      const error = thrown as Error
      return { type: 'attempt.failed', at, attempt, error, reason: 'rejected', random: 0 }
    }
  }
}

const NO_FAILURE: readonly [undefined, undefined] = [undefined, undefined]

/** The job that is making a committed step. */
let delivering: DurableJob | undefined

/** What a staged step runs in: its effects are only written down, and nobody inspects it yet. */
const scope = {
  self: undefined as DurableJob | undefined,
  id: 'job',
  sessionId: 'staged',
  logger: () => {},
  system: { _sendInspectionEvent: () => {} },
  defer: () => {},
  emit: () => {},
  stopChild: () => {},
  takesEffects: true,
  actionExecutor({ type, params }: { readonly type: string; readonly params: unknown }) {
    scope.self?.takeEffect(type, params)
  },
}
