import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { JobRecord, NodeRecord, RunRecord, StoreBatch, StoreEvent } from '../../ports/run-store.ts'
import { EntryTexts } from './entries.ts'
import { isNamed } from './job-ids.ts'
import { outputHash } from './records.ts'
import { RowWriter } from './rows.ts'

/** Results longer than this, in characters of JSON, lie apart from their jobs: what looks at jobs need not read them. */
const INLINE_LENGTH_MAX = 16_384

const ROWS_PER_STATEMENT = 40

/** A row of the journal has no more events than this: whoever looks for one reads its row. */
const EVENTS_PER_ROW = 256

/** What every job has. */
const BORN = [
  ...['key', 'id', 'is_named', 'run', 'spec', 'queued_at', 'state', 'attempt', 'lost', 'deadline_at'],
  ...['started_at', 'first_seq', 'last_seq'],
]
/** What jobs that ended well have besides. */
const DONE = [...BORN, 'ended_at', 'value', 'output', 'cache_key']
const WHOLE = [...DONE, 'stopping', 'error', 'reason', 'cancelled_by', 'caused_by', 'usage']
/** What a step changes. */
const STEP = ['key', 'state', 'attempt', 'lost', 'deadline_at', 'started_at', 'stopping', 'last_seq']
/** What the last step adds when all went well. */
const COMPLETION = [...STEP, 'ended_at', 'value', 'output', 'cache_key']
const END = [...COMPLETION, 'error', 'reason', 'cancelled_by', 'caused_by', 'usage']

/** Writes batches: each row once, several rows with a statement. */
export class Writer {
  readonly #journal: StatementSync
  readonly #pending: StatementSync
  readonly #texts = new EntryTexts()
  readonly #born: RowWriter
  readonly #done: RowWriter
  readonly #whole: RowWriter
  readonly #steps: RowWriter
  readonly #completions: RowWriter
  readonly #ends: RowWriter
  readonly #run: StatementSync
  readonly #node: StatementSync
  readonly #output: StatementSync

