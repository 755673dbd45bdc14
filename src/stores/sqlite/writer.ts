import { createHash } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { JobRecord, NodeRecord, RunRecord, StoreBatch, StoreEvent } from '../../ports/run-store.ts'
import { isNamed } from './job-ids.ts'
import { RowWriter } from './rows.ts'

/** Results longer than this, in characters of JSON, lie apart from their jobs: what looks at jobs need not read them. */
const INLINE_LENGTH_MAX = 16_384

const ROWS_PER_STATEMENT = 40

/** A row of the journal has no more events than this: whoever looks for one reads its row. */
const EVENTS_PER_ROW = 256

/** What most jobs have when they are accepted. */
const BORN = [
  ...[
    'key',
    'id',
    'is_named',
    'run',
    'spec',
    'queued_at',
    'state',
    'attempt',
    'lost',
    'deadline_at',
    'started_at',
  ],
  ...['cache_key', 'first_seq', 'last_seq'],
]
/** What a step changes. */
const STEP = ['key', 'state', 'attempt', 'lost', 'deadline_at', 'started_at', 'stopping', 'last_seq']
/** What the last step adds. */
const END = [
  ...STEP,
  ...['ended_at', 'value', 'output', 'error', 'reason', 'cancelled_by', 'caused_by', 'usage'],
  'cache_key',
]

/** Events that are told by their type alone. */
const BARE = new Set(['dependencies.met', 'slot.granted', 'deadline.reached', 'job.submitted'])

/** Writes batches: each row once, several rows with a statement. */
export class Writer {
  readonly #journal: StatementSync
  readonly #jobs: RowWriter
  readonly #steps: RowWriter
  readonly #ends: RowWriter
  readonly #run: StatementSync
  readonly #node: StatementSync
  readonly #output: StatementSync

