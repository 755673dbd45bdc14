import { appendColumns, Growable, type GrowingColumns, growingColumns } from './growable.ts'
import {
  type Block,
  COLUMN_TABLES,
  type Columns,
  type ColumnTable,
  EVENT_CODES,
  EVENTS,
  FAILURES,
  JOB_STATES,
  NODE_STATES,
  rowsOf,
} from './journal.ts'

/** How an attempt has ended; `running`: not yet. Places in this list are what {@link RunModel} holds. */
export const ATTEMPT_ENDS = ['running', 'completed', 'failed', 'timedOut', 'cancelled'] as const

const RUNNING = 0
const ENDED_COMPLETED = 1
const ENDED_FAILED = 2
const ENDED_TIMED_OUT = 3
const ENDED_CANCELLED = 4

const EXECUTING = JOB_STATES.indexOf('running.executing')
const STOPPING = JOB_STATES.indexOf('running.stopping')
const COMPLETED = JOB_STATES.indexOf('completed')

/**
 * A journal, folded: the latest state of every job and node, what is in each state, and each attempt with the wait
 * before it. The server answers questions about jobs and writes exports with it; the page has a fold of its own, which
 * keeps what it takes to go back in time.
 *
 * Rows are named by number. Times are µs since the recording's start; -1 where there is none.
 */
export class RunModel {
  readonly strings: string[] = ['']
  /** The journal's tables as they came. */
  readonly tables: { readonly [Table in ColumnTable]: GrowingColumns<Table> }
  /** Per job. */
  readonly jobs = {
    state: new Growable(new Uint8Array(64)),
    /** How many were started. */
    attempts: new Growable(new Int32Array(64)),
    queuedAt: new Growable(new Float64Array(64)),
    /** Since when it waits for a slot, or did before its last attempt. */
    readyAt: new Growable(new Float64Array(64)),
    /** Of the last attempt. */
    startedAt: new Growable(new Float64Array(64)),
    endedAt: new Growable(new Float64Array(64)),
    /** The last attempt plus 1. */
    attempt: new Growable(new Int32Array(64)),
    /** The node whose job it is, plus 1. */
    node: new Growable(new Int32Array(64)),
    /** The last row of `errors` about it, plus 1. */
    error: new Growable(new Int32Array(64)),
    /** Changed by `job.prioritised`. */
    priority: new Growable(new Uint8Array(64)),
  }
  /** One row for each attempt: a bar on the timeline. */
  readonly attempts = {
    job: new Growable(new Int32Array(64)),
    /** From 1. */
    number: new Growable(new Int32Array(64)),
    slot: new Growable(new Int32Array(64)),
    /** Since when the job waited for this slot. */
    readyAt: new Growable(new Float64Array(64)),
    startedAt: new Growable(new Float64Array(64)),
    endedAt: new Growable(new Float64Array(64)),
    /** Index into {@link ATTEMPT_ENDS}. */
    end: new Growable(new Uint8Array(64)),
    /** The row of `errors` that it threw, plus 1. */
    error: new Growable(new Int32Array(64)),
  }
  /** Per node. */
  readonly nodes = {
    state: new Growable(new Uint8Array(64)),
    /** The current job plus 1; a revision gets a new one. */
    job: new Growable(new Int32Array(64)),
    revisions: new Growable(new Int32Array(64)),
    /** `NaN` for none. */
    score: new Growable(new Float32Array(64)),
    /** The last row of `decisions` about it, plus 1. */
    decision: new Growable(new Int32Array(64)),
    /** The first child plus 1, and the next of the same parent plus 1. */
    firstChild: new Growable(new Int32Array(64)),
    nextSibling: new Growable(new Int32Array(64)),
  }
  /** How many jobs are in each state, in the order of `JOB_STATES`. */
  readonly jobCounts = new Float64Array(JOB_STATES.length)
  readonly nodeCounts = new Float64Array(NODE_STATES.length)
  /** How often each event took a job from one state to another: the key is made by {@link transitionKey}. */
  readonly transitions = new Map<number, number>()
  /** Per run. */
  readonly runs = {
    state: new Growable(new Uint8Array(8)),
    /** Index into `RUN_REASONS` plus 1; 0 until it has ended. */
    reason: new Growable(new Uint8Array(8)),
    startedAt: new Growable(new Float64Array(8)),
    endedAt: new Growable(new Float64Array(8)),
  }
  /** Index into `POOL_STATES`. */
  poolState = 0
  /** When the last event happened. */
  lastAt = 0
  readonly #lastChild = new Growable(new Int32Array(64))

