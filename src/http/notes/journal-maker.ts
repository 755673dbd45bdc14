import { encodeBlock } from '../../protocol/block.ts'
import {
  CANCEL_SOURCES,
  DECISION_TYPES,
  EVENT_CODES,
  type EventName,
  JOB_STATES,
  RUN_REASONS,
  RUN_STATES,
} from '../../protocol/journal.ts'
import { JournalWriter, type Row } from '../../protocol/journal-writer.ts'
import { float32Of } from './float-bits.ts'
import { microsOf } from './micros.ts'
import {
  cutText,
  eventsOf,
  RAW_DEPENDS,
  RAW_ITEM,
  RAW_ORIGIN,
  RAW_RAN,
  RAW_READY_AT_ONCE,
  RAW_SCORE,
  RAW_STARTED_AT_ONCE,
  type RawChunk,
  type RawItem,
} from './raw-chunk.ts'
import { RawRows } from './raw-rows.ts'
import { SequenceIndex } from './sequence-index.ts'

const SUBMITTED = EVENT_CODES['job.submitted']
const MET = EVENT_CODES['dependencies.met']
const GRANTED = EVENT_CODES['slot.granted']
const STARTED = EVENT_CODES['attempt.started']
const ATTEMPT_COMPLETED = EVENT_CODES['attempt.completed']
const READY = JOB_STATES.indexOf('queued.ready')
const BLOCKED = JOB_STATES.indexOf('queued.blocked')
const EXECUTING = JOB_STATES.indexOf('running.executing')
const COMPLETED = JOB_STATES.indexOf('completed')

/** Lines of the log that are kept for one job. */
const LOG_LINES_MAX = 1_000
const NO_MORE_LINES = '… its further lines are not recorded'
const LINE_LENGTH_MAX = 2_000

/** A block is cut once it has so many events: a page shows the first of them while it reads on. */
const BLOCK_EVENTS = 20_000

/** A block of the journal, and how many events had been taken when it was cut. */
export interface MadeBlock {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly events: number
}

/** Makes the journal of raw chunks: rows for sequences, numbers for texts, blocks of rows. */
export class JournalMaker {
  /** Epoch µs. */
  readonly #startedAt: number
  readonly #writer = new JournalWriter()
  readonly #defaultExecutor: number
  /** The numbers that names of the chunks have as texts of the journal. */
  readonly #names: number[] = [0]
  readonly #jobs = new SequenceIndex()
  readonly #runs = new Map<string, number>()
  /** Nodes of each run, by their number. */
  readonly #nodes: number[][] = []
  readonly #logLines = new Map<number, number>()
  /** What has been said about the job that is submitted next. */
  #next = NOTHING_YET
  #blocks: MadeBlock[] = []
  #events = 0

  /** @param startedAt - Epoch ms. */
  constructor(startedAt: number, defaultExecutor: string) {
    this.#startedAt = microsOf(startedAt)
    this.#defaultExecutor = this.#writer.text(defaultExecutor)
  }

  /** Takes chunks in their order; what they tell is not older than what those before them told. */
  take(chunks: readonly RawChunk[]): void {
    for (const { names } of chunks) for (const name of names) this.#names.push(this.#writer.text(name))
    const { at, sequence, code, state, detail, items, order } = new RawRows(chunks, this.#startedAt)
    for (let place = 0; place < order.length; place++) {
      const row = order[place] as number
      this.#takeRow(
        at[row] as number,
        sequence[row] as number,
        code[row] as number,
        state[row] as number,
        detail[row] as number,
        items,
      )
      this.#events += eventsOf(code[row] as number, detail[row] as number)
      if (this.#writer.pending('events') >= BLOCK_EVENTS) this.#closeBlock()
    }
  }

  /** Blocks of all that has been taken since the last time. */
  takeAll(): MadeBlock[] {
    this.#closeBlock()
    const blocks = this.#blocks
    this.#blocks = []
    return blocks
  }

  #closeBlock(): void {
    const block = this.#writer.take()
    if (block !== undefined) this.#blocks.push({ bytes: encodeBlock(block), events: this.#events })
  }