  constructor(db: DatabaseSync) {
    this.#journal = db.prepare('INSERT INTO journal VALUES (?, ?, ?)')
    this.#jobs = new RowWriter(
      db,
      BORN.length,
      ROWS_PER_STATEMENT,
      (rows) => `INSERT INTO jobs (${BORN.join(', ')}) ${rows}`,
    )
    this.#steps = new RowWriter(db, STEP.length, ROWS_PER_STATEMENT, (rows) => update(STEP, rows))
    this.#ends = new RowWriter(db, END.length, ROWS_PER_STATEMENT, (rows) => update(END, rows))
    this.#run = db.prepare(
      `INSERT INTO runs (id, workflow, source, executor, input, limits, status, reason, created_at, ended_at, snapshot, value, error,
       decisions, forked_from, first_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET source = excluded.source, executor = excluded.executor, limits = excluded.limits, status = excluded.status,
       reason = excluded.reason, ended_at = excluded.ended_at, snapshot = excluded.snapshot, value = excluded.value,
       error = excluded.error, decisions = excluded.decisions`,
    )
    this.#node = db.prepare('INSERT OR REPLACE INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#output = db.prepare('INSERT OR IGNORE INTO outputs VALUES (?, ?, ?)')
  }

  /** Inside a transaction of the caller's. @param firstSeq - The number of the batch's first event. */
  write({ events, submitted, changed, runs, nodes }: StoreBatch, firstSeq: number): void {
    const lastSeq = firstSeq + events.length - 1
    const writers = [this.#jobs, this.#steps, this.#ends]
    try {
      for (let from = 0; from < events.length; from += EVENTS_PER_ROW) this.#addEvents(events, from)
      for (const job of submitted) this.#addJob(job, firstSeq, lastSeq)
      // Before what is changed in them.
      this.#jobs.flush()
      for (const job of submitted) if (job.stopping ?? job.end) this.#changeJob(job, lastSeq)
      for (const job of changed) this.#changeJob(job, lastSeq)
      for (const writer of writers) writer.flush()
    } catch (error) {
      for (const writer of writers) writer.drop()
      throw error
    }
    for (const run of runs) this.#putRun(run, firstSeq)
    for (const node of nodes) this.#putNode(node)
  }

  /** Adds a row of events, from one of them on. */
  #addEvents(events: readonly StoreEvent[], from: number): void {
    const to = Math.min(from + EVENTS_PER_ROW, events.length)
    let text = '['
    for (let index = from; index < to; index++) {
      if (index > from) text += ','
      text += entryOf(events[index] as StoreEvent)
    }
    this.#journal.run((events[from] as StoreEvent).seq, to - from, `${text}]`)
  }

  #addJob(job: JobRecord, firstSeq: number, lastSeq: number): void {
    const { key, id, runId = null, submitted, queuedAt, state, attempt, lost } = job
    const { deadlineAt = null, startedAt = null, cacheKey = null } = job
    this.#jobs.add(
      ...[
        key,
        id,
        Number(isNamed(id, key)),
        runId,
        JSON.stringify(submitted),
        queuedAt,
        state,
        attempt,
        lost,
        deadlineAt,
        startedAt,
      ],
      ...[cacheKey, firstSeq, lastSeq],
    )
  }

  #changeJob(job: JobRecord, lastSeq: number): void {
    const { key, state, attempt, lost, deadlineAt = null, startedAt = null, stopping = null, end } = job
    if (end === undefined) {
      this.#steps.add(key, state, attempt, lost, deadlineAt, startedAt, stopping, lastSeq)
      return
    }
    const { inline, hash } = this.#place(end.value)
    const { at, error = null, reason = null, cancelledBy = null, causedBy = null, usage = null } = end
    this.#ends.add(
      ...[key, state, attempt, lost, deadlineAt, startedAt, stopping, lastSeq, at, inline, hash, error],
      ...[reason, cancelledBy, causedBy, usage, job.cacheKey ?? null],
    )
  }

  #putRun(run: RunRecord, firstSeq: number): void {
    this.#run.run(
      ...[
        run.id,
        run.workflow,
        run.source ?? null,
        run.executor ?? null,
        run.input ?? null,
        run.limits,
        run.status,
        run.reason ?? null,
      ],
      ...[run.createdAt, run.endedAt ?? null, run.snapshot, run.value ?? null, run.error ?? null],
      ...[run.decisions, run.forkedFrom ?? null, firstSeq],
    )
  }

  #putNode(node: NodeRecord): void {
    const { runId, place, id, parentId, spec, score, jobs, revisions, isPruned, decision } = node
    this.#node.run(
      ...[runId, place, id, parentId ?? null, spec, score ?? null, jobs, revisions, Number(isPruned)],
      decision ?? null,
    )
  }

  /** Where a job's value lies: in its row, or apart under its hash. */
  #place(value: string | undefined): { readonly inline: string | null; readonly hash: string | null } {
    if (value === undefined) return NO_VALUE
    if (value.length <= INLINE_LENGTH_MAX) return { inline: value, hash: null }
    const hash = createHash('sha256').update(value).digest('hex')
    this.#output.run(hash, Buffer.byteLength(value), value)
    return { inline: null, hash }
  }
}

/** Gives jobs that are there other values, found by the key, which is the first column. */
function update(columns: readonly string[], rows: string): string {
  const set = columns.slice(1).map((column) => `${column} = new.${column}`)
  return `WITH new (${columns.join(', ')}) AS (${rows}) UPDATE jobs SET ${set.join(', ')} FROM new WHERE jobs.key = new.key`
}

const NO_VALUE = { inline: null, hash: null } as const

/** An event as the journal has it. */
function entryOf({ seq, at, actor, id, key, event }: StoreEvent): string {
  const { type } = event
  const isBare = BARE.has(type)
  if (key === undefined) {
    const data = isBare ? 'null' : dataOf(event)
    return `[${seq},${at},${JSON.stringify(id)},"${type}",${data},"${actor}"]`
  }
  return isBare ? `[${seq},${at},${key},"${type}"]` : `[${seq},${at},${key},"${type}",${dataOf(event)}]`
}

/** What an event carries besides its type; a completed attempt's value is its job's, and kept there. */
function dataOf(event: StoreEvent['event']): string {
  const { type, ...data } = event as { readonly [field: string]: unknown }
  if (type !== 'attempt.completed') return JSON.stringify(data)
  const { attempt, usage } = data
  return usage === undefined ? `{"attempt":${attempt}}` : JSON.stringify({ attempt, usage })
}
