import { createHash } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { storedObject } from '../../domain/stored-json.ts'
import type { JobSubmitted } from '../../domain/trace.ts'
import type { RunReason } from '../../domain/tree.ts'
import type { JobEnd, JobRecord, NodeRecord, RunRecord, RunStatus } from '../../ports/run-store.ts'
import type { Cell } from './rows.ts'

export type Row = Record<string, Cell>

/** A row's cells in the order of its columns: of a large run, objects with named cells take three times as long to read. */
export type Cells = readonly Cell[]

const JOB_COLUMNS = `jobs.key, jobs.id, first_seq, spec, queued_at, state, attempt, lost, deadline_at, started_at,
  stopping, cache_key, ended_at, jobs.value, output, outputs.value, error, reason, cancelled_by, caused_by, usage, last_seq`

const JOBS_AND_OUTPUTS = 'FROM jobs LEFT JOIN outputs ON hash = output'

/** Jobs with their values, wherever these lie. */
export const JOBS = `SELECT ${JOB_COLUMNS}, run ${JOBS_AND_OUTPUTS}`

/** The same, for a query that names the run: no row has to tell it. */
export const JOBS_OF_ONE = `SELECT ${JOB_COLUMNS} ${JOBS_AND_OUTPUTS}`

/** Runs with their inputs. */
export const RUNS = 'SELECT runs.*, inputs.value AS input FROM runs LEFT JOIN inputs ON inputs.run = runs.id'

export const NODE_COLUMNS = 'place, id, parent, spec, score, jobs, revisions, is_pruned, decision'

/** A statement whose rows come as arrays of cells. */
export function byPlace(db: DatabaseSync, query: string): StatementSync {
  const statement = db.prepare(query)
  statement.setReturnArrays(true)
  return statement
}

const text = (cell: string | number | null | undefined): string | undefined =>
  cell === null || cell === undefined ? undefined : String(cell)

const number = (cell: string | number | null | undefined): number | undefined =>
  cell === null || cell === undefined ? undefined : Number(cell)

export function runOf(row: Row): RunRecord {
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
    ownedSince: number(row.owned_since),
  }
}

/** Of {@link NODE_COLUMNS}; whose node it is need not be read with each row. */
export function nodeOf(runId: string, cells: Cells): NodeRecord {
  const [place, id, parent, spec, score, jobs, revisions, isPruned, decision] = cells
  return {
    runId,
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

/** Of {@link JOBS}, or of {@link JOBS_OF_ONE}. */
export const jobOf = (cells: Cells, runId = text(cells[22])): JobRecord => new JobRow(cells, runId)

/** What was submitted is read when somebody asks for it: of most jobs that have ended nobody does. */
class JobRow implements JobRecord {
  readonly key: number
  readonly id: string
  readonly runId: string | undefined
  readonly firstSeq: number
  readonly queuedAt: number
  readonly state: JobRecord['state']
  readonly attempt: number
  readonly lost: number
  readonly deadlineAt: number | undefined
  readonly startedAt: number | undefined
  readonly stopping: string | undefined
  readonly cacheKey: string | undefined
  readonly end: JobEnd | undefined
  readonly #spec: string
  #submitted: JobSubmitted | undefined = undefined

  constructor(cells: Cells, runId: string | undefined) {
    const [key, id, firstSeq, spec, queuedAt, state, attempt, lost, deadlineAt, startedAt] = cells
    this.key = Number(key)
    this.id = String(id)
    this.runId = runId
    this.firstSeq = Number(firstSeq)
    this.queuedAt = Number(queuedAt)
    this.state = state as JobRecord['state']
    this.attempt = Number(attempt)
    this.lost = Number(lost)
    this.deadlineAt = number(deadlineAt)
    this.startedAt = number(startedAt)
    this.stopping = text(cells[10])
    this.cacheKey = text(cells[11])
    this.end = endOf(cells)
    this.#spec = String(spec)
  }

  get submitted(): JobSubmitted {
    this.#submitted ??= storedObject(this.#spec, 'spec', 'job', this.id) as JobSubmitted
    return this.#submitted
  }
}

/** Of {@link JOBS}: the number of the last event that the row has. */
export const lastSeqOf = (cells: Cells): number => Number(cells[21])

function endOf(cells: Cells): JobEnd | undefined {
  const endedAt = cells[12]
  if (endedAt === null) return undefined
  return {
    at: Number(endedAt),
    value: storedValue([cells[13] as Cell, cells[14] as Cell, cells[15] as Cell]),
    error: text(cells[16]),
    reason: text(cells[17]),
    cancelledBy: text(cells[18]),
    causedBy: text(cells[19]),
    usage: text(cells[20]),
  }
}

/**
 * A job's value, as JSON text; no JSON when what lies apart is not there any more, or is not what was stored: then whoever reads
 * it is told so.
 *
 * @param cells - What its row has, the hash under which it lies apart instead, and what lies there.
 */
export function storedValue([inline, hash, output]: readonly [Cell, Cell, Cell]): string | undefined {
  if (hash === null) return text(inline)
  if (output === null) return `lost: output ${hash}`
  return outputHash(String(output)) === hash ? String(output) : `changed: output ${hash}`
}

/** What a value lies under when it lies apart. */
export const outputHash = (value: string): string => createHash('sha256').update(value).digest('hex')
