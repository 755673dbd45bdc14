import type { AnyStateMachine } from 'xstate'
import type { JobEvent } from '../../../machines/index.ts'
import type { DecisionRecord } from '../../domain/decision.ts'
import type { JobUsage } from '../../domain/job.ts'
import type { TreeNode } from '../../domain/tree.ts'
import { EVENT_CODES, JOB_STATES, LOG_STREAMS, NODE_STATES } from '../../protocol/journal.ts'
import type { RunStreamEvent } from '../../runtime/events/run-events.ts'
import type { Dependency, JobActor } from '../../runtime/job/job.ts'
import { stateOf } from '../../runtime/job/job-states.ts'
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
import { NAME_LENGTH_MAX, RawChunkWriter } from './raw-chunk-writer.ts'
import { hasUsage, kindOf, MESSAGE_LENGTH_MAX, numberOf, rawError } from './raw-facts.ts'

/** What the raw journal asks of the pool: where its charts are, and which job has an id. */
export interface RecordedPool {
  readonly poolState: () => number
  readonly limit: () => number
  readonly sequenceOf: (jobId: string) => number | undefined
  readonly now: () => number
  /** A machine that a job runs: the hash that names it. */
  readonly meet: (machine: AnyStateMachine) => string
}

const BLOCKED = JOB_STATES.indexOf('queued.blocked')
const READY = JOB_STATES.indexOf('queued.ready')
const EXECUTING = JOB_STATES.indexOf('running.executing')
const COMPLETED = JOB_STATES.indexOf('completed')

const SUBMITTED = EVENT_CODES['job.submitted']
const MET = EVENT_CODES['dependencies.met']
const GRANTED = EVENT_CODES['slot.granted']
const STARTED = EVENT_CODES['attempt.started']
const ATTEMPT_COMPLETED = EVENT_CODES['attempt.completed']

/** What is written at once. */
const OUTPUT_LENGTH_MAX = 16_000
const OUTPUT_IS_CUT = '… more than its executor keeps: what follows is not recorded'
/** How often the progress of one pool's jobs is noted, in ms, however often they tell it. */
const PROGRESS_EVERY_MS = 50

/** The recorder of a pool: notes every step as a few numbers, in chunks that can be handed to another thread. */
export class RawJournal implements Recorder {
  readonly #pool: RecordedPool
  readonly #chunks: RawChunkWriter
  readonly #bodies: BodyWatch
  /** Runs that are going on. */
  readonly runs = new Map<string, RecordedRun>()
  #lastExecute: unknown
  #lastKind = 0
  #lastTree: string | undefined
  #lastTreeName = 0
  #progressedAt = 0
  #sampledAfter = 0

  /** @param onChunk - Told that a chunk is full. */
  constructor(pool: RecordedPool, onChunk: () => void) {
    this.#pool = pool
    this.#chunks = new RawChunkWriter(onChunk)
    this.#bodies = new BodyWatch(pool, (item) => this.#chunks.item(item))
  }

  /** Notes nothing more of what it has looked at. */
  close(): void {
    this.#bodies.close()
  }

  /** About how many bytes of full chunks wait to be taken. */
  get fullBytes(): number {
    return this.#chunks.fullBytes
  }

  /** How many records were ever noted. */
  get records(): number {
    return this.#chunks.records
  }

  /** Whether anything has been noted since the last sample. */
  get hasNews(): boolean {
    return this.#chunks.records !== this.#sampledAfter
  }

  /** All that has been noted since the last time. */
  take(): RawChunk[] {
    return this.#chunks.take()
  }

  submitted(job: JobActor, hasChosenId: boolean, at: number): void {
    const { execute, sequence, score } = job
    if (execute !== this.#lastExecute) {
      this.#lastExecute = execute
      this.#lastKind = this.#chunks.name(kindOf(execute))
    }
    const { origin } = job.context
    if (hasChosenId || origin !== undefined || job.extras.executor !== undefined)
      this.#describe(job, hasChosenId)
    if (score !== 0) this.#chunks.score(score)
    this.#chunks.note(at, sequence, SUBMITTED, job.priority, this.#lastKind)
  }

