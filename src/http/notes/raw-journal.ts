import type { AnyStateMachine } from 'xstate'
import type { JobEvent } from '../../../machines/index.ts'
import type { JobUsage } from '../../domain/job.ts'
import { timeoutError } from '../../domain/timeout-error.ts'
import { EVENT_CODES, JOB_STATES, LOG_STREAMS } from '../../protocol/journal.ts'
import type { RunStreamEvent } from '../../runtime/events/run-events.ts'
import type { Dependency, JobActor, JobEntry } from '../../runtime/job/job-actor.ts'
import { stateOf } from '../../runtime/job/job-states.ts'
import { isPlainEnd, Owed } from '../../runtime/job/owed.ts'
import type { RecordedRun, Recorder, Written } from '../../runtime/pool/recorder.ts'
import { BodyWatch } from './body-watch.ts'
import {
  cutText,
  RAW_DEPENDS,
  RAW_ORIGIN,
  RAW_READY_AT_ONCE,
  RAW_STARTED_AT_ONCE,
  type RawChunk,
  type RawItem,
} from './raw-chunk.ts'
import { RawChunkWriter } from './raw-chunk-writer.ts'
import { hasUsage, kindOf, MESSAGE_LENGTH_MAX, numberOf, rawError } from './raw-facts.ts'
import { TreeNotes } from './tree-notes.ts'

/** What the raw journal asks of the pool: where its charts are, and which job has an id. */
export interface RecordedPool {
  readonly poolState: () => number
  readonly limit: () => number
  readonly sequenceOf: (jobId: string) => number | undefined
  /** The jobs it knows whose sequence is in this range, both ends included, in that order. */
  readonly jobsBetween: (first: number, last: number) => Iterable<JobEntry>
  /** The jobs that hold its slots. */
  readonly holders: () => readonly JobActor[]
  readonly now: () => number
  /** A machine that a job runs: the hash that names it. */
  readonly meet: (machine: AnyStateMachine) => string
  /** Jobs from before the recording are there: it has to begin anew, since nothing can be told behind what came later. */
  readonly tookUp: () => void
}

const BLOCKED = JOB_STATES.indexOf('queued.blocked')
const READY = JOB_STATES.indexOf('queued.ready')
const EXECUTING = JOB_STATES.indexOf('running.executing')
const COMPLETED = JOB_STATES.indexOf('completed')
const FAILED = JOB_STATES.indexOf('failed')

const SUBMITTED = EVENT_CODES['job.submitted']
const GRANTED = EVENT_CODES['slot.granted']
const STARTED = EVENT_CODES['attempt.started']

/** What is written at once. */
const OUTPUT_LENGTH_MAX = 16_000
const OUTPUT_IS_CUT = '… more than its executor keeps: what follows is not recorded'
/** How often the progress of one pool's jobs is noted, in ms, however often they tell it. */
const PROGRESS_EVERY_MS = 50

/**
 * The recorder of a pool: notes every step as a few numbers, in chunks that can be handed to another thread.
 *
 * A job that goes the way of nearly all, from its submission to its first attempt and from there to its completion, remembers all of it
 * itself. So it owes its notes until somebody wants them, until anything else happens to it, or until the pool forgets it.
 */
export class RawJournal implements Recorder {
  readonly #pool: RecordedPool
  readonly #chunks: RawChunkWriter
  readonly #bodies: BodyWatch
  readonly #trees: TreeNotes
  #lastExecute: unknown
  #lastKind = 0
  #lastTree: string | undefined
  #lastTreeName = 0
  #progressedAt = 0
  /** Between these are the jobs that owe their lives, in any order: whoever hears of one may submit others. */
  #firstOwing = Number.POSITIVE_INFINITY
  #lastOwing = -1
  /** Whether somebody takes the notes again and again: then what is cheaper to note at once is not owed. */
  isWatched = false