  constructor(db: DatabaseSync) {
    this.#journal = db.prepare('INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)')
    this.#pending = db.prepare(
      'UPDATE journal SET pending_seq = ? WHERE first_seq = (SELECT max(first_seq) FROM journal)',
    )
    const rowWriter = (columns: readonly string[], statement: typeof insert) =>
      new RowWriter(db, columns.length, ROWS_PER_STATEMENT, (rows) => statement(columns, rows))
    this.#born = rowWriter(BORN, insert)
    this.#done = rowWriter(DONE, insert)
    this.#whole = rowWriter(WHOLE, insert)
    this.#steps = rowWriter(STEP, update)
    this.#completions = rowWriter(COMPLETION, update)
    this.#ends = rowWriter(END, update)
    this.#run = db.prepare(
      `INSERT INTO runs (id, workflow, source, executor, input, limits, status, reason, created_at, ended_at, snapshot, value, error,
       decisions, forked_from, owned_since, first_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET source = excluded.source, executor = excluded.executor, limits = excluded.limits, status = excluded.status,
       reason = excluded.reason, ended_at = excluded.ended_at, snapshot = excluded.snapshot, value = excluded.value,
       error = excluded.error, decisions = excluded.decisions, owned_since = excluded.owned_since`,
    )
    this.#node = db.prepare('INSERT OR REPLACE INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#output =
      db.prepare(`INSERT INTO outputs VALUES (?, ?, ?) ON CONFLICT (hash) DO UPDATE SET value = excluded.value
       WHERE value <> excluded.value`)
  }

  /** Inside a transaction of the caller's. @param firstSeq - The number of the batch's first event. */
  write({ events, submitted, changed, runs, nodes, pendingSeq }: StoreBatch, firstSeq: number): void {
    const lastSeq = firstSeq + events.length - 1
    const writers = [this.#born, this.#done, this.#whole, this.#steps, this.#completions, this.#ends]
    if (events.length > 0) this.#addEvents(events, pendingSeq)
    else this.#pending.run(pendingSeq ?? firstSeq)
    try {
      for (const job of submitted) this.#addJob(job, lastSeq)
      for (const job of changed) this.#changeJob(job, lastSeq)
      for (const writer of writers) writer.flush()
    } catch (error) {
      for (const writer of writers) writer.drop()
      throw error
    }
    for (const run of runs) this.#putRun(run, firstSeq)
    for (const node of nodes) this.#putNode(node)
  }

  #addEvents(events: readonly StoreEvent[], pendingSeq: number | undefined): void {
    const afterLast = (events[0] as StoreEvent).seq + events.length
    for (let from = 0; from < events.length; from += EVENTS_PER_ROW) {
      const to = Math.min(from + EVENTS_PER_ROW, events.length)
      const { seq, at } = events[from] as StoreEvent
      this.#texts.since = at
      let text = '['
      let poolSeq: number | null = null
      for (let index = from; index < to; index++) {
        const event = events[index] as StoreEvent
        if (index > from) text += ','
        text += this.#texts.textOf(event)
        if (event.event.type === 'pool.created') poolSeq = event.seq
      }
      this.#journal.run(seq, at, to - from, pendingSeq ?? afterLast, poolSeq, `${text}]`)
    }
  }

  #addJob(job: JobRecord, lastSeq: number): void {
    const { key, id, runId = null, firstSeq, submitted, queuedAt, state, attempt, lost, stopping, end } = job
    const { deadlineAt = null, startedAt = null, cacheKey = null } = job
    const isWhole = stopping !== undefined || endsWithMore(job)
    const isBorn = end === undefined && cacheKey === null
    const cells = isWhole ? this.#whole : isBorn ? this.#born : this.#done
    cells.push(key, id, Number(isNamed(id, key)), runId, this.#texts.specOf(submitted), queuedAt, state)
    cells.push(attempt, lost, deadlineAt, startedAt, firstSeq, lastSeq)
    if (cells === this.#born) return
    const { inline, hash } = this.#place(end?.value)
    cells.push(end?.at ?? null, inline, hash, cacheKey)
    if (cells === this.#done) return
    const { error = null, reason = null, cancelledBy = null, causedBy = null, usage = null } = end ?? NO_END
    cells.push(stopping ?? null, error, reason, cancelledBy, causedBy, usage)
  }

  #changeJob(job: JobRecord, lastSeq: number): void {
    const { key, state, attempt, lost, deadlineAt = null, startedAt = null, stopping = null, end } = job
    const isWhole = endsWithMore(job)
    const cells = isWhole ? this.#ends : end === undefined ? this.#steps : this.#completions
    cells.push(key, state, attempt, lost, deadlineAt, startedAt, stopping, lastSeq)
    if (end === undefined) return
    const { inline, hash } = this.#place(end.value)
    const { at, error = null, reason = null, cancelledBy = null, causedBy = null, usage = null } = end
    cells.push(at, inline, hash, job.cacheKey ?? null)
    if (isWhole) cells.push(error, reason, cancelledBy, causedBy, usage)
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
      ...[run.decisions, run.forkedFrom ?? null, run.ownedSince ?? null, firstSeq],
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
    const hash = outputHash(value)
    this.#output.run(hash, Buffer.byteLength(value), value)
    return { inline: null, hash }
  }
}

function insert(columns: readonly string[], rows: string): string {
  return `INSERT INTO jobs (${columns.join(', ')}) ${rows}`
}

/** Gives jobs that are there other values, found by the key, which is the first column. */
function update(columns: readonly string[], rows: string): string {
  const set = columns.slice(1).map((column) => `${column} = new.${column}`)
  return `WITH new (${columns.join(', ')}) AS (${rows}) UPDATE jobs SET ${set.join(', ')} FROM new WHERE jobs.key = new.key`
}

/** Whether a job has ended with more than a value. */
const endsWithMore = ({ state, end }: JobRecord): boolean =>
  end !== undefined && (state !== 'completed' || end.usage !== undefined)

const NO_VALUE = { inline: null, hash: null } as const
const NO_END: Partial<NonNullable<JobRecord['end']>> = {}
