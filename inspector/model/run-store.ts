import { type Block, EVENT_CODES, EVENTS } from '../../src/protocol/journal.ts'
import { Bodies } from './bodies.ts'
import { Checkpoints } from './checkpoints.ts'
import { append, f32, f64, i32, reserveTimes, u8, u32 } from './column.ts'
import { JobRows, walkBack } from './job-rows.ts'
import {
  ABSENT,
  COMPLETED,
  DELAYED,
  FAILED,
  isEnded,
  isQueued,
  isRunning,
  READY,
  STATE_COUNT,
} from './job-states.ts'
import { Links } from './links.ts'
import { LogLines } from './log-lines.ts'
import { Series } from './series.ts'
import { Slices } from './slices.ts'
import { Taken } from './taken.ts'
import { Tree } from './tree.ts'

/** What a run is called, and when its time begins. */
export interface Origin {
  readonly startedAt: number
  readonly idPrefix: string
}

const IS_JOB_EVENT = EVENTS.map(({ subject }) => subject === 'job')
const IS_NODE_EVENT = EVENTS.map(({ subject }) => subject === 'node')
const IS_RUN_EVENT = EVENTS.map(({ subject }) => subject === 'run')
const { 'attempt.started': STARTED, 'job.prioritised': PRIORITISED } = EVENT_CODES
const { 'attempt.abandoned': ABANDONED, 'attempt.ended': ENDED } = EVENT_CODES

/**
 * All that is known of a run, as columns: jobs, the log of events, attempts, the tree, and what one pass derives of them.
 *
 * It is no part of the reactive graph: who draws looks at `version`, which changes with each block.
 */
export class RunStore {
  version = 0
  /** Epoch ms, as all instants in here. */
  readonly epoch: number
  /** The latest instant that is known. */
  end: number
  readonly slices = new Slices()
  readonly series: Series
  readonly links = new Links()
  readonly taken = new Taken()
  readonly checkpoints = new Checkpoints()
  readonly tree = new Tree()
  /** By number; 0 is the empty text. */
  readonly strings: string[] = ['']
  readonly #lowered: string[] = []
  readonly #idPrefix: string

  readonly jobs = {
    sequence: f64(),
    /** String; 0 or -1 as the journal tells. */
    id: i32(),
    kind: u32(),
    nodeId: u32(),
    /** 1 more than the number in its `nodeId`, 0 when it has none. */
    nodeNumber: u32(),
    treeId: u32(),
    executor: u32(),
    /** After the last known event, as its state. */
    priority: u8(),
    score: f32(),
    queuedAt: f64(),
    /** After the last known event. */
    state: u8(),
    attempts: u8(),
    /** When it last came into the ready queue. */
    readyAt: f64(),
    endedAt: f64(),
    /** In the ready queue, ms, over all attempts. */
    waitMs: f32(),
    /** In attempts, ms. */
    runMs: f32(),
    /** Its node, -1 for none. */
    node: i32(),
    lastStep: i32(),
    lastSlice: i32(),
    /** Its last row of `errors`, and of `cancels`, -1 for none. */
    error: i32(),
    cancel: i32(),
  }

  readonly log = {
    at: f64(),
    code: u8(),
    subject: i32(),
    /** The subject when it is a job, else -1. */
    job: i32(),
    state: u8(),
    detail: i32(),
    /** The event of the same job or node before this one, -1 for none. */
    previous: i32(),
  }

  readonly errors = {
    job: u32(),
    attempt: u32(),
    name: u32(),
    code: u32(),
    message: u32(),
    stack: u32(),
    causes: u32(),
  }
  readonly cancels = { job: u32(), by: u8(), reason: u32(), causedBy: u32() }
  readonly samples = {
    at: f64(),
    busy: u32(),
    limit: u32(),
    ready: u32(),
    waiting: u32(),
    rss: u32(),
    heap: u32(),
    lag: u32(),
    cpu: u32(),
  }
  readonly lines = new LogLines()
  /** In µs, and in KiB; -1 where it is not known. */
  readonly usages = { job: u32(), attempt: u32(), cpu: f64(), memory: i32() }
  readonly usageRows = new JobRows()
  readonly bodies = new Bodies()
  /** The steps that moved a job in the queue, and its priority until then. */
  readonly priorityChanges = { step: u32(), job: u32(), before: u8() }
  /** JSON by name: charts, and what runs were started with. */
  readonly documents = new Map<string, string>()