  constructor() {
    const tables = Object.fromEntries(COLUMN_TABLES.map((table) => [table, growingColumns(table)]))
    this.tables = tables as RunModel['tables']
  }

  /** Takes the next block. */
  apply(block: Block): void {
    for (const text of block.strings) this.strings.push(text)
    for (const table of COLUMN_TABLES) {
      appendColumns(this.tables[table], block.tables[table] as Columns<typeof table>)
    }
    this.#addJobs(block.tables.jobs)
    this.#addNodes(block.tables.nodes)
    this.#addRuns(rowsOf(block.tables.runs))
    this.#applyEvents(block.tables.events)
  }

  text(number: number): string {
    return this.strings[number] ?? ''
  }

  /** @param idPrefix - The recording's. */
  jobId(job: number, idPrefix: string): string {
    const { jobs } = this.tables
    const id = jobs.id.get(job)
    if (id > 0) return this.text(id)
    if (id === 0) return idPrefix + jobs.sequence.get(job).toString(36)
    return `${this.text(jobs.treeId.get(job))}.${this.nodeId(job)}`
  }

  /** The `nodeId` of a job; empty for none. */
  nodeId(job: number): string {
    const { jobs } = this.tables
    const number = jobs.node.get(job)
    return number > 0 ? `n${number - 1}` : this.text(jobs.nodeId.get(job))
  }

