import type { JobEvent } from '../../../machines/index.ts'
import type { JobId } from '../../domain/job.ts'
import type { TraceActor, TraceEvent } from '../../domain/trace.ts'
import { errorToJson, type JobSubmitted } from '../../domain/trace.ts'
import type {
  JobRecord,
  NodeRecord,
  RunRecord,
  RunStore,
  StoreBatch,
  StoreEvent,
} from '../../ports/run-store.ts'
import type { JobSnapshot } from '../job/job.ts'
import { PendingRows, type RowedJob, type RowPlan } from './pending-rows.ts'

/** A job that stages its steps. */
export interface StagingJob extends RowedJob {
  readonly id: JobId
  /** Its key in the store. */
  readonly key: number
  readonly submitted: JobSubmitted
  /** The number of the event by which it was submitted. */
  firstSeq: number
  /** As the store keeps it, with what is staged. */
  readonly record: JobRecord
  /** The store has taken it, in the sight of all. */
  accept(): void
  /** Makes a step that has been committed, in the sight of all. @param staged - What it has led to. */
  deliver(event: JobEvent, staged: JobSnapshot): void
  /** The store has refused what is staged. @returns Whether the job was accepted before. */
  rollBack(error: Error): boolean
}

/** A run that keeps its row and its nodes' rows. */
export interface RecordedRun {
  readonly record: RunRecord
  nodeRecord(place: number): NodeRecord
  /** The store has refused a tick of this run. */
  refused(error: Error): void
}

/** An event of this tick. */
interface Noted extends StoreEvent {
  /** What is adopted meanwhile goes before it. */
  seq: number
  /** Known when it is committed. */
  isAhead: boolean
}

/** An event of a job: that it was submitted, or a step. */
interface NotedStep<Job> extends Noted {
  readonly job: Job
  /** Whether it tells what otherwise its job's row tells. */
  readonly isFact: boolean
  /** The step that its actor makes when it is committed, and where it leads; absent: the job is accepted then. */
  readonly sent: JobEvent | undefined
  readonly staged: JobSnapshot | undefined
}

/** What waits for a commit. */
type Held<Job> = NotedStep<Job> | (() => void)

/**
 * The ticks of a durable pool: steps are staged, committed together, and only then heard of.
 *
 * A tick is what happens between two turns of the event loop, and one transaction of the store.
 */
export class Journal<Job extends StagingJob> {
  readonly store: RunStore
  readonly #openTurn: () => void
  #events: (Noted | NotedStep<Job>)[] = []
  #submitted: Job[] = []
  /** Those of earlier ticks. */
  readonly #changed = new Set<Job>()
  readonly #runs = new Set<RecordedRun>()
  readonly #nodes = new Map<RecordedRun, Set<number>>()
  #held: Held<Job>[] = []
  readonly #pending: PendingRows<Job>
  #key: number
  #isDelivering = false

  /**
   * @param openTurn - Asks for a turn that will {@link commit}.
   * @throws {EspalierError} `ESP_STORE_REFUSED` when rows are behind, and stay so.
   */
  constructor(store: RunStore, openTurn: () => void) {
    this.store = store
    this.#openTurn = openTurn
    store.catchUp()
    this.#pending = new PendingRows(store.pendingMax)
    this.#key = store.lastKey
  }

  /** Whether something waits for its commit. */
  get isOpen(): boolean {
    return this.#events.length + this.#held.length + this.#runs.size > 0
  }

  /** Whether a step or a submission waits for its commit. */
  get hasSteps(): boolean {
    return this.#submitted.length + this.#changed.size > 0
  }