  /** How many jobs are in each state after the last event. */
  readonly counts = new Uint32Array(STATE_COUNT)
  /** The events of the pool itself, which are few. */
  readonly poolSteps: number[] = []
  #found = { id: '', job: -1, looked: 0 }
  #running = 0
  #queued = 0
  #zombies = 0

  constructor({ startedAt, idPrefix }: Origin) {
    this.epoch = startedAt
    this.end = startedAt
    this.series = new Series(startedAt)
    this.#idPrefix = idPrefix
  }

  get jobCount(): number {
    return this.jobs.id.length
  }

  get eventCount(): number {
    return this.log.at.length
  }

  /** Takes the next block of the journal. */
  apply({ strings, tables }: Block): void {
    for (const text of strings) this.strings.push(text)
    this.#addJobs(tables.jobs)
    const { dependencies, errors, cancels, samples, logs, nodes, decisions, runs, documents, usages } = tables
    this.links.append(dependencies.job, dependencies.on, this.jobCount)
    for (let row = 0; row < errors.job.length; row++)
      this.jobs.error.data[errors.job[row]!] = this.errors.job.length + row
    append(this.errors, errors)
    for (let row = 0; row < cancels.job.length; row++)
      this.jobs.cancel.data[cancels.job[row]!] = this.cancels.job.length + row
    append(this.cancels, cancels)
    for (let row = 0; row < documents.name.length; row++)
      this.documents.set(this.text(documents.name[row]!), this.text(documents.text[row]!))
    this.#addSamples(samples)
    this.lines.append(logs, this.epoch)
    append(this.usages, usages)
    this.usageRows.add(usages.job)
    this.bodies.append(tables.bodies, this.epoch)
    this.tree.addRuns(runs)
    const firstNode = this.tree.nodeCount
    this.tree.addNodes(nodes)
    for (let row = 0; row < nodes.job.length; row++)
      if (nodes.job[row]! > 0) this.jobs.node.data[nodes.job[row]! - 1] = firstNode + row
    this.tree.addDecisions(decisions)
    this.#addEvents(tables.events)
    // What happened last need not have happened to a job.
    this.series.advance(this.end)
    this.version++
  }

  /** Makes room for so many times what there is: how much a recording holds is known once its first blocks are read. */
  reserve(times: number): void {
    const { jobs, log, samples, lines, errors, cancels } = this
    for (const columns of [jobs, log, samples, lines.columns, errors, cancels])
      reserveTimes(times, Object.values(columns))
    this.slices.reserve(times)
    this.tree.reserve(times)
  }

  /** Nothing happened until `at`: a live run whose clock goes on. */
  advance(at: number): void {
    if (at > this.end) this.end = at
    this.series.advance(at)
  }

  /** What happened to a job, first event first. */
  stepsOf(job: number): number[] {
    return walkBack(this.jobs.lastStep.data[job] ?? -1, this.log.previous.data)
  }

  /** The attempts of a job, first one first. */
  slicesOf(job: number): number[] {
    return walkBack(this.jobs.lastSlice.data[job] ?? -1, this.slices.previous.data)
  }

  text(number: number): string {
    return this.strings[number] ?? ''
  }

