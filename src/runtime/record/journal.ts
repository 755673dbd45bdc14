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

/** A job that stages its steps. */
export interface StagingJob {
  readonly id: JobId
  /** Its key in the store. */
  readonly key: number
  readonly submitted: JobSubmitted
  /** As the store keeps it, with what is staged. */
  readonly record: JobRecord
  /** The store has taken what was staged. */
  committed(): void
  /** Makes a step that has been committed, in the sight of all. */
  deliver(event: JobEvent): void
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

/** What waits for a commit: a step that its actor makes then, or anything else. */
type Held<Job> = { readonly job: Job; readonly event: JobEvent } | (() => void)

/**
 * The ticks of a durable pool: steps are staged, committed together, and only then heard of.
 *
 * A tick is what happens between two turns of the event loop, and one transaction of the store.
 */
export class Journal<Job extends StagingJob> {
  readonly store: RunStore
  readonly #openTurn: () => void
  #events: StoreEvent[] = []
  #submitted: Job[] = []
  readonly #changed = new Set<Job>()
  readonly #runs = new Set<RecordedRun>()
  readonly #nodes = new Map<RecordedRun, Set<number>>()
  #held: Held<Job>[] = []
  #key: number
  #isDelivering = false

  /** @param openTurn - Asks for a turn that will {@link commit}. */
  constructor(store: RunStore, openTurn: () => void) {
    this.store = store
    this.#openTurn = openTurn
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
    return [...new Set([...this.#submitted, ...this.#changed])]
  }

  /** The key of the next job: those of refused jobs are not given again. */
  nextKey(): number {
    return ++this.#key
  }

  submitted(job: Job, at: number): void {
    this.#submitted.push(job)
    this.#record(at, 'job', job.id, job.key, job.submitted)
  }

  stepped(job: Job, event: JobEvent): void {
    this.#changed.add(job)
    this.#record(event.at, 'job', job.id, job.key, traceEventOf(event))
    this.#held.push({ job, event })
  }

  /**
   * Commits what belongs to no tick, such as the past of a fork.
   *
   * @param make - Given the numbers of the last event and the last job.
   * @throws {EspalierError} `ESP_STORE_REFUSED`.
   */
  adopt(make: (seq: number, key: number) => StoreBatch): void {
    if (this.isOpen) throw new Error('A tick is open: it would be numbered as what is adopted.')
    this.store.commit(make(this.store.lastSeq, this.#key))
    this.#key = Math.max(this.#key, this.store.lastKey)
  }

  /** Notes an event of the pool or of a run. */
  told(actor: Exclude<TraceActor, 'job'>, id: string, at: number, event: TraceEvent): void {
    this.#record(at, actor, id, undefined, event)
  }

  /** The run's row is to be written with this tick, and that of a node when one is named. */
  changed(run: RecordedRun, place?: number): void {
    this.#runs.add(run)
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
    for (const job of this.#submitted) job.committed()
    const held = this.#held
    this.#forget()
    this.#isDelivering = true
    try {
      for (const each of held) {
        if (typeof each === 'function') each()
        else each.job.deliver(each.event)
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
    const facts = this.#held.flatMap((held) =>
      typeof held !== 'function' && !DERIVED.has(held.event.type) ? [[held.job, held.event] as const] : [],
    )
    const runs = [...this.#runs]
    const gone = this.#submitted.filter((job) => !job.rollBack(error))
    for (const job of this.#changed) job.rollBack(error)
    const told = this.#events.filter(({ actor }) => actor === 'pool')
    this.#forget()
    // What the pool was told stands; it waits for the next commit that something else asks for.
    for (const { at, id, event } of told) this.#push(at, 'pool', id, undefined, event)
    for (const run of runs) run.refused(error)
    const isGone = new Set(gone)
    return { gone, facts: facts.filter(([job]) => !isGone.has(job)) }
  }

  #write(): void {
    const fresh = new Set(this.#submitted)
    const nodes = [...this.#nodes].flatMap(([run, places]) =>
      Array.from(places, (place) => run.nodeRecord(place)),
    )
    this.store.commit({
      events: this.#events,
      submitted: this.#submitted.map((job) => job.record),
      changed: Array.from(this.#changed)
        .filter((job) => !fresh.has(job))
        .map((job) => job.record),
      runs: Array.from(this.#runs, (run) => run.record),
      nodes,
    })
  }

  #record(at: number, actor: TraceActor, id: string, key: number | undefined, event: TraceEvent): void {
    this.#push(at, actor, id, key, event)
    this.#openTurn()
  }

  #push(at: number, actor: TraceActor, id: string, key: number | undefined, event: TraceEvent): void {
    const seq = this.store.lastSeq + this.#events.length + 1
    this.#events.push({ seq, at, actor, id, key, event })
  }

  #forget(): void {
    this.#events = []
    this.#submitted = []
    this.#changed.clear()
    this.#runs.clear()
    this.#nodes.clear()
    this.#held = []
  }
}

/** Events that follow from the state of others: they are sent again when that is reached again. */
const DERIVED: ReadonlySet<string> = new Set(['dependencies.met', 'slot.granted', 'deadline.reached'])

/** An event as the trace has it: without its time, its error as JSON. */
function traceEventOf({ at, ...event }: JobEvent): TraceEvent {
  return event.type === 'attempt.failed' ? { ...event, error: errorToJson(event.error) } : event
}