  /** @param onChunk - Told that a chunk is full. */
  constructor(pool: RecordedPool, onChunk: () => void) {
    this.#pool = pool
    this.#chunks = new RawChunkWriter(onChunk)
    const note = (item: RawItem) => this.#chunks.item(item)
    this.#bodies = new BodyWatch(pool, note)
    this.#trees = new TreeNotes(pool, note)
  }

  /** Notes nothing more of what it has looked at. */
  close(): void {
    this.#bodies.close()
  }

  /** Runs that are going on. */
  get runs(): ReadonlyMap<string, RecordedRun> {
    return this.#trees.runs
  }

  /** About how many bytes of full chunks wait to be taken. */
  get fullBytes(): number {
    return this.#chunks.fullBytes
  }

  /** How many events were ever noted. */
  get events(): number {
    return this.#chunks.events
  }

  /** All that has happened since the last time. */
  take(): RawChunk[] {
    this.#noteAllOwed()
    return this.#chunks.take()
  }

  submitted(job: JobActor, hasChosenId: boolean): void {
    if (hasChosenId && !isOfTree(job)) {
      this.#submit(job, hasChosenId, false)
      return
    }
    if (this.isWatched) {
      job.owed = Owed.SUBMISSION
      return
    }
    job.owed = Owed.LIFE
    if (job.sequence < this.#firstOwing) this.#firstOwing = job.sequence
    if (job.sequence > this.#lastOwing) this.#lastOwing = job.sequence
  }

  dependsOn(job: JobActor, dependencies: readonly Dependency[]): void {
    this.#noteOwed(job)
    for (const dependency of dependencies) {
      if (typeof dependency === 'string') continue
      this.#noteOwed(dependency)
      this.#chunks.note(job.context.queuedAt, job.sequence, RAW_DEPENDS, 0, dependency.sequence)
    }
  }

  stepped(job: JobActor, event: JobEvent, to: number): void {
    switch (job.owed) {
      case Owed.SUBMISSION:
        // It waits for no other job, or it would owe nothing: so this is the instant of its submission.
        if (to !== READY) break
        this.#submit(job, false, true)
        return
      case Owed.ATTEMPT:
        if (!isPlainEnd(event)) break
        this.#ran(job, job.context.startedAt ?? event.at, event.at)
        return
    }
    this.#noteOwed(job)
    job.owed = Owed.NOTHING
    this.#note(job, event, to)
  }

  ignored(job: JobActor, event: JobEvent, at: number): void {
    this.#noteOwed(job)
    const state = stateOf(job.knownState)
    this.#chunks.item({ type: 'ignored', job: job.sequence, at, state, event: event.type })
  }

  started(job: JobActor, slot: number, at: number): void {
    this.#chunks.note(at, job.sequence, STARTED, EXECUTING, slot)
  }

  unstarted(job: JobActor): void {
    this.#noteOwed(job)
  }

  embodied(job: JobActor, attempt: number, at: number): void {
    this.#noteOwed(job)
    this.#bodies.watch(job, attempt, at)
  }

  abandoned(job: JobActor, hasSlot: boolean, at: number): void {
    this.#noteOwed(job)
    const detail = hasSlot ? 0 : 1
    this.#chunks.note(at, job.sequence, EVENT_CODES['attempt.abandoned'], stateOf(job.knownState), detail)
  }

  abandonedEnded(job: JobActor, at: number): void {
    this.#chunks.note(at, job.sequence, EVENT_CODES['attempt.ended'], stateOf(job.knownState), 0)
  }

  prioritised(job: JobActor, priority: number, at: number): void {
    this.#noteOwed(job)
    this.#chunks.note(at, job.sequence, EVENT_CODES['job.prioritised'], stateOf(job.knownState), priority)
  }

  progressed(job: JobActor, fraction: number, at: number): void {
    if (at - this.#progressedAt < PROGRESS_EVERY_MS) return
    this.#progressedAt = at
    this.#noteOwed(job)
    this.#chunks.note(
      at,
      job.sequence,
      EVENT_CODES['attempt.progressed'],
      EXECUTING,
      Math.round(1000 * fraction),
    )
  }

  logged(job: JobActor, attempt: number, line: string, at: number): void {
    this.#noteOwed(job)
    this.#chunks.item({
      type: 'log',
      job: job.sequence,
      at,
      attempt,
      line: cutText(line, MESSAGE_LENGTH_MAX),
      stream: 0,
    })
  }