  /** All texts for searches that do not mind capitals; made when first asked for. */
  lowerCaseStrings(): readonly string[] {
    for (let number = this.#lowered.length; number < this.strings.length; number++)
      this.#lowered.push(this.strings[number]!.toLowerCase())
    return this.#lowered
  }

  idOf(job: number): string {
    const id = this.jobs.id.data[job]!
    if (id > 0) return this.text(id)
    if (id === 0) return this.#idPrefix + this.jobs.sequence.data[job]!.toString(36)
    return `${this.text(this.jobs.treeId.data[job]!)}.${this.nodeIdOf(job)}`
  }

  /** `''` for a job of no node. */
  nodeIdOf(job: number): string {
    const number = this.jobs.nodeNumber.data[job]!
    return number > 0 ? `n${number - 1}` : this.text(this.jobs.nodeId.data[job]!)
  }

  /** The job of an id, -1 when none is known. */
  find(id: string): number {
    if (id === '') return -1
    // Views ask for the selected one again and again; while it is not there, only new jobs are looked at.
    if (this.#found.id !== id) this.#found = { id, job: -1, looked: 0 }
    const found = this.#found
    for (; found.job < 0 && found.looked < this.jobCount; found.looked++)
      if (this.idOf(found.looked) === id) found.job = found.looked
    return found.job
  }

  kindOf(job: number): string {
    return this.text(this.jobs.kind.data[job]!)
  }

  /** What people call a job: its node's label, else what it runs. */
  nameOf(job: number): string {
    const node = this.jobs.node.data[job]!
    return (
      (node >= 0 && this.strings[this.tree.nodes.label.data[node]!]) || this.kindOf(job) || this.idOf(job)
    )
  }

  #addJobs(rows: Block['tables']['jobs']): void {
    const { jobs } = this
    const count = rows.id.length
    for (const name of [
      'sequence',
      'id',
      'kind',
      'nodeId',
      'treeId',
      'executor',
      'priority',
      'score',
    ] as const)
      jobs[name].append(rows[name])
    jobs.nodeNumber.append(rows.node)
    for (const name of ['queuedAt', 'readyAt', 'endedAt'] as const) jobs[name].fill(Number.NaN, count)
    for (const name of ['attempts', 'waitMs', 'runMs'] as const) jobs[name].fill(0, count)
    for (const name of ['node', 'lastStep', 'lastSlice', 'error', 'cancel'] as const)
      jobs[name].fill(-1, count)
    jobs.state.fill(ABSENT, count)
  }

  #addSamples(rows: Block['tables']['samples']): void {
    for (let row = 0; row < rows.at.length; row++) this.samples.at.push(this.epoch + rows.at[row]! / 1000)
    const { at: _, ...others } = rows
    append<keyof typeof others>(this.samples, others)
  }

