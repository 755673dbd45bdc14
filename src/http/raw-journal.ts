import type { JobEvent } from '../../machines/index.ts'
import type { DecisionCut } from '../domain/decision.ts'
import type { CancelSource } from '../domain/job.ts'
import { EVENT_CODES, JOB_STATES, NODE_STATES } from '../protocol/journal.ts'
import { type Dependency, type JobActor, stateOf } from '../runtime/job.ts'
import type { RecordedRun, Recorder } from '../runtime/recorder.ts'
import type { RunStreamEvent } from '../runtime/run-events.ts'

/** Records in a chunk: 20 bytes each. */
const CHUNK_RECORDS = 8_192

/**
 * What the pool's thread writes down, for another thread to make the journal of.
 *
 * A record is a time and four numbers: its code, a job's sequence, a state, and a detail. Codes below {@link NUMBERED} are
 * those of the journal's events; the others say more about the record that follows, or stand for an item.
 */
export interface RawChunk {
  readonly at: Float64Array<ArrayBuffer>
  /** Three for each record: sequence; code and state, in 8 bits each; detail. */
  readonly words: Int32Array<ArrayBuffer>
  readonly count: number
  /** What does not fit into numbers; a record {@link RAW_ITEM} has the place in here as its detail. */
  readonly items: readonly RawItem[]
  /** Names that are new; a name is known by its place in all of them, from 1. */
  readonly names: readonly string[]
}

/** From here on, codes are the raw journal's own. */
export const NUMBERED = 64
/** The next item of the chunk. */
export const RAW_ITEM = 64
/** The job submitted next has this score, in the record's time. */
export const RAW_SCORE = 65
/** The job submitted next belongs to a tree: `sequence` is the tree's name, `detail` the node's number plus 1. */
export const RAW_ORIGIN = 66
/** The job depends on the job whose sequence is in `detail`. */
export const RAW_DEPENDS = 67

/** A record that is not only numbers. Jobs are named by their sequence. */
export type RawItem =
  | {
      /** About the job submitted next. */
      readonly type: 'job'
      /** Absent when the pool has made it. */
      readonly id?: string
      readonly nodeId?: string | undefined
      readonly treeId?: string | undefined
      readonly executor?: string
    }
  | {
      readonly type: 'failed'
      readonly job: number
      readonly at: number
      readonly state: number
      readonly attempt: number
      readonly error: RawError
    }
  | {
      readonly type: 'cancelled'
      readonly job: number
      readonly at: number
      readonly state: number
      readonly by: CancelSource
      readonly reason: string
      readonly causedBy: number | undefined
    }
  | {
      readonly type: 'ignored'
      readonly job: number
      readonly at: number
      readonly state: number
      readonly event: string
    }
  | {
      readonly type: 'log'
      readonly job: number
      readonly at: number
      readonly attempt: number
      readonly line: string
    }
  | {
      readonly type: 'pool'
      readonly at: number
      readonly event: string
      readonly state: number
      readonly limit: number
    }
  | {
      readonly type: 'run'
      readonly at: number
      readonly id: string
      readonly workflow: string
      readonly strategy: string
    }
  | {
      readonly type: 'node'
      readonly run: string
      readonly number: number
      readonly parent: number | undefined
      readonly depth: number
      readonly job: number
      readonly handler: string
      readonly label: string
      readonly key: string | undefined
      readonly score: number | undefined
    }
  | {
      readonly type: 'nodeChanged'
      readonly at: number
      readonly run: string
      readonly number: number
      readonly state: number
      readonly job: number
    }
  | {
      readonly type: 'decided'
      readonly at: number
      readonly run: string
      readonly number: number
      readonly state: number
      readonly decision: string
      readonly why: string | undefined
      readonly score: number | undefined
      readonly nodes: number
      readonly cut: readonly DecisionCut[]
      readonly error: string | undefined
    }
  | {
      readonly type: 'runEnded'
      readonly at: number
      readonly run: string
      readonly state: string
      readonly reason: string
    }
  | { readonly type: 'sample'; readonly row: Readonly<Record<string, number>> & { readonly at: number } }
  | { readonly type: 'document'; readonly name: string; readonly text: string }