  printed(job: JobActor, { attempt, stream, chunk, truncated }: Written, at: number): void {
    this.#noteOwed(job)
    const kept = cutText(chunk, OUTPUT_LENGTH_MAX)
    const line = truncated ? `${kept}\n${OUTPUT_IS_CUT}` : kept
    const { sequence } = job
    this.#chunks.item({ type: 'log', job: sequence, at, attempt, line, stream: LOG_STREAMS.indexOf(stream) })
  }

  forgotten(job: JobEntry): void {
    if (job.owed !== Owed.LIFE) return
    this.#noteOwed(job.actor)
  }

  poolChanged(event: string, at: number): void {
    this.#chunks.item({ type: 'pool', at, event, state: this.#pool.poolState(), limit: this.#pool.limit() })
  }

  tookUp(): void {
    this.#pool.tookUp()
  }

  ran(run: RecordedRun, event: RunStreamEvent): void {
    this.#trees.ran(run, event)
  }

  /** Notes a run, and the tree that it has grown so far. */
  meet(run: RecordedRun, at: number): void {
    this.#trees.meet(run, at)
  }

  /** Notes something that is not only numbers. */
  item(item: RawItem): void {
    this.#chunks.item(item)
  }

  /**
   * Notes what a job from before the recording remembers, but for an end that is not a completion: of attempts before its last one
   * nothing is left.
   *
   * @param slot - Of its last attempt.
   */
  replayed(job: JobActor, hasChosenId: boolean, slot = slotOf(job)): void {
    const { known: settled, knownContext: context } = job
    const state = stateOf(job.knownState)
    const { startedAt } = settled ?? context
    this.#submit(job, hasChosenId, startedAt !== undefined || state === READY)
    if (startedAt === undefined || state === READY) return
    job.owed = Owed.NOTHING
    if (state === COMPLETED) this.#ran(job, startedAt, settled?.endedAt ?? startedAt, slot)
    else this.#chunks.note(startedAt, job.sequence, RAW_STARTED_AT_ONCE, 0, slot)
  }

  /** Notes an event from before the recording that {@link replayed} does not. */
  replayedEvent(at: number, sequence: number, code: number, state: number): void {
    this.#chunks.note(at, sequence, code, state, 0)
  }

  /** Notes what all jobs owe. */
  #noteAllOwed(): void {
    for (const job of this.#pool.jobsBetween(this.#firstOwing, this.#lastOwing))
      if (job.owed === Owed.LIFE) this.#noteOwed(job.actor)
    this.#firstOwing = Number.POSITIVE_INFINITY
    this.#lastOwing = -1
    for (const job of this.#pool.holders()) if (job.owed === Owed.ATTEMPT) this.#noteOwed(job)
  }

  /** Notes what a job owes of what it has been through. */
  #noteOwed(job: JobActor): void {
    if (job.owed === Owed.NOTHING) return
    const { knownContext: context, current, known: settled, owed } = job
    const state = stateOf(job.knownState)
    if (owed !== Owed.ATTEMPT) this.#submit(job, false, state !== BLOCKED)
    if (state === READY) {
      job.owed = Owed.ATTEMPT
      return
    }
    job.owed = Owed.NOTHING
    const { startedAt } = settled ?? context
    if (startedAt === undefined) return
    if (settled !== undefined) this.#ran(job, startedAt, settled.endedAt)
    else if (current?.attempt === context.attempt)
      this.#chunks.note(startedAt, job.sequence, RAW_STARTED_AT_ONCE, 0, current.slot)
    else this.#chunks.note(startedAt, job.sequence, GRANTED, state, 0)
  }