  /** Column by column where it can be: pushing half a million rows one by one takes ten times as long. */
  #addEvents({ at, code, subject, state, detail }: Block['tables']['events']): void {
    const { log, jobs, checkpoints } = this
    const first = log.at.length
    const count = at.length
    log.code.append(code)
    log.subject.append(subject)
    log.state.append(state)
    log.detail.append(detail)
    log.at.fill(0, count)
    log.job.fill(-1, count)
    log.previous.fill(-1, count)
    const { data: instants } = log.at
    const { data: ofJob } = log.job
    const { data: previous } = log.previous
    for (let row = 0; row < count; row++) {
      const step = first + row
      const instant = this.epoch + at[row]! / 1000
      instants[step] = instant
      if (instant > this.end) this.end = instant
      if (checkpoints.isDue(step, jobs.id.length))
        checkpoints.add(step, jobs.state.data.subarray(0, jobs.id.length), this.counts)
      if (IS_JOB_EVENT[code[row]!]) {
        const job = subject[row]!
        ofJob[step] = job
        previous[step] = jobs.lastStep.data[job]!
        this.#stepJob(step, instant, code[row]!, job, state[row]!, detail[row]!)
      } else this.#stepOther(step, instant, code[row]!, subject[row]!, detail[row]!)
    }
  }

  #stepOther(step: number, at: number, code: number, subject: number, detail: number): void {
    const { log, jobs, tree } = this
    if (IS_NODE_EVENT[code]) {
      log.previous.data[step] = tree.nodes.lastStep.data[subject]!
      tree.step(step, code, subject, detail)
      if (detail > 0 && code !== EVENT_CODES['node.decided']) jobs.node.data[detail - 1] = subject
    } else if (IS_RUN_EVENT[code]) tree.stepRun(step, at, code, subject, detail)
    else this.poolSteps.push(step)
  }

  #stepJob(step: number, at: number, code: number, job: number, state: number, detail: number): void {
    const { jobs, counts } = this
    const before = jobs.state.data[job]!
    jobs.lastStep.data[job] = step
    this.taken.count(before, state, code)
    if (code === STARTED) this.#startAttempt(at, job, detail)
    else if (code === PRIORITISED) this.#prioritise(step, job, detail)
    else if (code === ABANDONED) this.#abandon(job, at, detail === 0)
    else if (code === ENDED) this.#endZombie(job, at)
    if (before === state) return
    jobs.state.data[job] = state
    if (before !== ABSENT) counts[before]!--
    counts[state]!++
    this.#measure(at, job, before, state)
  }

  #measure(at: number, job: number, before: number, state: number): void {
    const { jobs, series } = this
    const wasRunning = isRunning(before)
    if (before === ABSENT) {
      jobs.queuedAt.data[job] = at
      series.count('submitted', at)
    }
    if (wasRunning && !isRunning(state)) this.#endAttempt(at, job, state)
    if (before === READY) jobs.waitMs.data[job]! += at - jobs.readyAt.data[job]!
    if (state === READY) jobs.readyAt.data[job] = at
    if (isEnded(state)) {
      jobs.endedAt.data[job] = at
      series.count(state === COMPLETED ? 'completed' : state === FAILED ? 'failed' : 'cancelled', at)
    }
    const running = this.#running + Number(isRunning(state)) - Number(wasRunning)
    const queued = this.#queued + Number(isQueued(state)) - Number(isQueued(before))
    if (running !== this.#running) series.level('running', running, at)
    if (queued !== this.#queued) series.level('queued', queued, at)
    this.#running = running
    this.#queued = queued
  }

  #prioritise(step: number, job: number, priority: number): void {
    const { priorityChanges, jobs } = this
    priorityChanges.step.push(step)
    priorityChanges.job.push(job)
    priorityChanges.before.push(jobs.priority.data[job]!)
    jobs.priority.data[job] = priority
  }

  #startAttempt(at: number, job: number, slot: number): void {
    const { jobs, slices, series } = this
    const attempt = Math.min(255, jobs.attempts.data[job]! + 1)
    jobs.attempts.data[job] = attempt
    const readyAt = jobs.readyAt.data[job]!
    const since = Number.isNaN(readyAt) ? at : readyAt
    jobs.lastSlice.data[job] = slices.open(job, slot, attempt, since, at, jobs.lastSlice.data[job]!)
    series.count('started', at)
  }

  #endAttempt(at: number, job: number, state: number): void {
    const slice = this.jobs.lastSlice.data[job]!
    if (slice < 0) return
    this.slices.close(slice, at, state)
    this.jobs.runMs.data[job]! += at - this.slices.start.data[slice]!
    if (state === READY || state === DELAYED) this.series.count('retried', at)
  }

  #abandon(job: number, at: number, hasSlot: boolean): void {
    const slice = this.jobs.lastSlice.data[job]!
    if (slice < 0 || !hasSlot) return
    this.slices.zombieUntil.set(slice, Number.POSITIVE_INFINITY)
    this.series.level('zombies', ++this.#zombies, at)
  }

  /** No attempt of a job follows one that was abandoned. */
  #endZombie(job: number, at: number): void {
    const { zombieUntil } = this.slices
    const slice = this.jobs.lastSlice.data[job]!
    if (zombieUntil.get(slice) !== Number.POSITIVE_INFINITY) return
    zombieUntil.set(slice, at)
    this.series.level('zombies', --this.#zombies, at)
  }
}
