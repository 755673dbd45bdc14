import type { JobUsage } from '../domain/job.ts'
import { PRIORITIES } from '../domain/priority.ts'
import {
  CANCEL_SOURCES,
  EVENT_CODES,
  EVENTS,
  FAILURES,
  JOB_STATES,
  NODE_STATES,
  POOL_STATES,
  RUN_REASONS,
  RUN_STATES,
} from './journal.ts'
import { ATTEMPT_ENDS, type RunModel } from './model.ts'
import { plainText } from './plain-text.ts'
import type { RecordingHeader } from './recording.ts'

/** A recording, folded, for those who write it in another format. */
export interface Recorded {
  readonly header: RecordingHeader
  readonly model: RunModel
  /** Writes an instant, epoch ms, as ISO 8601. */
  readonly isoOf: (at: number) => string
}

/**
 * The attempts in the Trace Event Format of Chrome, which Perfetto opens too: a thread for each slot, a bar for each
 * attempt, another while it holds its slot as a zombie, and counters for the queue.
 */
export function* chromeTrace({ header, model, isoOf }: Recorded): Generator<string> {
  const { attempts, tables } = model
  const slots = new Set<number>()
  for (let row = 0; row < attempts.slot.length; row++) slots.add(attempts.slot.get(row))
  yield `{"displayTimeUnit":"ms","otherData":${JSON.stringify({ title: header.title, startedAt: isoOf(header.startedAt) })},"traceEvents":[\n`
  yield JSON.stringify({ ph: 'M', pid: 1, name: 'process_name', args: { name: header.title } })
  for (const slot of [...slots].sort((a, b) => a - b)) {
    yield `,\n${JSON.stringify({ ph: 'M', pid: 1, tid: slot, name: 'thread_name', args: { name: `slot ${slot}` } })}`
  }
  for (let row = 0; row < attempts.job.length; row++) {
    const job = attempts.job.get(row)
    const startedAt = attempts.startedAt.get(row)
    const endedAt = attempts.endedAt.get(row)
    const error = attempts.error.get(row) - 1
    yield `,\n${JSON.stringify({
      ph: 'X',
      pid: 1,
      tid: attempts.slot.get(row),
      ts: startedAt,
      dur: (endedAt < 0 ? model.lastAt : endedAt) - startedAt,
      cat: kindOf(model, job),
      name: labelOf(model, job),
      args: {
        job: model.jobId(job, header.idPrefix),
        attempt: attempts.number.get(row),
        end: ATTEMPT_ENDS[attempts.end.get(row)],
        waitedMs: (startedAt - attempts.readyAt.get(row)) / 1000,
        ...(error < 0 ? {} : { error: model.text(tables.errors.message.get(error)) }),
      },
    })}`
  }
  for (const { job, from, to } of zombiesOf(model)) {
    yield `,\n${JSON.stringify({
      ph: 'X',
      pid: 1,
      tid: attempts.slot.get(model.jobs.attempt.get(job) - 1),
      ts: from,
      dur: to - from,
      cat: 'zombie',
      name: `zombie of ${labelOf(model, job)}`,
      args: { job: model.jobId(job, header.idPrefix) },
    })}`
  }
  const { samples } = tables
  for (let row = 0; row < samples.at.length; row++) {
    const args = {
      ready: samples.ready.get(row),
      waiting: samples.waiting.get(row),
      busy: samples.busy.get(row),
    }
    yield `,\n${JSON.stringify({ ph: 'C', pid: 1, ts: samples.at.get(row), name: 'jobs', args })}`
  }
  yield '\n]}\n'
}