  #addJobs({ priority }: Columns<'jobs'>): void {
    const { jobs } = this
    for (const band of priority) {
      jobs.state.push(0)
      jobs.attempts.push(0)
      for (const time of [jobs.queuedAt, jobs.readyAt, jobs.startedAt, jobs.endedAt]) time.push(-1)
      jobs.attempt.push(0)
      jobs.node.push(0)
      jobs.error.push(0)
      jobs.priority.push(band)
    }
  }

  #addNodes({ parent, job, score }: Columns<'nodes'>): void {
    const { nodes } = this
    for (let row = 0; row < parent.length; row++) {
      const node = nodes.state.length
      const own = (job[row] as number) - 1
      const state = own < 0 ? 0 : nodeStateOf(this.jobs.state.get(own))
      nodes.state.push(state)
      nodes.job.push(own + 1)
      if (own >= 0) this.jobs.node.set(own, node + 1)
      nodes.revisions.push(0)
      nodes.score.push(score[row] as number)
      nodes.decision.push(0)
      nodes.firstChild.push(0)
      nodes.nextSibling.push(0)
      this.#lastChild.push(0)
      this.nodeCounts[state]!++
      if ((parent[row] as number) > 0) this.#addChild((parent[row] as number) - 1, node)
    }
  }

  #addChild(parent: number, node: number): void {
    const before = this.#lastChild.get(parent)
    if (before === 0) this.nodes.firstChild.set(parent, node + 1)
    else this.nodes.nextSibling.set(before - 1, node + 1)
    this.#lastChild.set(parent, node + 1)
  }

  #addRuns(count: number): void {
    for (let row = 0; row < count; row++) {
      this.runs.state.push(0)
      this.runs.reason.push(0)
      this.runs.startedAt.push(-1)
      this.runs.endedAt.push(-1)
    }
  }

  #applyEvents({ at, code, subject, state, detail }: Columns<'events'>): void {
    for (let row = 0; row < at.length; row++) {
      const time = at[row] as number
      this.lastAt = time
      this.#applyEvent(
        time,
        code[row] as number,
        subject[row] as number,
        state[row] as number,
        detail[row] as number,
      )
    }
  }

  #applyEvent(at: number, code: number, subject: number, state: number, detail: number): void {
    switch (code) {
      case EVENT_CODES['job.submitted']:
        this.jobs.queuedAt.set(subject, at)
        this.jobs.state.set(subject, state)
        this.jobCounts[state]!++
        return
      case EVENT_CODES['attempt.started']:
        this.#startAttempt(at, subject, detail)
        return
      case EVENT_CODES['job.ignored']:
      case EVENT_CODES['attempt.abandoned']:
      case EVENT_CODES['attempt.ended']:
      case EVENT_CODES['attempt.progressed']:
        return
      case EVENT_CODES['job.prioritised']:
        this.jobs.priority.set(subject, detail)
        return
      case EVENT_CODES['node.changed']:
        this.#changeNode(subject, state, detail)
        return
      case EVENT_CODES['node.decided']:
        this.#decide(subject, detail)
        return
      case EVENT_CODES['run.started']:
        this.runs.startedAt.set(subject, at)
        this.runs.state.set(subject, state)
        return
      case EVENT_CODES['run.settling']:
        this.runs.state.set(subject, state)
        return
      case EVENT_CODES['run.ended']:
        this.runs.endedAt.set(subject, at)
        this.runs.state.set(subject, state)
        this.runs.reason.set(subject, detail + 1)
        return
    }
    if (EVENTS[code]?.subject === 'pool') this.poolState = state
    else if (EVENTS[code]?.subject === 'job') this.#stepJob(at, code, subject, state, detail)
  }

  #stepJob(at: number, code: number, job: number, state: number, detail: number): void {
    const { jobs } = this
    const before = jobs.state.get(job)
    const key = transitionKey(before, code, state)
    this.transitions.set(key, (this.transitions.get(key) ?? 0) + 1)
    if (FAILURES.has(code) && detail > 0) this.#fail(job, detail)
    if (before === state) return
    this.jobCounts[before]!--
    this.jobCounts[state]!++
    jobs.state.set(job, state)
    this.#followJob(job, state)
    if (state === READY) jobs.readyAt.set(job, at)
    if (isRunning(before) && !isRunning(state)) this.#endAttempt(at, code, job, before, state)
    if (state >= COMPLETED) jobs.endedAt.set(job, at)
  }

  #startAttempt(at: number, job: number, slot: number): void {
    const { jobs, attempts } = this
    const number = jobs.attempts.get(job) + 1
    jobs.attempts.set(job, number)
    jobs.startedAt.set(job, at)
    jobs.attempt.set(job, attempts.job.length + 1)
    attempts.job.push(job)
    attempts.number.push(number)
    attempts.slot.push(slot)
    attempts.readyAt.push(jobs.readyAt.get(job))
    attempts.startedAt.push(at)
    attempts.endedAt.push(-1)
    attempts.end.push(RUNNING)
    attempts.error.push(0)
  }

  #fail(job: number, error: number): void {
    const attempt = this.jobs.attempt.get(job) - 1
    this.jobs.error.set(job, error)
    // One that was cancelled before it started has no row.
    if (attempt >= 0 && this.attempts.end.get(attempt) === RUNNING) this.attempts.error.set(attempt, error)
  }

  #endAttempt(at: number, code: number, job: number, before: number, state: number): void {
    const attempt = this.jobs.attempt.get(job) - 1
    if (attempt < 0) return
    this.attempts.endedAt.set(attempt, at)
    this.attempts.end.set(attempt, endOf(code, before, state))
  }

  /** A node is what its job is, but for one that was pruned. */
  #followJob(job: number, state: number): void {
    const node = this.jobs.node.get(job) - 1
    if (node >= 0 && this.nodes.job.get(node) === job + 1) this.#setNodeState(node, nodeStateOf(state))
  }

  #setNodeState(node: number, state: number): void {
    const { nodes } = this
    this.nodeCounts[nodes.state.get(node)]!--
    this.nodeCounts[state]!++
    nodes.state.set(node, state)
  }

  #changeNode(node: number, state: number, job: number): void {
    const { nodes } = this
    this.#setNodeState(node, state)
    if (job === 0 || job === nodes.job.get(node)) return
    nodes.job.set(node, job)
    nodes.revisions.set(node, nodes.revisions.get(node) + 1)
    this.jobs.node.set(job - 1, node + 1)
  }

  #decide(node: number, decision: number): void {
    this.nodes.decision.set(node, decision)
    const score = this.tables.decisions.score.get(decision - 1)
    if (!Number.isNaN(score)) this.nodes.score.set(node, score)
  }
}

const READY = JOB_STATES.indexOf('queued.ready')
const FAILED = JOB_STATES.indexOf('failed')
const CANCELLED = JOB_STATES.indexOf('cancelled')

const isRunning = (state: number): boolean => state === EXECUTING || state === STOPPING

const nodeStateOf = (state: number): number =>
  state < EXECUTING ? 0 : state < COMPLETED ? 1 : state - COMPLETED + 2

function endOf(code: number, before: number, state: number): number {
  if (state === COMPLETED) return ENDED_COMPLETED
  if (state === CANCELLED) return ENDED_CANCELLED
  const isStopped = before === STOPPING || code === EVENT_CODES['deadline.reached']
  return isStopped && (state === FAILED || state < EXECUTING) ? ENDED_TIMED_OUT : ENDED_FAILED
}

/** Names a transition of a job in {@link RunModel.transitions}. */
export function transitionKey(before: number, code: number, after: number): number {
  return (code << 8) | (before << 4) | after
}