  dependsOn(job: JobActor, dependencies: readonly Dependency[]): void {
    for (const dependency of dependencies) {
      if (typeof dependency !== 'string') this.#chunks.mark(job.sequence, RAW_DEPENDS, dependency.sequence)
    }
  }

  stepped(job: JobActor, event: JobEvent, from: number, to: number): void {
    const { sequence } = job
    if (to === EXECUTING && from === READY) this.#chunks.note(event.at, sequence, GRANTED, to, 0)
    else if (to === COMPLETED) {
      if (event.type === 'attempt.completed') this.#use(sequence, event.attempt, event.usage)
      this.#chunks.note(event.at, sequence, ATTEMPT_COMPLETED, to, 0)
    } else if (to === READY && from === BLOCKED) {
      if (!this.#chunks.merge(SUBMITTED, RAW_READY_AT_ONCE, event.at, sequence, -1))
        this.#chunks.note(event.at, sequence, MET, to, 0)
    } else this.#noteRare(job, event, to)
  }

  ignored(job: JobActor, event: JobEvent, at: number): void {
    const state = stateOf(job.stateValue)
    this.#chunks.item({ type: 'ignored', job: job.sequence, at, state, event: event.type })
  }

  started(job: JobActor, slot: number, at: number): void {
    const { sequence } = job
    if (!this.#chunks.merge(GRANTED, RAW_STARTED_AT_ONCE, at, sequence, slot))
      this.#chunks.note(at, sequence, STARTED, EXECUTING, slot)
  }

  embodied(job: JobActor, attempt: number, at: number): void {
    this.#bodies.watch(job, attempt, at)
  }

  abandoned(job: JobActor, at: number): void {
    this.#chunks.note(at, job.sequence, EVENT_CODES['attempt.abandoned'], 0, 0)
  }

  abandonedEnded(job: JobActor, at: number): void {
    this.#chunks.note(at, job.sequence, EVENT_CODES['attempt.ended'], 0, 0)
  }

  prioritised(job: JobActor, at: number): void {
    this.#chunks.note(at, job.sequence, EVENT_CODES['job.prioritised'], stateOf(job.stateValue), job.priority)
  }

  progressed(job: JobActor, fraction: number, at: number): void {
    if (at - this.#progressedAt < PROGRESS_EVERY_MS || !Number.isFinite(fraction)) return
    this.#progressedAt = at
    const thousandths = Math.round(1000 * Math.min(1, Math.max(0, fraction)))
    this.#chunks.note(at, job.sequence, EVENT_CODES['attempt.progressed'], EXECUTING, thousandths)
  }

  logged(job: JobActor, attempt: number, line: string, at: number): void {
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
    const kept = cutText(chunk, OUTPUT_LENGTH_MAX)
    const line = truncated ? `${kept}\n${OUTPUT_IS_CUT}` : kept
    const { sequence } = job
    this.#chunks.item({ type: 'log', job: sequence, at, attempt, line, stream: LOG_STREAMS.indexOf(stream) })
  }

  poolChanged(event: string, at: number): void {
    this.#chunks.item({ type: 'pool', at, event, state: this.#pool.poolState(), limit: this.#pool.limit() })
  }

  ran(run: RecordedRun, event: RunStreamEvent): void {
    const { runId } = run
    const isNew = !this.runs.has(runId)
    if (isNew) this.meet(run, event.at)
    if (event.type === 'run.ended') {
      const { status, reason } = event.outcome
      this.runs.delete(runId)
      this.#chunks.item({ type: 'runEnded', at: event.at, run: runId, state: status, reason })
    } else if (isNew) return
    else if (event.type === 'node.added') this.#addNode(runId, event.node)
    else if (event.type === 'node.changed') this.#changeNode(runId, event.node, event.at)
    else if (event.type === 'node.decided') this.#decide(runId, event.node, event.decision, event.at)
  }

  /** Notes a run, and the tree that it has grown so far. */
  meet(run: RecordedRun, at: number): void {
    const { runId, workflow, tree } = run
    this.runs.set(runId, run)
    const { name, strategy = 'best-first' } = workflow
    this.#chunks.item({ type: 'run', at, id: runId, workflow: cutText(name, NAME_LENGTH_MAX), strategy })
    for (const node of Object.values(tree.nodes)) {
      this.#addNode(runId, node)
      this.#changeNode(runId, node, at)
      if (node.decision !== undefined) this.#decide(runId, node, node.decision, node.decision.at)
    }
  }

  #addNode(run: string, { id, parentId, depth, jobId, handler, label, key, score }: TreeNode): void {
    this.#chunks.item({
      type: 'node',
      run,
      number: numberOf(id) ?? 0,
      parent: numberOf(parentId),
      depth,
      job: this.#pool.sequenceOf(jobId) ?? -1,
      handler: cutText(handler, NAME_LENGTH_MAX),
      label: cutText(label, NAME_LENGTH_MAX),
      key: key === undefined ? undefined : cutText(key, NAME_LENGTH_MAX),
      score,
    })
  }