/** From when to when slots were held by what was abandoned in them, in the order of the ends; no attempt of such a job follows. */
function* zombiesOf(model: RunModel): Generator<{ job: number; from: number; to: number }> {
  const { at, code, subject, detail } = model.tables.events
  const since = new Map<number, number>()
  for (let row = 0; row < at.length; row++) {
    const job = subject.get(row)
    if (code.get(row) === EVENT_CODES['attempt.abandoned']) {
      if (detail.get(row) === 0) since.set(job, at.get(row))
    } else if (code.get(row) === EVENT_CODES['attempt.ended']) {
      const from = since.get(job)
      if (from !== undefined) yield { job, from, to: at.get(row) }
      since.delete(job)
    }
  }
  for (const [job, from] of since) yield { job, from, to: model.lastAt }
}

const JOB_COLUMNS = [
  ...['job', 'kind', 'label', 'node', 'tree', 'state', 'priority', 'score', 'attempts'],
  ...['queued_at', 'started_at', 'ended_at', 'waited_ms', 'ran_ms', 'cpu_ms', 'peak_memory_bytes', 'error'],
]

/**
 * A line for each job, the first one names the columns. Times are ISO 8601.
 *
 * `started_at`, `waited_ms` (for its slot) and `ran_ms` are of its last attempt; `error` is the last that it threw, and empty
 * once it has completed.
 */
export function* jobsCsv({ header, model, isoOf }: Recorded): Generator<string> {
  const iso = (at: number) => (at < 0 ? '' : isoOf(header.startedAt + at / 1000))
  const { attempts, jobs, tables } = model
  const used = usedByJobs(model)
  yield `${JOB_COLUMNS.join(',')}\r\n`
  for (let job = 0; job < jobs.state.length; job++) {
    const attempt = jobs.attempt.get(job) - 1
    const startedAt = jobs.startedAt.get(job)
    const stoppedAt = attempt < 0 ? -1 : attempts.endedAt.get(attempt)
    const state = JOB_STATES[jobs.state.get(job)]
    const error = state === 'completed' ? -1 : jobs.error.get(job) - 1
    const cells = [
      model.jobId(job, header.idPrefix),
      kindOf(model, job),
      labelOf(model, job),
      model.nodeId(job),
      model.text(tables.jobs.treeId.get(job)),
      state,
      PRIORITIES[jobs.priority.get(job)],
      tables.jobs.score.get(job),
      jobs.attempts.get(job),
      iso(jobs.queuedAt.get(job)),
      iso(startedAt),
      iso(jobs.endedAt.get(job)),
      attempt < 0 ? '' : (startedAt - attempts.readyAt.get(attempt)) / 1000,
      stoppedAt < 0 ? '' : (stoppedAt - startedAt) / 1000,
      used.get(job)?.cpuMs,
      used.get(job)?.peakMemoryBytes,
      error < 0 ? '' : model.text(tables.errors.message.get(error)),
    ]
    yield `${cells.map(csvCell).join(',')}\r\n`
  }
}

/** What the attempts of each job used: all their processor time, and the most memory of one; only where it is known. */
function usedByJobs({ tables: { usages } }: RunModel): Map<number, JobUsage> {
  const used = new Map<number, JobUsage>()
  for (let row = 0; row < usages.job.length; row++) {
    const job = usages.job.get(row)
    const cpu = usages.cpu.get(row)
    const memory = usages.memory.get(row)
    const { cpuMs, peakMemoryBytes } = used.get(job) ?? {}
    used.set(job, {
      cpuMs: cpu < 0 ? cpuMs : (cpuMs ?? 0) + cpu / 1000,
      peakMemoryBytes: memory < 0 ? peakMemoryBytes : Math.max(peakMemoryBytes ?? 0, memory * 1024),
    })
  }
  return used
}

