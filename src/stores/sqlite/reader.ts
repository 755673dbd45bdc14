import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { JobId } from '../../domain/job.ts'
import type { TraceActor, TraceEntry, TraceEvent } from '../../domain/trace.ts'
import type { RunReason } from '../../domain/tree.ts'
import type { JobEnd, JobRecord, NodeRecord, RunRecord, RunStatus, StoreSize } from '../../ports/run-store.ts'

type Row = Record<string, string | number | null>

/** Jobs with their values, wherever these lie. */
const JOBS =
  'SELECT jobs.*, coalesce(jobs.value, outputs.value) AS result FROM jobs LEFT JOIN outputs ON hash = output'

/** Reads what {@link Writer} has written. */
export class Reader {
  readonly #db: DatabaseSync
  readonly #job: StatementSync
  readonly #cached: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#job = db.prepare(`${JOBS} WHERE jobs.id = ?`)
    this.#cached = db.prepare(
      `${JOBS} WHERE cache_key = ? AND state = 'completed' ORDER BY jobs.key DESC LIMIT 1`,
    )
  }

  last(): { readonly seq: number; readonly key: number } {
    const last = 'SELECT (SELECT max(seq) FROM events) AS seq, (SELECT max(key) FROM jobs) AS key'
    const { seq, key } = this.#db.prepare(last).get() as Row
    return { seq: Number(seq ?? 0), key: Number(key ?? 0) }
  }

  runs(): RunRecord[] {
    return (this.#db.prepare('SELECT * FROM runs ORDER BY key DESC').all() as Row[]).map(runOf)
  }

  run(runId: string): RunRecord | undefined {
    const row = this.#db.prepare('SELECT * FROM runs WHERE id = ?').get(runId) as Row | undefined
    return row === undefined ? undefined : runOf(row)
  }

  nodes(runId: string): NodeRecord[] {
    return (this.#db.prepare('SELECT * FROM nodes WHERE run = ? ORDER BY place').all(runId) as Row[]).map(
      nodeOf,
    )
  }

  *jobs(runId: string | undefined, isOpen: boolean): Generator<JobRecord> {
    const which = runId === undefined ? 'run IS NULL' : 'run = ?'
    const query = `${JOBS} WHERE ${which} ${isOpen ? 'AND ended_at IS NULL' : ''} ORDER BY jobs.key`
    const given = runId === undefined ? [] : [runId]
    for (const row of this.#db.prepare(query).iterate(...given)) yield jobOf(row as Row)
  }

  job(jobId: JobId): JobRecord | undefined {
    const row = this.#job.get(jobId) as Row | undefined
    return row === undefined ? undefined : jobOf(row)
  }

  cached(cacheKey: string): { readonly jobId: JobId; readonly value: string | undefined } | undefined {
    const row = this.#cached.get(cacheKey) as Row | undefined
    return row === undefined ? undefined : { jobId: String(row.id), value: text(row.result) }
  }

  *trace(runId: string | undefined, jobId: JobId | undefined): Generator<TraceEntry> {
    const { where, given } = this.#bounds(runId, jobId)
    const query = `
      SELECT seq, at, actor, coalesce(jobs.id, events.other) AS id, type, data, spec, state,
        coalesce(jobs.value, outputs.value) AS result
      FROM events LEFT JOIN jobs ON jobs.key = events.job LEFT JOIN outputs ON hash = jobs.output
      WHERE ${where} ORDER BY seq`
    for (const row of this.#db.prepare(query).iterate(...given)) yield entryOf(row as Row)
  }

  size(): StoreSize {
    const counts = `SELECT (SELECT count(*) FROM runs) AS runs, (SELECT count(*) FROM jobs) AS jobs,
      (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM outputs) AS outputs,
      (SELECT coalesce(sum(size), 0) FROM outputs) AS outputBytes,
      (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size) AS bytes`
    return { ...(this.#db.prepare(counts).get() as object) } as StoreSize
  }

  /** Every job knows between which events its own lie, so that its story is found without reading all others. */
  #bounds(runId: string | undefined, jobId: JobId | undefined): { where: string; given: string[] } {
    if (jobId !== undefined) {
      const job = '(SELECT key, first_seq, last_seq FROM jobs WHERE id = ?)'
      return {
        where: `events.job = (SELECT key FROM ${job}) AND seq BETWEEN
          (SELECT first_seq FROM ${job}) AND (SELECT last_seq FROM ${job})`,
        given: [jobId, jobId, jobId],
      }
    }
    if (runId === undefined) return { where: 'true', given: [] }
    return {
      where: `(actor = 'pool' OR other = ? OR run = ?) AND seq >= coalesce((SELECT max(seq) FROM events
        WHERE type = 'pool.created' AND seq <= (SELECT first_seq FROM runs WHERE id = ?)), 0)`,
      given: [runId, runId, runId],
    }
  }
}

const text = (cell: string | number | null | undefined): string | undefined =>
  cell === null || cell === undefined ? undefined : String(cell)

const number = (cell: string | number | null | undefined): number | undefined =>
  cell === null || cell === undefined ? undefined : Number(cell)

function runOf(row: Row): RunRecord {
  return {
    id: String(row.id),
    workflow: String(row.workflow),
    source: text(row.source),
    input: text(row.input),
    limits: String(row.limits),
    status: row.status as RunStatus,
    reason: text(row.reason) as RunReason | undefined,
    createdAt: Number(row.created_at),
    endedAt: number(row.ended_at),
    snapshot: String(row.snapshot),
    value: text(row.value),
    error: text(row.error),
    decisions: Number(row.decisions),
    forkedFrom: text(row.forked_from),
  }
}

function nodeOf(row: Row): NodeRecord {
  return {
    runId: String(row.run),
    id: String(row.id),
    place: Number(row.place),
    parentId: text(row.parent),
    spec: String(row.spec),
    score: number(row.score),
    jobs: Number(row.jobs),
    revisions: Number(row.revisions),
    isPruned: row.is_pruned === 1,
    decision: text(row.decision),
  }
}

function jobOf(row: Row): JobRecord {
  return {
    key: Number(row.key),
    id: String(row.id),
    runId: text(row.run),
    submitted: JSON.parse(String(row.spec)),
    queuedAt: Number(row.queued_at),
    state: row.state as JobRecord['state'],
    attempt: Number(row.attempt),
    lost: Number(row.lost),
    deadlineAt: number(row.deadline_at),
    startedAt: number(row.started_at),
    stopping: text(row.stopping),
    cacheKey: text(row.cache_key),
    end: row.ended_at === null ? undefined : endOf(row),
  }
}

function endOf(row: Row): JobEnd {
  return {
    at: Number(row.ended_at),
    value: text(row.result),
    error: text(row.error),
    reason: text(row.reason),
    cancelledBy: text(row.cancelled_by),
    causedBy: text(row.caused_by),
    usage: text(row.usage),
  }
}

function entryOf(row: Row): TraceEntry {
  const type = String(row.type)
  const data = row.data === null ? {} : JSON.parse(String(row.data))
  const entry = {
    seq: Number(row.seq),
    at: Number(row.at),
    actor: row.actor as TraceActor,
    id: String(row.id),
  }
  if (type === 'job.submitted') return { ...entry, event: JSON.parse(String(row.spec)) }
  const isResult = type === 'attempt.completed' && row.state === 'completed' && row.result !== null
  const value = isResult ? { value: JSON.parse(String(row.result)) } : {}
  return { ...entry, event: { type, ...data, ...value } as TraceEvent }
}