export interface RawError {
  readonly name: string
  readonly message: string
  readonly code: string
  readonly stack: string
}

/** What the raw journal asks of the pool: where its charts are, and which job has an id. */
export interface RecordedPool {
  readonly poolState: () => number
  readonly limit: () => number
  readonly sequenceOf: (jobId: string) => number | undefined
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

/** Longer texts are cut: a recording is no place for documents. */
const MESSAGE_LENGTH_MAX = 2_000
const STACK_LENGTH_MAX = 4_000
const NAME_LENGTH_MAX = 200
/** Names beyond these are written as one. */
const NAMES_MAX = 10_000
/** How often the progress of one pool's jobs is noted, in ms, however often they tell it. */
const PROGRESS_EVERY_MS = 50

/** The recorder of a pool: notes every step as a few numbers, in chunks that can be handed to another thread. */
export class RawJournal implements Recorder {
  readonly #pool: RecordedPool
  readonly #onChunk: () => void
  /** Runs that are going on. */
  readonly runs = new Map<string, RecordedRun>()
  #full: RawChunk[] = []
  #at = new Float64Array(CHUNK_RECORDS)
  #words = new Int32Array(3 * CHUNK_RECORDS)
  #count = 0
  #items: RawItem[] = []
  #newNames: string[] = []
  readonly #names = new Map<string, number>()
  #lastExecute: unknown
  #lastKind = 0
  #lastTree: string | undefined
  #lastTreeName = 0
  #progressedAt = 0
  /** Records in chunks that were closed or taken. */
  #closed = 0
  #sampledAfter = 0

  /** @param onChunk - Told that a chunk is full. */
  constructor(pool: RecordedPool, onChunk: () => void) {
    this.#pool = pool
    this.#onChunk = onChunk
  }

  /** How many full chunks wait to be taken. */
  get fullChunks(): number {
    return this.#full.length
  }

  /** How many records were ever noted. */
  get records(): number {
    return this.#closed + this.#count
  }

  /** Whether anything has been noted since the last sample. */
  get hasNews(): boolean {
    return this.#closed + this.#count !== this.#sampledAfter
  }

  /** All chunks, the last one as far as it goes; what comes then is written into a new one. */
  take(): RawChunk[] {
    const chunks = this.#full
    this.#full = []
    if (this.#count > 0 || this.#newNames.length > 0) {
      chunks.push({
        at: this.#at.slice(0, this.#count),
        words: this.#words.slice(0, 3 * this.#count),
        count: this.#count,
        items: this.#items,
        names: this.#newNames,
      })
      this.#closed += this.#count
      this.#count = 0
      this.#items = []
      this.#newNames = []
    }
    return chunks
  }

  submitted(job: JobActor, hasChosenId: boolean, at: number): void {
    const { execute, sequence, score } = job
    if (execute !== this.#lastExecute) {
      this.#lastExecute = execute
      this.#lastKind = this.#name(kindOf(execute))
    }
    const { origin } = job.context
    if (hasChosenId || origin !== undefined || job.extras.executor !== undefined)
      this.#describe(job, hasChosenId)
    if (score !== 0) this.#note(score, 0, RAW_SCORE, 0, 0)
    this.#note(at, sequence, SUBMITTED, job.priority, this.#lastKind)
  }

  dependsOn(job: JobActor, dependencies: readonly Dependency[]): void {
    for (const dependency of dependencies) {
      if (typeof dependency !== 'string') this.#note(0, job.sequence, RAW_DEPENDS, 0, dependency.sequence)
    }
  }

  stepped(job: JobActor, event: JobEvent, from: number, to: number): void {
    const { sequence } = job
    if (to === EXECUTING && from === READY) this.#note(event.at, sequence, GRANTED, to, 0)
    else if (to === COMPLETED) this.#note(event.at, sequence, ATTEMPT_COMPLETED, to, 0)
    else if (to === READY && from === BLOCKED) this.#note(event.at, sequence, MET, to, 0)
    else this.#noteRare(job, event, to)
  }

