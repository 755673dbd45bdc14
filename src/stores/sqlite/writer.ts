import { createHash } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { JobRecord, NodeRecord, RunRecord, StoreBatch, StoreEvent } from '../../ports/run-store.ts'
import { type Cell, RowWriter } from './rows.ts'

/** Results longer than this, in characters of JSON, lie apart from their jobs: what looks at jobs need not read them. */
const INLINE_LENGTH_MAX = 16_384

const ROWS_PER_STATEMENT = 40

/** Events that are told by their type alone. */
const BARE = new Set(['dependencies.met', 'slot.granted', 'deadline.reached', 'job.submitted'])

/** Writes batches: each row once, several rows with a statement. */
export class Writer {
  readonly #events: RowWriter
  readonly #jobs: RowWriter
  readonly #step: StatementSync
  readonly #end: StatementSync
  readonly #run: StatementSync
  readonly #node: StatementSync
  readonly #output: StatementSync

  constructor(db: DatabaseSync) {
    this.#events = new RowWriter(db, 'INSERT INTO events', 7, ROWS_PER_STATEMENT)
    this.#jobs = new RowWriter(db, 'INSERT INTO jobs', 22, ROWS_PER_STATEMENT)
    this.#step = db.prepare(
      `UPDATE jobs SET state = ?, attempt = ?, lost = ?, deadline_at = ?, started_at = ?, stopping = ?, last_seq = ?
       WHERE key = ?`,
    )
    this.#end = db.prepare(
      `UPDATE jobs SET state = ?, attempt = ?, lost = ?, deadline_at = ?, started_at = ?, stopping = ?, ended_at = ?,
       value = ?, output = ?, error = ?, reason = ?, cancelled_by = ?, caused_by = ?, usage = ?, last_seq = ? WHERE key = ?`,
    )
    this.#run = db.prepare(
      `INSERT INTO runs (id, workflow, source, input, limits, status, reason, created_at, ended_at, snapshot, value, error,
       decisions, forked_from, first_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET source = excluded.source, limits = excluded.limits, status = excluded.status,
       reason = excluded.reason, ended_at = excluded.ended_at, snapshot = excluded.snapshot, value = excluded.value,
       error = excluded.error, decisions = excluded.decisions`,
    )
    this.#node = db.prepare('INSERT OR REPLACE INTO nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#output = db.prepare('INSERT OR IGNORE INTO outputs VALUES (?, ?, ?)')
  }

  /** Inside a transaction of the caller's. @param firstSeq - The number of the batch's first event. */
  write({ events, submitted, changed, runs, nodes }: StoreBatch, firstSeq: number): void {
    const lastSeq = firstSeq + events.length - 1
    try {
      for (const event of events) this.#addEvent(event)
      this.#events.flush()
      for (const job of submitted) this.#addJob(job, firstSeq, lastSeq)
      this.#jobs.flush()
    } catch (error) {
      this.#events.drop()
      this.#jobs.drop()
      throw error
    }
    for (const job of changed) this.#changeJob(job, lastSeq)
    for (const run of runs) this.#putRun(run, firstSeq)
    for (const node of nodes) this.#putNode(node)
  }

  #addEvent({ seq, at, actor, id, key, event }: StoreEvent): void {
    const { type } = event
    const data = BARE.has(type) ? null : dataOf(event)
    if (key === undefined) this.#events.add(seq, at, actor, null, id, type, data)
    else this.#events.add(seq, at, actor, key, null, type, data)
  }

  #addJob(job: JobRecord, firstSeq: number, lastSeq: number): void {
    const { key, id, runId, submitted, queuedAt, state, attempt, lost, deadlineAt, startedAt, end } = job
    const value = this.#place(end?.value)
    this.#jobs.add(
      ...[
        key,
        id,
        runId ?? null,
        JSON.stringify(submitted),
        queuedAt,
        state,
        attempt,
        lost,
        deadlineAt ?? null,
      ],
      ...[
        startedAt ?? null,
        job.stopping ?? null,
        end?.at ?? null,
        value.inline,
        value.hash,
        end?.error ?? null,
      ],
      ...[
        end?.reason ?? null,
        end?.cancelledBy ?? null,
        end?.causedBy ?? null,
        end?.usage ?? null,
        job.cacheKey ?? null,
      ],
      ...[firstSeq, lastSeq],
    )
  }

  #changeJob(
    { key, state, attempt, lost, deadlineAt, startedAt, stopping, end }: JobRecord,
    lastSeq: number,
  ): void {
    const deadline = deadlineAt ?? null
    const started = startedAt ?? null
    if (end === undefined) {
      this.#step.run(state, attempt, lost, deadline, started, stopping ?? null, lastSeq, key)
      return
    }
    const { inline, hash } = this.#place(end.value)
    const { at, error = null, reason = null, cancelledBy = null, causedBy = null, usage = null } = end
    this.#end.run(
      ...[state, attempt, lost, deadline, started, stopping ?? null, at, inline, hash, error, reason],
      ...[cancelledBy, causedBy, usage, lastSeq, key],
    )
  }

  #putRun(run: RunRecord, firstSeq: number): void {
    this.#run.run(
      ...[
        run.id,
        run.workflow,
        run.source ?? null,
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

const NO_VALUE = { inline: null, hash: null } as const

/** What an event carries besides its type; a completed attempt's value is its job's, and kept there. */
function dataOf(event: StoreEvent['event']): Cell {
  const { type, ...data } = event as { readonly [field: string]: unknown }
  if (type !== 'attempt.completed') return JSON.stringify(data)
  const { attempt, usage } = data
  return usage === undefined ? `{"attempt":${attempt}}` : JSON.stringify({ attempt, usage })
}
