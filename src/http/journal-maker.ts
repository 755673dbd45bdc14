import { encodeBlock } from '../protocol/block.ts'
import {
  type Block,
  CANCEL_SOURCES,
  DECISION_TYPES,
  EVENT_CODES,
  type EventName,
  JOB_STATES,
  RUN_REASONS,
  RUN_STATES,
} from '../protocol/journal.ts'
import { JournalWriter, type Row } from '../protocol/journal-writer.ts'
import { RunModel } from '../protocol/model.ts'
import { float32Of, float64Of } from './float-bits.ts'
import {
  RAW_DEPENDS,
  RAW_ITEM,
  RAW_ORIGIN,
  RAW_READY_AT_ONCE,
  RAW_SCORE,
  RAW_STARTED_AT_ONCE,
  RAW_TIME,
  type RawChunk,
  type RawItem,
  RECORD_WORDS,
} from './raw-chunk.ts'
import { SequenceIndex } from './sequence-index.ts'

const SUBMITTED = EVENT_CODES['job.submitted']
const MET = EVENT_CODES['dependencies.met']
const GRANTED = EVENT_CODES['slot.granted']
const STARTED = EVENT_CODES['attempt.started']
const READY = JOB_STATES.indexOf('queued.ready')
const BLOCKED = JOB_STATES.indexOf('queued.blocked')

/** Lines of the log that are kept for one job. */
const LOG_LINES_MAX = 1_000

/** What has been said about the job that is submitted next. */
interface NextJob {
  id: string | undefined
  nodeId: string | undefined
  treeId: string | undefined
  executor: string
  /** Plus 1. */
  node: number
  score: number
}

/** Events that may wait to be folded until somebody asks. */
const UNFOLDED_MAX = 500_000

/** Makes the journal of raw chunks: rows for sequences, numbers for texts, blocks of rows; and folds it when asked. */
export class JournalMaker {
  readonly #model = new RunModel()
  #unfolded: Block[] = []
  #unfoldedEvents = 0
  readonly #startedAt: number
  readonly #defaultExecutor: string
  readonly #writer = new JournalWriter()
  readonly #names: string[] = ['']
  readonly #jobs = new SequenceIndex()
  readonly #runs = new Map<string, number>()
  /** Nodes of each run, by their number. */
  readonly #nodes: number[][] = []
  readonly #logLines = new Map<number, number>()
  #next: NextJob = nothingYet()

  constructor(startedAt: number, defaultExecutor: string) {
    this.#startedAt = startedAt
    this.#defaultExecutor = defaultExecutor
  }

  /** All blocks until now, folded. A page folds for itself, so this is work for questions only. */
  get model(): RunModel {
    this.#fold()
    return this.#model
  }

  /** Events that are not in a block yet. */
  get pending(): number {
    return this.#writer.pending('events')
  }