  /** @param wasReady - Whether it was ready at once. */
  #submit(job: JobActor, hasChosenId: boolean, wasReady: boolean): void {
    const { execute, sequence, score, priority, extras, context } = job
    if (execute !== this.#lastExecute) {
      this.#lastExecute = execute
      this.#lastKind = this.#chunks.name(kindOf(execute))
    }
    if (context.origin !== undefined || hasChosenId || extras.executor !== undefined)
      this.#describe(job, hasChosenId)
    if (score !== 0) this.#chunks.score(score)
    const code = wasReady ? RAW_READY_AT_ONCE : SUBMITTED
    this.#chunks.note(context.queuedAt, sequence, code, priority, this.#lastKind)
    job.owed = wasReady ? Owed.ATTEMPT : Owed.NOTHING
  }

  #ran(job: JobActor, startedAt: number, endedAt: number, slot = slotOf(job)): void {
    this.#chunks.ran(job.sequence, slot, startedAt, endedAt)
    job.owed = Owed.NOTHING
  }

  #describe(job: JobActor, hasChosenId: boolean): void {
    const { id, nodeId, treeId, extras } = job
    if (isOfTree(job)) {
      if (treeId !== this.#lastTree) {
        this.#lastTree = treeId
        this.#lastTreeName = this.#chunks.name(treeId as string)
      }
      this.#chunks.mark(this.#lastTreeName, RAW_ORIGIN, (numberOf(nodeId) as number) + 1)
      return
    }
    this.#chunks.item({
      type: 'job',
      ...(hasChosenId ? { id } : {}),
      nodeId,
      treeId,
      ...(extras.executor === undefined ? {} : { executor: extras.executor.name }),
    })
  }

  #use(job: number, at: number, attempt: number, usage: JobUsage | undefined): void {
    if (hasUsage(usage)) this.#chunks.item({ type: 'usage', job, at, attempt, usage })
  }

  /** It fails without a word of its attempt, which ignores its signal. */
  #timedOut({ id, sequence, knownContext }: JobActor, event: 'deadline.reached', at: number): void {
    const { attempt, policy } = knownContext
    const error = rawError(timeoutError(id, attempt, policy.timeoutMs))
    this.#chunks.item({ type: 'failed', event, job: sequence, at, state: FAILED, attempt, error })
  }

  #note(job: JobActor, event: JobEvent, to: number): void {
    const { sequence } = job
    const { at } = event
    switch (event.type) {
      case 'attempt.failed':
        this.#use(sequence, at, event.attempt, event.usage)
        this.#chunks.item({
          type: 'failed',
          job: sequence,
          at,
          state: to,
          attempt: event.attempt,
          error: rawError(event.error),
        })
        return
      case 'job.cancel': {
        const causedBy = event.causedBy === undefined ? undefined : this.#pool.sequenceOf(event.causedBy)
        const reason = cutText(event.reason, MESSAGE_LENGTH_MAX)
        this.#chunks.item({ type: 'cancelled', job: sequence, at, state: to, by: event.by, reason, causedBy })
        return
      }
      case 'deadline.reached':
        if (to === FAILED) this.#timedOut(job, event.type, at)
        else this.#chunks.note(at, sequence, EVENT_CODES[event.type], to, 0)
        return
      case 'attempt.completed':
        this.#use(sequence, at, event.attempt, event.usage)
        this.#chunks.note(at, sequence, EVENT_CODES[event.type], to, 0)
        return
      default:
        this.#chunks.note(at, sequence, EVENT_CODES[event.type], to, 0)
    }
  }
}

/** Of its last attempt. */
const slotOf = ({ current, lastSlot }: JobActor): number => current?.slot ?? Math.max(0, lastSlot)

/** Whether its id is that of a node of its tree, which says all that there is to say about it. */
function isOfTree({ id, nodeId, treeId, extras }: JobActor): boolean {
  return numberOf(nodeId) !== undefined && extras.executor === undefined && id === `${treeId}.${nodeId}`
}
