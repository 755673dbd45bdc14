import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { JobId } from '../../domain/job.ts'
import type { TraceActor, TraceEntry, TraceEvent } from '../../domain/trace.ts'
import type { RunReason } from '../../domain/tree.ts'
import type { JobEnd, JobRecord, NodeRecord, RunRecord, RunStatus, StoreSize } from '../../ports/run-store.ts'
import { JobKeys } from './job-ids.ts'
import type { Cell } from './rows.ts'

type Row = Record<string, Cell>

/** A row's cells in the order of its columns: of a large run, objects with named cells take three times as long to read. */
type Cells = readonly Cell[]

/** Jobs with their values, wherever these lie. */
const JOBS = `SELECT jobs.key, jobs.id, run, spec, queued_at, state, attempt, lost, deadline_at, started_at, stopping,
  cache_key, ended_at, coalesce(jobs.value, outputs.value), error, reason, cancelled_by, caused_by, usage
  FROM jobs LEFT JOIN outputs ON hash = output`

/** Read with one statement: asked for one by one, rows cost twice as much. */
const ROWS_PER_READ = 1_000

const NODES = 'SELECT run, id, place, parent, spec, score, jobs, revisions, is_pruned, decision FROM nodes'

/** Reads what {@link Writer} has written. */
export class Reader {
  readonly #db: DatabaseSync
  readonly #keys: JobKeys
  readonly #job: StatementSync
  readonly #cached: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#keys = new JobKeys(db)
    this.#job = byPlace(db, `${JOBS} WHERE jobs.key = ?`)
    this.#cached = db.prepare(
      `SELECT id, coalesce(jobs.value, outputs.value) AS result FROM jobs LEFT JOIN outputs ON hash = output
       WHERE cache_key = ? AND state = 'completed' ORDER BY jobs.key DESC LIMIT 1`,
    )
  }

  last(): { readonly seq: number; readonly key: number } {
    const last = `SELECT (SELECT events ->> '$[#-1][0]' FROM journal ORDER BY first_seq DESC LIMIT 1) AS seq,
      (SELECT max(key) FROM jobs) AS key`
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
    const cells = byPlace(this.#db, `${NODES} WHERE run = ? ORDER BY place`).all(runId)
    return (cells as unknown as readonly Cells[]).map(nodeOf)
  }

  *jobs(runId: string | undefined, isOpen: boolean): Generator<JobRecord> {
    const which = runId === undefined ? 'run IS NULL' : 'run = ?'
    const query = `${JOBS} WHERE ${which} AND jobs.key > ? ${isOpen ? 'AND ended_at IS NULL' : ''}
      ORDER BY jobs.key LIMIT ${ROWS_PER_READ}`
    const statement = byPlace(this.#db, query)
    const given = runId === undefined ? [] : [runId]
    let cells: readonly Cells[]
    let last: Cell = 0
    do {
      cells = statement.all(...given, last) as unknown as readonly Cells[]
      last = cells.at(-1)?.[0] ?? last
      yield* cells.map(jobOf)
    } while (cells.length === ROWS_PER_READ)
  }

  job(jobId: JobId): JobRecord | undefined {
    const key = this.#keys.keyOf(jobId)
    const cells = key === undefined ? undefined : (this.#job.get(key) as unknown as Cells | undefined)
    return cells === undefined ? undefined : jobOf(cells)
  }

  cached(cacheKey: string): { readonly jobId: JobId; readonly value: string | undefined } | undefined {
    const row = this.#cached.get(cacheKey) as Row | undefined
    return row === undefined ? undefined : { jobId: String(row.id), value: text(row.result) }
  }

  *trace(runId: string | undefined, jobId: JobId | undefined): Generator<TraceEntry> {
    const { from, to, where, given } = this.#bounds(runId, jobId)
    const rows = byPlace(
      this.#db,
      `SELECT events FROM journal WHERE first_seq <= ? AND first_seq >=
        coalesce((SELECT max(first_seq) FROM journal WHERE first_seq <= ?), 0) ORDER BY first_seq`,
    )
    const entries = this.#db.prepare(`${ENTRIES} WHERE ${where} ORDER BY event.key`)
    for (const [events] of rows.iterate(to, from) as Iterable<unknown> as Iterable<Cells>) {
      for (const row of entries.all(events as string, ...given)) yield entryOf(row as Row)
    }
  }

  size(): StoreSize {
    const counts = `SELECT (SELECT count(*) FROM runs) AS runs, (SELECT count(*) FROM jobs) AS jobs,
      (SELECT coalesce(sum(count), 0) FROM journal) AS events, (SELECT count(*) FROM outputs) AS outputs,
      (SELECT coalesce(sum(size), 0) FROM outputs) AS outputBytes,
      (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size) AS bytes`
    return { ...(this.#db.prepare(counts).get() as object) } as StoreSize
  }

  /** Every job knows between which events its own lie, so that its story is found without reading all others. */
  #bounds(runId: string | undefined, jobId: JobId | undefined): Bounds {
    if (jobId !== undefined) {
      const query = 'SELECT key, first_seq, last_seq FROM jobs WHERE key = ?'
      const { key, first_seq, last_seq } = (this.#db.prepare(query).get(this.#keys.keyOf(jobId) ?? -1) ??
        NOWHERE) as Row
      const where = "event.value ->> '$[2]' = ? AND event.value ->> '$[5]' IS NULL"
      return { from: Number(first_seq), to: Number(last_seq), where, given: [Number(key)] }
    }
    if (runId === undefined) return { from: 0, to: Number.MAX_SAFE_INTEGER, where: 'true', given: [] }
    const from = this.#poolBefore(runId)
    const where = `(event.value ->> '$[5]' = 'pool' OR jobs.run = ?
      OR (event.value ->> '$[5]' = 'run' AND event.value ->> '$[2]' = ?)) AND event.value ->> '$[0]' >= ?`
    return { from, to: Number.MAX_SAFE_INTEGER, where, given: [runId, runId, from] }
  }

  /** The number of the event by which the pool began in which a run began; 0 when it is not there. */
  #poolBefore(runId: string): number {
    const query = `SELECT event.value ->> '$[0]' AS seq
      FROM runs, journal CROSS JOIN json_each(journal.events) AS event
      WHERE runs.id = ? AND journal.first_seq <= runs.first_seq AND journal.events LIKE '%"pool.created"%'
        AND event.value ->> '$[3]' = 'pool.created' AND event.value ->> '$[0]' <= runs.first_seq
      ORDER BY journal.first_seq DESC, event.key DESC LIMIT 1`
    return Number((this.#db.prepare(query).get(runId) as Row | undefined)?.seq ?? 0)
  }
}

/** Which rows of the journal to read, by their first events, and which of their events. */
interface Bounds {
  readonly from: number
  readonly to: number
  readonly where: string
  readonly given: readonly (string | number)[]
}

const NOWHERE = { key: -1, first_seq: 0, last_seq: -1 }

/** The events of one row of the journal, which is the first parameter, with what their jobs' rows tell. */
const ENTRIES = `
  SELECT event.value ->> '$[0]' AS seq, event.value ->> '$[1]' AS at, coalesce(event.value ->> '$[5]', 'job') AS actor,
    coalesce(jobs.id, event.value ->> '$[2]') AS id, event.value ->> '$[3]' AS type, event.value -> '$[4]' AS data,
    iif(event.value ->> '$[3]' = 'job.submitted', spec, NULL) AS spec, state,
    coalesce(jobs.value, outputs.value) AS result
  FROM json_each(?) AS event
  LEFT JOIN jobs ON event.value ->> '$[5]' IS NULL AND jobs.key = event.value ->> '$[2]'
  LEFT JOIN outputs ON hash = jobs.output`

const text = (cell: string | number | null | undefined): string | undefined =>
  cell === null || cell === undefined ? undefined : String(cell)

const number = (cell: string | number | null | undefined): number | undefined =>
  cell === null || cell === undefined ? undefined : Number(cell)

function runOf(row: Row): RunRecord {
  return {
    id: String(row.id),
    workflow: String(row.workflow),
    source: text(row.source),
    executor: text(row.executor),
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

/** A statement whose rows come as arrays of cells. */
function byPlace(db: DatabaseSync, query: string): StatementSync {
  const statement = db.prepare(query)
  statement.setReturnArrays(true)
  return statement
}

/** Of {@link NODES}. */
function nodeOf([
  run,
  id,
  place,
  parent,
  spec,
  score,
  jobs,
  revisions,
  isPruned,
  decision,
]: Cells): NodeRecord {
  return {
    runId: String(run),
    id: String(id),
    place: Number(place),
    parentId: text(parent),
    spec: String(spec),
    score: number(score),
    jobs: Number(jobs),
    revisions: Number(revisions),
    isPruned: isPruned === 1,
    decision: text(decision),
  }
}

/** Of {@link JOBS}. */
function jobOf(cells: Cells): JobRecord {
  const [key, id, run, spec, queuedAt, state, attempt, lost, deadlineAt, startedAt, stopping, cacheKey] =
    cells
  return {
    key: Number(key),
    id: String(id),
    runId: text(run),
    submitted: JSON.parse(String(spec)),
    queuedAt: Number(queuedAt),
    state: state as JobRecord['state'],
    attempt: Number(attempt),
    lost: Number(lost),
    deadlineAt: number(deadlineAt),
    startedAt: number(startedAt),
    stopping: text(stopping),
    cacheKey: text(cacheKey),
    end: endOf(cells),
  }
}

function endOf(cells: Cells): JobEnd | undefined {
  const endedAt = cells[12]
  if (endedAt === null) return undefined
  return {
    at: Number(endedAt),
    value: text(cells[13]),
    error: text(cells[14]),
    reason: text(cells[15]),
    cancelledBy: text(cells[16]),
    causedBy: text(cells[17]),
    usage: text(cells[18]),
  }
}

function entryOf(row: Row): TraceEntry {
  const type = String(row.type)
  const data = row.data === null || row.data === 'null' ? {} : JSON.parse(String(row.data))
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