  take(chunk: RawChunk): void {
    for (const name of chunk.names) this.#names.push(name)
    const { words, count, items } = chunk
    let base = 0
    for (let index = 0; index < count; index++) {
      const word = RECORD_WORDS * index
      const time = words[word] as number
      const packed = words[word + 2] as number
      const detail = words[word + 3] as number
      if (packed === RAW_TIME) base = float64Of(time, detail)
      else
        this.#takeRecord(
          base + time / 1000,
          words[word + 1] as number,
          packed & 0xff,
          packed >> 8,
          detail,
          items,
        )
    }
  }

  /** The next block, encoded; `undefined` when nothing has happened. */
  cut(): Uint8Array<ArrayBuffer> | undefined {
    const block = this.#writer.take()
    if (block === undefined) return undefined
    this.#unfolded.push(block)
    this.#unfoldedEvents += block.tables.events.at.length
    if (this.#unfoldedEvents > UNFOLDED_MAX) this.#fold()
    return encodeBlock(block)
  }

  #fold(): void {
    for (const block of this.#unfolded) this.#model.apply(block)
    this.#unfolded = []
    this.#unfoldedEvents = 0
  }

  #takeRecord(
    at: number,
    sequence: number,
    code: number,
    state: number,
    detail: number,
    items: readonly RawItem[],
  ): void {
    switch (code) {
      case SUBMITTED:
      case RAW_READY_AT_ONCE: {
        const job = this.#submit(at, sequence, state, detail)
        if (code === RAW_READY_AT_ONCE) this.#event(at, MET, job, READY, 0)
        return
      }
      case RAW_STARTED_AT_ONCE: {
        const job = this.#jobs.rowOf(sequence)
        this.#event(at, GRANTED, job, state, 0)
        this.#event(at, STARTED, job, state, detail)
        return
      }
      case RAW_ITEM:
        this.#takeItem(items[detail] as RawItem)
        return
      case RAW_SCORE:
        this.#next.score = float32Of(detail)
        return
      case RAW_ORIGIN:
        this.#next.treeId = this.#names[sequence]
        this.#next.node = detail
        return
      case RAW_DEPENDS: {
        const on = this.#jobs.rowOf(detail)
        if (on >= 0) this.#writer.add('dependencies', { job: this.#jobs.rowOf(sequence), on })
        return
      }
      default:
        this.#event(at, code, this.#jobs.rowOf(sequence), state, detail)
    }
  }

  #submit(at: number, sequence: number, priority: number, kind: number): number {
    const writer = this.#writer
    const { id, nodeId, treeId, executor, node, score } = this.#next
    this.#next = nothingYet()
    const job = writer.add('jobs', {
      sequence,
      id: id === undefined ? (node > 0 ? -1 : 0) : writer.uniqueText(id),
      kind: writer.text(this.#names[kind]),
      nodeId: nodeId === undefined ? 0 : writer.uniqueText(nodeId),
      node,
      treeId: writer.text(treeId),
      executor: writer.text(executor || this.#defaultExecutor),
      priority,
      score,
    })
    this.#jobs.add(sequence)
    this.#event(at, SUBMITTED, job, BLOCKED, 0)
    return job
  }

  #takeItem(item: RawItem): void {
    const writer = this.#writer
    switch (item.type) {
      case 'job':
        this.#next.id = item.id
        this.#next.nodeId = item.nodeId
        this.#next.treeId = item.treeId
        this.#next.executor = item.executor ?? ''
        return
      case 'failed': {
        const { name, code, message, stack } = item.error
        const job = this.#jobs.rowOf(item.job)
        const error = writer.add('errors', {
          job,
          attempt: item.attempt,
          name: writer.text(name),
          code: writer.text(code),
          message: writer.text(message),
          stack: writer.text(stack),
        })
        this.#named('attempt.failed', item.at, job, item.state, error + 1)
        return
      }
      case 'cancelled': {
        const job = this.#jobs.rowOf(item.job)
        const cancel = writer.add('cancels', {
          job,
          by: CANCEL_SOURCES.indexOf(item.by),
          reason: writer.text(item.reason),
          causedBy: item.causedBy === undefined ? 0 : this.#jobs.rowOf(item.causedBy) + 1,
        })
        this.#named('job.cancel', item.at, job, item.state, cancel + 1)
        return
      }
      case 'ignored':
        this.#named('job.ignored', item.at, this.#jobs.rowOf(item.job), item.state, codeOf(item.event))
        return
      case 'log':
        this.#log(item)
        return
      case 'pool':
        if (codeOf(item.event) >= 0) this.#event(item.at, codeOf(item.event), 0, item.state, item.limit)
        return
      case 'run': {
        const { id, workflow, strategy } = item
        const row = { id: writer.text(id), workflow: writer.text(workflow), strategy: writer.text(strategy) }
        const run = writer.add('runs', row)
        this.#runs.set(id, run)
        this.#nodes[run] = []
        this.#named('run.started', item.at, run, RUN_STATES.indexOf('running.growing'), 0)
        return
      }
      case 'runEnded': {
        const run = this.#runs.get(item.run)
        if (run === undefined) return
        const state = RUN_STATES.indexOf(item.state as (typeof RUN_STATES)[number])
        const reason = RUN_REASONS.indexOf(item.reason as (typeof RUN_REASONS)[number])
        this.#named('run.ended', item.at, run, state, reason)
        return
      }
      case 'node':
        this.#addNode(item)
        return
      case 'nodeChanged': {
        const node = this.#nodeOf(item.run, item.number)
        if (node !== undefined)
          this.#named('node.changed', item.at, node, item.state, this.#jobs.rowOf(item.job) + 1)
        return
      }
      case 'decided':
        this.#decide(item)
        return
      case 'sample':
        writer.add('samples', { ...(item.row as Row<'samples'>), at: this.#time(item.row.at) })
        return
      case 'document':
        writer.add('documents', { name: writer.text(item.name), text: writer.uniqueText(item.text) })
    }
  }

  #log(item: RawItem & { readonly type: 'log' }): void {
    const job = this.#jobs.rowOf(item.job)
    const lines = this.#logLines.get(job) ?? 0
    if (lines >= LOG_LINES_MAX) return
    this.#logLines.set(job, lines + 1)
    const line = this.#writer.text(item.line)
    this.#writer.add('logs', { at: this.#time(item.at), job, attempt: item.attempt, line })
  }

  #addNode({
    run: runId,
    number,
    parent,
    depth,
    job,
    handler,
    label,
    key,
    score,
  }: RawItem & { type: 'node' }): void {
    const writer = this.#writer
    const run = this.#runs.get(runId)
    if (run === undefined) return
    const node = writer.add('nodes', {
      run,
      number,
      parent: parent === undefined ? 0 : (this.#nodeOf(runId, parent) ?? -1) + 1,
      depth,
      job: this.#jobs.rowOf(job) + 1,
      handler: writer.text(handler),
      label: writer.text(label),
      key: writer.text(key),
      score: score ?? Number.NaN,
    })
    const nodes = this.#nodes[run] as number[]
    nodes[number] = node
  }

  #decide(item: RawItem & { type: 'decided' }): void {
    const writer = this.#writer
    const node = this.#nodeOf(item.run, item.number)
    if (node === undefined) return
    const decision = writer.add('decisions', {
      node,
      type: DECISION_TYPES.indexOf(item.decision as (typeof DECISION_TYPES)[number]),
      why: writer.text(item.why),
      score: item.score ?? Number.NaN,
      nodes: item.nodes,
      cut: item.cut.length === 0 ? 0 : writer.text(JSON.stringify(item.cut)),
      error: writer.text(item.error),
    })
    this.#named('node.decided', item.at, node, Math.max(0, item.state), decision + 1)
  }

  #nodeOf(run: string, number: number): number | undefined {
    const index = this.#runs.get(run)
    return index === undefined ? undefined : this.#nodes[index]?.[number]
  }

  #named(name: EventName, at: number, subject: number, state: number, detail: number): void {
    this.#event(at, EVENT_CODES[name], subject, state, detail)
  }

  #event(at: number, code: number, subject: number, state: number, detail: number): void {
    if (subject < 0) return
    this.#writer.add('events', { at: this.#time(at), code, subject, state, detail })
  }

  #time(at: number): number {
    return Math.round((at - this.#startedAt) * 1000)
  }
}

const nothingYet = (): NextJob => ({
  id: undefined,
  nodeId: undefined,
  treeId: undefined,
  executor: '',
  node: 0,
  score: 0,
})

const codeOf = (event: string): number => EVENT_CODES[event as EventName] ?? -1
