import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { JobId } from '../../domain/job.ts'
import type { TraceEntry } from '../../domain/trace.ts'
import type { CatchUp, JobRecord, NodeRecord, RunRecord, StoreSize } from '../../ports/run-store.ts'
import { type BehindJobs, NONE_BEHIND, readBehind } from './behind.ts'
import { JobKeys } from './job-ids.ts'
import {
  byPlace,
  type Cells,
  JOBS,
  JOBS_OF_ONE,
  jobOf,
  NODE_COLUMNS,
  nodeOf,
  type Row,
  RUNS,
  runOf,
  storedValue,
} from './records.ts'
import type { Cell } from './rows.ts'
import { TraceReader } from './trace.ts'

/** Read with one statement: asked for one by one, rows cost twice as much. */
const ROWS_PER_READ = 1_000

/** Reads what {@link Writer} has written, with the rows of jobs caught up with the journal. */
export class Reader {
  readonly #db: DatabaseSync
  readonly #catchUp: CatchUp
  readonly #keys: JobKeys
  readonly #job: StatementSync
  readonly #cached: StatementSync
  readonly #last: StatementSync
  readonly #trace: TraceReader
  /** Of which state of the journal it is. */
  #behind = { seq: -1, pendingSeq: -1, jobs: NONE_BEHIND }