  /** Everything but this its job tells. */
  #changeNode(run: string, { id, status, jobId, revisions }: TreeNode, at: number): void {
    const job = this.#pool.sequenceOf(jobId) ?? -1
    const isRevised = status === 'queued' && revisions > 0
    if (status !== 'pruned' && !isRevised && job >= 0) return
    const state = NODE_STATES.indexOf(status)
    this.#chunks.item({ type: 'nodeChanged', at, run, number: numberOf(id) ?? 0, state, job })
  }

  #decide(run: string, { id, status }: TreeNode, decision: DecisionRecord, at: number): void {
    const { type, why, score, nodeIds, cut, error } = decision
    this.#chunks.item({
      type: 'decided',
      at,
      run,
      number: numberOf(id) ?? 0,
      state: NODE_STATES.indexOf(status),
      decision: type,
      why: why === undefined ? undefined : cutText(why, MESSAGE_LENGTH_MAX),
      score,
      nodes: nodeIds.length,
      cut,
      error: error === undefined ? undefined : cutText(error.message, MESSAGE_LENGTH_MAX),
    })
  }

  /** Notes something that is not only numbers. */
  item(item: RawItem): void {
    this.#chunks.item(item)
    if (item.type === 'sample') this.#sampledAfter = this.#chunks.records
  }

  /** Notes an event of a job's life before the recording. */
  replayed(at: number, sequence: number, code: number, state: number, detail: number): void {
    this.#chunks.note(at, sequence, code, state, detail)
  }

  #describe(job: JobActor, hasChosenId: boolean): void {
    const { id, nodeId, treeId, extras } = job
    const number = numberOf(nodeId)
    const isOfTree =
      hasChosenId &&
      number !== undefined &&
      treeId !== undefined &&
      extras.executor === undefined &&
      id.length === treeId.length + 1 + (nodeId as string).length &&
      id.startsWith(treeId) &&
      id.endsWith(nodeId as string)
    if (isOfTree) {
      if (treeId !== this.#lastTree) {
        this.#lastTree = treeId
        this.#lastTreeName = this.#chunks.name(treeId)
      }
      this.#chunks.mark(this.#lastTreeName, RAW_ORIGIN, number + 1)
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

  #use(job: number, attempt: number, usage: JobUsage | undefined): void {
    if (hasUsage(usage)) this.#chunks.item({ type: 'usage', job, attempt, usage })
  }

  #noteRare(job: JobActor, event: JobEvent, to: number): void {
    const { sequence } = job
    const { at } = event
    switch (event.type) {
      case 'attempt.failed':
        this.#use(sequence, event.attempt, event.usage)
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
      default:
        this.#chunks.note(at, sequence, EVENT_CODES[event.type], to, 0)
    }
  }
}