  /** @param at - In µs since the start. */
  #takeRow(
    at: number,
    sequence: number,
    code: number,
    state: number,
    detail: number,
    items: readonly RawItem[],
  ): void {
    switch (code) {
      case SUBMITTED:
        this.#submit(at, sequence, state, detail)
        return
      case RAW_READY_AT_ONCE:
        this.#event(at, MET, this.#submit(at, sequence, state, detail), READY, 0)
        return
      case RAW_STARTED_AT_ONCE: {
        const job = this.#jobs.rowOf(sequence)
        this.#event(at, GRANTED, job, EXECUTING, 0)
        this.#event(at, STARTED, job, EXECUTING, detail)
        return
      }
      case RAW_RAN:
        this.#event(at, ATTEMPT_COMPLETED, this.#jobs.rowOf(sequence), COMPLETED, 0)
        return
      case RAW_ITEM:
        this.#takeItem(items[detail] as RawItem)
        return
      case RAW_SCORE:
        this.#next = { ...this.#next, score: float32Of(detail) }
        return
      case RAW_ORIGIN:
        this.#next = { ...this.#next, id: -1, treeId: this.#names[sequence] as number, node: detail }
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

  /** @returns Its row. */
  #submit(at: number, sequence: number, priority: number, kind: number): number {
    const { id, nodeId, treeId, executor, node, score } = this.#next
    this.#next = NOTHING_YET
    const { jobs } = this.#writer.tables
    const place = jobs.next()
    const { columns } = jobs
    columns.sequence[place] = sequence
    columns.id[place] = id
    columns.kind[place] = this.#names[kind] as number
    columns.nodeId[place] = nodeId
    columns.node[place] = node
    columns.treeId[place] = treeId
    columns.executor[place] = executor || this.#defaultExecutor
    columns.priority[place] = priority
    columns.score[place] = score
    this.#jobs.add(sequence)
    const job = jobs.count - 1
    this.#event(at, SUBMITTED, job, BLOCKED, 0)
    return job
  }

  #takeItem(item: RawItem): void {
    const writer = this.#writer
    switch (item.type) {
      case 'job':
        this.#next = {
          ...this.#next,
          id: writer.uniqueText(item.id ?? ''),
          nodeId: writer.uniqueText(item.nodeId ?? ''),
          treeId: writer.text(item.treeId),
          executor: writer.text(item.executor),
        }
        return
      case 'failed': {
        const { name, code, message, stack, causes } = item.error
        const job = this.#jobs.rowOf(item.job)
        const error = writer.add('errors', {
          job,
          attempt: item.attempt,
          name: writer.text(name),
          code: writer.text(code),
          message: writer.text(message),
          stack: writer.text(stack),
          causes: writer.text(causes),
        })
        this.#named(item.event ?? 'attempt.failed', item.at, job, item.state, error + 1)
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
      case 'usage': {
        const { cpuMs, peakMemoryBytes } = item.usage
        const job = this.#jobs.rowOf(item.job)
        const cpu = cpuMs === undefined ? -1 : Math.round(cpuMs * 1000)
        const memory =
          peakMemoryBytes === undefined ? -1 : Math.min(INT32_MAX, Math.round(peakMemoryBytes / 1024))
        writer.add('usages', { job, attempt: item.attempt, cpu, memory })
        return
      }
      case 'log':
        this.#log(item)
        return
      case 'pool':
        if (codeOf(item.event) >= 0)
          this.#event(this.#time(item.at), codeOf(item.event), 0, item.state, item.limit)
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
      case 'body': {
        const { attempt, machine, active } = item
        writer.add('bodies', {
          at: this.#time(item.at),
          job: this.#jobs.rowOf(item.job),
          attempt,
          machine: writer.text(machine),
          active: writer.text(active),
        })
        return
      }
      case 'document':
        writer.add('documents', { name: writer.text(item.name), text: writer.uniqueText(item.text) })
    }
  }

  #log(item: RawItem & { readonly type: 'log' }): void {
    const job = this.#jobs.rowOf(item.job)
    for (const text of item.stream === 0 ? [item.line] : linesOf(item.line)) {
      const lines = this.#logLines.get(job) ?? 0
      if (lines > LOG_LINES_MAX) return
      this.#logLines.set(job, lines + 1)
      const line = this.#writer.text(lines === LOG_LINES_MAX ? NO_MORE_LINES : text)
      const { attempt, stream } = item
      this.#writer.add('logs', { at: this.#time(item.at), job, attempt, line, stream })
    }
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
    this.#event(this.#time(at), EVENT_CODES[name], subject, state, detail)
  }

  /** @param at - In µs since the start. */
  #event(at: number, code: number, subject: number, state: number, detail: number): void {
    if (subject < 0) return
    const { events } = this.#writer.tables
    const place = events.next()
    const { columns } = events
    columns.at[place] = at
    columns.code[place] = code
    columns.subject[place] = subject
    columns.state[place] = state
    columns.detail[place] = detail
  }

  /** @returns In µs since the start. */
  #time(at: number): number {
    return microsOf(at) - this.#startedAt
  }
}

/** What a job is that nothing was said about: its id is the pool's. */
const NOTHING_YET = { id: 0, nodeId: 0, treeId: 0, executor: 0, node: 0, score: 0 }

const INT32_MAX = 2 ** 31 - 1

/** What was written, line by line; what comes in two pieces is two lines. */
const linesOf = (text: string): string[] =>
  text
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .map((line) => cutText(line, LINE_LENGTH_MAX))

const codeOf = (event: string): number => EVENT_CODES[event as EventName] ?? -1