  constructor(db: DatabaseSync, catchUp: CatchUp) {
    this.#db = db
    this.#catchUp = catchUp
    this.#keys = new JobKeys(db)
    this.#job = byPlace(db, `${JOBS} WHERE jobs.key = ?`)
    this.#cached = db.prepare(
      `SELECT id, jobs.value AS inline, output, outputs.value AS apart FROM jobs LEFT JOIN outputs ON hash = output
       WHERE cache_key = ? AND state = 'completed' ORDER BY jobs.key DESC LIMIT 1`,
    )
    this.#last = db.prepare(
      `SELECT first_seq + json_array_length(events) - 1 AS seq, pending_seq FROM journal
       ORDER BY first_seq DESC LIMIT 1`,
    )
    this.#trace = new TraceReader(db)
  }

  /** The number of the last event, and that of the first that is in no row. */
  last(): { readonly seq: number; readonly pendingSeq: number } {
    const row = this.#last.get()
    if (row === undefined) return { seq: 0, pendingSeq: 1 }
    return { seq: Number(row.seq), pendingSeq: Number(row.pending_seq) }
  }

  lastKey(): number {
    const { key } = this.#db.prepare('SELECT max(key) AS key FROM jobs').get() as Row
    return Math.max(Number(key ?? 0), this.behind().fresh.at(-1)?.key ?? 0)
  }

  /** The jobs whose rows are behind the journal. */
  behind(): BehindJobs {
    const { seq, pendingSeq } = this.last()
    if (pendingSeq > seq) return NONE_BEHIND
    if (seq !== this.#behind.seq || pendingSeq !== this.#behind.pendingSeq) {
      const jobs = readBehind(this.#db, pendingSeq, this.#catchUp)
      this.#behind = { seq, pendingSeq, jobs }
    }
    return this.#behind.jobs
  }

  runs(): RunRecord[] {
    return (this.#db.prepare(`${RUNS} ORDER BY key DESC`).all() as Row[]).map(runOf)
  }

  run(runId: string): RunRecord | undefined {
    const row = this.#db.prepare(`${RUNS} WHERE id = ?`).get(runId) as Row | undefined
    return row === undefined ? undefined : runOf(row)
  }

  *nodes(runId: string): Generator<NodeRecord> {
    const query = `SELECT ${NODE_COLUMNS} FROM nodes WHERE run = ? AND place > ? ORDER BY place LIMIT ${ROWS_PER_READ}`
    for (const page of this.#pages(query, [runId], -1)) for (const cells of page) yield nodeOf(runId, cells)
  }

  *jobs(runId: string | undefined, isOpen: boolean): Generator<JobRecord> {
    const behind = this.behind()
    if (behind === NONE_BEHIND) {
      yield* this.#rows(runId, isOpen)
      return
    }
    const isWanted = (job: JobRecord) => job.runId === runId && !(isOpen && job.end !== undefined)
    yield* behind.merge(this.#rows(runId, isOpen), isWanted)
  }

  job(jobId: JobId): JobRecord | undefined {
    return this.behind().byId(jobId) ?? this.row(jobId)
  }

  /** As its row has it. */
  row(jobId: JobId): JobRecord | undefined {
    const key = this.#keys.keyOf(jobId)
    return key === undefined ? undefined : this.#rowOf(key)
  }

  cached(cacheKey: string): { readonly jobId: JobId; readonly value: string | undefined } | undefined {
    const row = this.#cached.get(cacheKey) as Row | undefined
    return row === undefined
      ? undefined
      : {
          jobId: String(row.id),
          value: storedValue([row.inline as Cell, row.output as Cell, row.apart as Cell]),
        }
  }

  *trace(runId: string | undefined, jobId: JobId | undefined): Generator<TraceEntry> {
    if (jobId === undefined) yield* runId === undefined ? this.#trace.all() : this.#trace.ofRun(runId)
    else {
      const behind = this.behind().byId(jobId)
      const key = behind?.key ?? this.#keys.keyOf(jobId)
      if (key !== undefined) yield* this.#trace.ofJob(key, jobId, behind)
    }
  }

  strays(): string[] {
    const query = `SELECT 'job "' || id || '"' AS what FROM jobs
        WHERE run IS NOT NULL AND run NOT IN (SELECT id FROM runs)
      UNION ALL SELECT 'node "' || id || '" of run "' || run || '"' FROM nodes WHERE run NOT IN (SELECT id FROM runs)
      UNION ALL SELECT 'the input of run "' || run || '"' FROM inputs WHERE run NOT IN (SELECT id FROM runs)
      UNION ALL SELECT 'output ' || hash FROM outputs
        WHERE hash NOT IN (SELECT output FROM jobs WHERE output IS NOT NULL)`
    return this.#db
      .prepare(query)
      .all()
      .map(({ what }) => String(what))
  }

  size(): StoreSize {
    const counts = `SELECT (SELECT count(*) FROM runs) AS runs, (SELECT count(*) FROM jobs) AS jobs,
      (SELECT coalesce(sum(count), 0) FROM journal) AS events, (SELECT count(*) FROM outputs) AS outputs,
      (SELECT coalesce(sum(size), 0) FROM outputs) AS outputBytes,
      (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size) AS bytes`
    const size = this.#db.prepare(counts).get() as unknown as StoreSize
    return { ...size, jobs: size.jobs + this.behind().fresh.length }
  }

  *#rows(runId: string | undefined, isOpen: boolean): Generator<JobRecord> {
    const which = runId === undefined ? 'run IS NULL' : 'run = ?'
    const query = `${JOBS_OF_ONE} WHERE ${which} AND jobs.key > ? ${isOpen ? 'AND ended_at IS NULL' : ''}
      ORDER BY jobs.key LIMIT ${ROWS_PER_READ}`
    const given = runId === undefined ? [] : [runId]
    for (const page of this.#pages(query, given, 0)) for (const cells of page) yield jobOf(cells, runId)
  }

  /** @param query - Of at most {@link ROWS_PER_READ} rows, whose first cell, its last parameter, is above `last`. */
  *#pages(query: string, given: readonly string[], last: Cell): Generator<readonly Cells[]> {
    const statement = byPlace(this.#db, query)
    let after = last
    let rows: readonly Cells[]
    do {
      rows = statement.all(...given, after) as unknown as readonly Cells[]
      after = rows.at(-1)?.[0] ?? after
      yield rows
    } while (rows.length === ROWS_PER_READ)
  }

  #rowOf(key: number): JobRecord | undefined {
    const cells = this.#job.get(key) as unknown as Cells | undefined
    return cells === undefined ? undefined : jobOf(cells)
  }
}