/** A line of JSON for each event, in order. */
export function* eventsJsonl({ header, model, isoOf }: Recorded): Generator<string> {
  const { events, nodes, runs, errors, cancels, decisions } = model.tables
  for (let row = 0; row < events.at.length; row++) {
    const { name, subject: kind } = EVENTS[events.code.get(row)] ?? { name: 'unknown', subject: 'pool' }
    const subject = events.subject.get(row)
    const state = events.state.get(row)
    const detail = events.detail.get(row)
    const facts: Record<string, unknown> = {
      at: isoOf(header.startedAt + events.at.get(row) / 1000),
      event: name,
    }
    if (kind === 'job') {
      facts.job = model.jobId(subject, header.idPrefix)
      facts.state = JOB_STATES[state]
    } else if (kind === 'node') {
      facts.run = model.text(runs.id.get(nodes.run.get(subject)))
      facts.node = `n${nodes.number.get(subject)}`
      facts.state = NODE_STATES[state]
    } else if (kind === 'run') {
      facts.run = model.text(runs.id.get(subject))
      facts.state = RUN_STATES[state]
      if (name === 'run.ended') facts.reason = RUN_REASONS[detail]
    } else facts.state = POOL_STATES[state]?.join(' ')
    if (name === 'attempt.started') facts.slot = detail
    else if (name === 'job.ignored') facts.ignored = EVENTS[detail]?.name
    else if (FAILURES.has(events.code.get(row)) && detail > 0)
      facts.error = model.text(errors.message.get(detail - 1))
    else if (name === 'job.cancel' && detail > 0) {
      facts.by = CANCEL_SOURCES[cancels.by.get(detail - 1)]
      facts.reason = model.text(cancels.reason.get(detail - 1))
    } else if (name === 'node.decided' && detail > 0) facts.why = model.text(decisions.why.get(detail - 1))
    else if (name === 'pool.limited') facts.limit = detail
    yield `${JSON.stringify(facts)}\n`
  }
}

/** Mermaid draws no more edges than this, unless it is told to. */
const MERMAID_NODES_MAX = 500

/** The trees as a Mermaid flowchart: the first 500 nodes; a comment tells how many there are. */
export function treeMermaid({ model }: Recorded): string {
  const { nodes, tables } = model
  const count = nodes.state.length
  const shown = Math.min(count, MERMAID_NODES_MAX)
  const lines = ['flowchart TD', `%% ${shown} of ${count} nodes`]
  for (let node = 0; node < shown; node++) {
    const state = NODE_STATES[nodes.state.get(node)] ?? 'queued'
    const score = nodes.score.get(node)
    const label =
      plainText(model.text(tables.nodes.label.get(node))).replace(/[\t\n]+/g, ' ') +
      (Number.isNaN(score) ? '' : ` ${Number(score.toPrecision(4))}`)
    lines.push(`  ${node}["${entities(`${MARKS[state]} ${label}`)}"]:::${state}`)
    const parent = tables.nodes.parent.get(node) - 1
    if (parent >= 0) lines.push(`  ${parent} --> ${node}`)
  }
  lines.push(
    '  classDef failed stroke:#b34700,stroke-width:2px',
    '  classDef completed stroke:#0072b2',
    '  classDef cancelled,pruned stroke-dasharray:4 3',
  )
  return `${lines.join('\n')}\n`
}

const MARKS: Readonly<Record<(typeof NODE_STATES)[number], string>> = {
  queued: '○',
  running: '▸',
  completed: '✓',
  failed: '✗',
  cancelled: '–',
  pruned: '⌫',
}

function kindOf(model: RunModel, job: number): string {
  const node = model.jobs.node.get(job) - 1
  return model.text(node < 0 ? model.tables.jobs.kind.get(job) : model.tables.nodes.handler.get(node))
}

function labelOf(model: RunModel, job: number): string {
  const node = model.jobs.node.get(job) - 1
  return node < 0 ? kindOf(model, job) : model.text(model.tables.nodes.label.get(node))
}

function csvCell(value: string | number | undefined): string {
  if (typeof value === 'number') return String(value)
  const text = plainText(value ?? '')
  // A spreadsheet would take these for a formula, and run it.
  const harmless = /^[=+\-@\t]/.test(text) ? `'${text}` : text
  return /[",\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/** Characters that end a label in Mermaid, as entities. */
const entities = (text: string): string =>
  text.replace(/[&#;"{}<>[\]`]/g, (char) => `#${char.charCodeAt(0)};`)