  /** The jobs with something staged. */
  get jobs(): readonly Job[] {
    return [...this.#stepped]
  }

  /** The key of the next job: those of refused jobs are not given again. */
  nextKey(): number {
    return ++this.#key
  }

  /** How many jobs have rows that are behind. */
  get pending(): number {
    return this.#pending.size
  }

  /** A job whose row is behind, as it is committed; for one that takes no steps any more. */
  pendingRecord(jobId: JobId): JobRecord | undefined {
    for (const job of this.#pending.jobs()) if (job.id === jobId) return job.record
    return undefined
  }

  submitted(job: Job, at: number): void {
    this.#submitted.push(job)
    job.firstSeq = this.#nextSeq
    this.#noteOf(job, at, job.submitted, true, undefined, undefined)
  }

  /**
   * @param staged - Where the step leads.
   * @returns The event as it is told: what it was made of may be changed by whoever has it.
   */
  stepped(job: Job, event: JobEvent, staged: JobSnapshot): TraceEvent {
    const told = traceEventOf(event)
    const isSubmitted = job.firstSeq > this.store.lastSeq
    if (!isSubmitted) this.#changed.add(job)
    this.#noteOf(job, event.at, told, event.type === 'attempt.completed', event, staged)
    return told
  }

  /**
   * Commits what belongs to no tick, such as the past of a fork; it goes before what is staged.
   *
   * @param make - Given the numbers of the last event and the last job.
   * @throws {EspalierError} `ESP_STORE_REFUSED`.
   */
  adopt(make: (seq: number, key: number) => StoreBatch): void {
    this.#sync()
    const { firstSeq: pendingSeq } = this.#pending
    const { lastSeq } = this.store
    const batch = make(lastSeq, this.#key)
    this.store.commit(pendingSeq === undefined ? batch : { ...batch, pendingSeq })
    this.#key = Math.max(this.#key, this.store.lastKey)
    const adopted = this.store.lastSeq - lastSeq
    for (const event of this.#events) event.seq += adopted
    for (const job of this.#submitted) job.firstSeq += adopted
  }

  /** Notes an event of the pool or of a run. */
  told(actor: Exclude<TraceActor, 'job'>, id: string, at: number, event: TraceEvent): void {
    this.#note(actor, id, at, event)
    this.#openTurn()
  }

  /** The run's row is to be written with this tick, and that of a node when one is named. */
  changed(run: RecordedRun, place?: number): void {
    this.#runs.add(run)
    this.#openTurn()
    if (place === undefined) return
    const places = this.#nodes.get(run) ?? new Set()
    this.#nodes.set(run, places.add(place))
  }

  /** Calls back when all that was staged so far is committed; never when it is refused. */
  afterCommit(callback: () => void): void {
    this.#held.push(callback)
  }

  /**
   * Commits the tick, then lets everybody hear of it, in the order of the steps.
   *
   * @returns Whether there was anything to commit.
   * @throws {EspalierError} `ESP_STORE_REFUSED`: see {@link takeBack}.
   */
  commit(): boolean {
    if (!this.isOpen || this.#isDelivering) return false
    this.#write()
    const held = this.#held
    this.#forget()
    this.#isDelivering = true
    try {
      for (const each of held) {
        if (typeof each === 'function') each()
        else if (each.sent === undefined) each.job.accept()
        else each.job.deliver(each.sent, each.staged as JobSnapshot)
      }
    } finally {
      this.#isDelivering = false
    }
    return true
  }

  /**
   * Takes back what the store has refused.
   *
   * @returns The jobs that were never accepted, and the events that were no mere consequence of others.
   */
  takeBack(error: Error): {
    readonly gone: Job[]
    readonly facts: readonly (readonly [Job, JobEvent])[]
  } {
    const facts = this.#held.flatMap((held) => {
      if (typeof held === 'function' || held.sent === undefined) return []
      return DERIVED.has(held.sent.type) ? [] : [[held.job, held.sent] as const]
    })
    const runs = [...this.#runs]
    const gone = this.#submitted.filter((job) => !job.rollBack(error))
    for (const job of this.#changed) job.rollBack(error)
    const told = this.#events.filter(({ actor }) => actor === 'pool')
    this.#forget()
    // What the pool was told stands; it waits for the next commit that something else asks for.
    for (const { at, id, event } of told) this.#note('pool', id, at, event)
    for (const run of runs) run.refused(error)
    const isGone = new Set(gone)
    return { gone, facts: facts.filter(([job]) => !isGone.has(job)) }
  }

  /**
   * Writes rows of jobs that are behind, those first that have been so for the longest.
   *
   * @returns Whether it could: not while something is staged, which a commit will follow.
   * @throws {EspalierError} `ESP_STORE_REFUSED`: the rows stay behind.
   */
  flush(count: number): boolean {
    if (this.isOpen || this.#isDelivering) return false
    this.#sync()
    const { lastSeq } = this.store
    if (this.#pending.size > 0)
      this.#commitRows(this.#pending.flush(count, lastSeq), { events: [], runs: [], nodes: [] })
    return true
  }

  /** Whoever prunes a store brings its rows up first. */
  #sync(): void {
    const { pendingSeq, lastSeq } = this.store
    if (pendingSeq > lastSeq) this.#pending.clear()
  }

  #write(): void {
    this.#sync()
    const nodes = [...this.#nodes].flatMap(([run, places]) =>
      Array.from(places, (place) => run.nodeRecord(place)),
    )
    const firstSeq = this.store.lastSeq + 1
    const plan = this.#pending.plan(this.#stepped, firstSeq, this.store.lastSeq + this.#events.length)
    for (const event of this.#events)
      if ('isFact' in event && event.isFact) event.isAhead = event.job.plannedBy !== plan.number
    this.#commitRows(plan, {
      events: this.#events,
      runs: Array.from(this.#runs, (run) => run.record),
      nodes,
    })
  }

  #commitRows(plan: RowPlan<Job>, batch: Pick<StoreBatch, 'events' | 'runs' | 'nodes'>): void {
    const firstSeq = this.store.lastSeq + 1
    const { rows, pendingSeq } = plan
    this.store.commit({
      ...batch,
      submitted: recordsOf(rows, false),
      changed: recordsOf(rows, true),
      pendingSeq,
    })
    this.#pending.made(plan, firstSeq)
  }

  /** Each once, in the order in which they came to be staged. */
  get #stepped(): Iterable<Job> {
    return this.#submitted.length === 0 ? this.#changed : [...this.#submitted, ...this.#changed]
  }

  get #nextSeq(): number {
    return this.store.lastSeq + this.#events.length + 1
  }

  #noteOf(
    job: Job,
    at: number,
    event: TraceEvent,
    isFact: boolean,
    sent: JobEvent | undefined,
    staged: JobSnapshot | undefined,
  ): void {
    const { id, key } = job
    const seq = this.#nextSeq
    const step = { seq, at, actor: 'job', id, key, event, isAhead: false, job, isFact, sent, staged } as const
    this.#events.push(step)
    this.#held.push(step)
    this.#openTurn()
  }

  #note(actor: TraceActor, id: string, at: number, event: TraceEvent): void {
    const seq = this.#nextSeq
    this.#events.push({ seq, at, actor, id, key: undefined, event, isAhead: false })
  }

  #forget(): void {
    this.#events = []
    this.#submitted = []
    // Clearing makes them anew.
    if (this.#changed.size > 0) this.#changed.clear()
    if (this.#runs.size > 0) this.#runs.clear()
    if (this.#nodes.size > 0) this.#nodes.clear()
    this.#held = []
  }
}

/** Made one by one while they are written: of a large tick they would take as much memory as its jobs. */
function* recordsOf(jobs: readonly StagingJob[], haveRows: boolean): Generator<JobRecord> {
  for (const job of jobs) if (job.hasRow === haveRows) yield job.record
}

/**
 * Events that follow from the state of others: they are sent again when that is reached again. They say no more than their
 * type, so the trace has one of each.
 */
const DERIVED: ReadonlyMap<string, TraceEvent> = new Map(
  (['dependencies.met', 'slot.granted', 'deadline.reached'] as const).map((type) => [
    type,
    Object.freeze({ type }),
  ]),
)

/** An event as the trace has it: without its time, its error as JSON. */
function traceEventOf(given: JobEvent): TraceEvent {
  const derived = DERIVED.get(given.type)
  if (derived !== undefined) return derived
  if (given.type === 'attempt.completed') {
    const { type, attempt, value, usage } = given
    return { type, attempt, value, usage }
  }
  const { at, ...event } = given
  return event.type === 'attempt.failed' ? { ...event, error: errorToJson(event.error) } : event
}