  ignored(job: JobActor, event: JobEvent, at: number): void {
    const state = stateOf(job.stateValue)
    this.#item({ type: 'ignored', job: job.sequence, at, state, event: event.type })
  }

  started(job: JobActor, slot: number, at: number): void {
    this.#note(at, job.sequence, STARTED, EXECUTING, slot)
  }

  abandoned(job: JobActor, at: number): void {
    this.#note(at, job.sequence, EVENT_CODES['attempt.abandoned'], 0, 0)
  }

  abandonedEnded(job: JobActor, at: number): void {
    this.#note(at, job.sequence, EVENT_CODES['attempt.ended'], 0, 0)
  }

  prioritised(job: JobActor, at: number): void {
    this.#note(at, job.sequence, EVENT_CODES['job.prioritised'], stateOf(job.stateValue), job.priority)
  }

  progressed(job: JobActor, fraction: number, at: number): void {
    if (at - this.#progressedAt < PROGRESS_EVERY_MS || !Number.isFinite(fraction)) return
    this.#progressedAt = at
    const thousandths = Math.round(1000 * Math.min(1, Math.max(0, fraction)))
    this.#note(at, job.sequence, EVENT_CODES['attempt.progressed'], EXECUTING, thousandths)
  }

  logged(job: JobActor, attempt: number, line: string, at: number): void {
    this.#item({ type: 'log', job: job.sequence, at, attempt, line: cut(line, MESSAGE_LENGTH_MAX) })
  }

  poolChanged(event: string, at: number): void {
    this.#item({ type: 'pool', at, event, state: this.#pool.poolState(), limit: this.#pool.limit() })
  }

  ran(run: RecordedRun, event: RunStreamEvent): void {
    const { runId, workflow } = run
    switch (event.type) {
      case 'run.started': {
        const { name, strategy = 'best-first' } = workflow
        this.runs.set(runId, run)
        this.#item({ type: 'run', at: event.at, id: runId, workflow: cut(name, NAME_LENGTH_MAX), strategy })
        return
      }
      case 'node.added': {
        const { id, parentId, depth, jobId, handler, label, key, score } = event.node
        this.#item({
          type: 'node',
          run: runId,
          number: numberOf(id) ?? 0,
          parent: numberOf(parentId),
          depth,
          job: this.#pool.sequenceOf(jobId) ?? -1,
          handler: cut(handler, NAME_LENGTH_MAX),
          label: cut(label, NAME_LENGTH_MAX),
          key: key === undefined ? undefined : cut(key, NAME_LENGTH_MAX),
          score,
        })
        return
      }
      case 'node.changed': {
        const { id, status, jobId, revisions } = event.node
        // Everything else its job tells.
        if (status !== 'pruned' && (status !== 'queued' || revisions === 0)) return
        this.#item({
          type: 'nodeChanged',
          at: event.at,
          run: runId,
          number: numberOf(id) ?? 0,
          state: NODE_STATES.indexOf(status),
          job: this.#pool.sequenceOf(jobId) ?? -1,
        })
        return
      }
      case 'node.decided': {
        const { type, why, score, nodeIds, cut: cuts, error } = event.decision
        this.#item({
          type: 'decided',
          at: event.at,
          run: runId,
          number: numberOf(event.node.id) ?? 0,
          state: NODE_STATES.indexOf(event.node.status),
          decision: type,
          why: why === undefined ? undefined : cut(why, MESSAGE_LENGTH_MAX),
          score,
          nodes: nodeIds.length,
          cut: cuts,
          error: error === undefined ? undefined : cut(error.message, MESSAGE_LENGTH_MAX),
        })
        return
      }
      case 'run.ended': {
        const { status, reason } = event.outcome
        this.runs.delete(runId)
        this.#item({ type: 'runEnded', at: event.at, run: runId, state: status, reason })
        return
      }
      case 'node.progress':
        return
    }
  }

  /** Notes something that is not only numbers. */
  item(item: RawItem): void {
    this.#item(item)
    if (item.type === 'sample') this.#sampledAfter = this.#closed + this.#count
  }

  /** Notes an event of a job's life before the recording. */
  replayed(at: number, sequence: number, code: number, state: number, detail: number): void {
    this.#note(at, sequence, code, state, detail)
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
        this.#lastTreeName = this.#name(treeId)
      }
      this.#note(0, this.#lastTreeName, RAW_ORIGIN, 0, number + 1)
      return
    }
    this.#item({
      type: 'job',
      ...(hasChosenId ? { id } : {}),
      nodeId,
      treeId,
      ...(extras.executor === undefined ? {} : { executor: extras.executor.name }),
    })
  }

  #noteRare(job: JobActor, event: JobEvent, to: number): void {
    const { sequence } = job
    const { at } = event
    switch (event.type) {
      case 'attempt.failed':
        this.#item({
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
        const reason = cut(event.reason, MESSAGE_LENGTH_MAX)
        this.#item({ type: 'cancelled', job: sequence, at, state: to, by: event.by, reason, causedBy })
        return
      }
      default:
        this.#note(at, sequence, EVENT_CODES[event.type], to, 0)
    }
  }

  #name(text: string): number {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    const isOver = this.#names.size >= NAMES_MAX
    const name = isOver ? '(others)' : cut(text, NAME_LENGTH_MAX)
    if (isOver && this.#names.has(name)) return this.#names.get(name) as number
    const number = this.#names.size + 1
    this.#names.set(isOver ? name : text, number)
    this.#newNames.push(name)
    return number
  }

  #item(item: RawItem): void {
    this.#items.push(item)
    this.#note(0, 0, RAW_ITEM, 0, this.#items.length - 1)
  }

  #note(at: number, sequence: number, code: number, state: number, detail: number): void {
    const index = this.#count++
    this.#at[index] = at
    const word = 3 * index
    this.#words[word] = sequence
    this.#words[word + 1] = code | (state << 8)
    this.#words[word + 2] = detail
    if (this.#count === CHUNK_RECORDS) this.#closeChunk()
  }

  #closeChunk(): void {
    this.#full.push({
      at: this.#at,
      words: this.#words,
      count: this.#count,
      items: this.#items,
      names: this.#newNames,
    })
    this.#at = new Float64Array(CHUNK_RECORDS)
    this.#words = new Int32Array(3 * CHUNK_RECORDS)
    this.#closed += this.#count
    this.#count = 0
    this.#items = []
    this.#newNames = []
    this.#onChunk()
  }
}

/** What a person would call what a job runs. */
export function kindOf(execute: unknown): string {
  if (typeof execute === 'function') return execute.name || '(anonymous)'
  const {
    export: name,
    module,
    command,
  } = execute as {
    readonly export?: unknown
    readonly module?: unknown
    readonly command?: unknown
  }
  for (const named of [name, command, module]) if (typeof named === 'string') return named
  return '(job)'
}

/** The number in a tree's node id, such as 12 in `n12`. */
function numberOf(nodeId: string | undefined): number | undefined {
  if (nodeId === undefined || nodeId.charCodeAt(0) !== 0x6e || nodeId.length > 10) return undefined
  const number = Number(nodeId.slice(1))
  return Number.isInteger(number) && `n${number}` === nodeId ? number : undefined
}

export function rawError(error: Error): RawError {
  const { name, message, stack, code } = error as Error & { readonly code?: unknown }
  return {
    name: cut(String(name), NAME_LENGTH_MAX),
    message: cut(String(message), MESSAGE_LENGTH_MAX),
    code: typeof code === 'string' ? cut(code, NAME_LENGTH_MAX) : '',
    stack: typeof stack === 'string' ? cut(stack, STACK_LENGTH_MAX) : '',
  }
}

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text
}
