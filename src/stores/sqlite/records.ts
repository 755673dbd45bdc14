import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { RunReason } from '../../domain/tree.ts'
import type { JobEnd, JobRecord, NodeRecord, RunRecord, RunStatus } from '../../ports/run-store.ts'
import type { Cell } from './rows.ts'

export type Row = Record<string, Cell>

/** A row's cells in the order of its columns: of a large run, objects with named cells take three times as long to read. */
export type Cells = readonly Cell[]

/** Of jobs joined with their outputs. */
export const JOB_COLUMNS = `jobs.key, jobs.id, run, first_seq, spec, queued_at, state, attempt, lost, deadline_at, started_at,
  stopping, cache_key, ended_at, coalesce(jobs.value, outputs.value), error, reason, cancelled_by, caused_by, usage`

export const NODE_COLUMNS = 'run, id, place, parent, spec, score, jobs, revisions, is_pruned, decision'

/** A statement whose rows come as arrays of cells. */
export function byPlace(db: DatabaseSync, query: string): StatementSync {
  const statement = db.prepare(query)
  statement.setReturnArrays(true)
  return statement
}

export const text = (cell: string | number | null | undefined): string | undefined =>
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
  }
}

/** Of {@link NODE_COLUMNS}. */
export function nodeOf([
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

/** Of {@link JOB_COLUMNS}. */
export function jobOf(cells: Cells): JobRecord {
  const [key, id, run, firstSeq, spec, queuedAt, state, attempt, lost, deadlineAt, startedAt] = cells
  const [stopping, cacheKey] = cells.slice(11, 13)
  return {
    key: Number(key),
    id: String(id),
    runId: text(run),
    firstSeq: Number(firstSeq),
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
  const endedAt = cells[13]
  if (endedAt === null) return undefined
  return {
    at: Number(endedAt),
    value: text(cells[14]),
    error: text(cells[15]),
    reason: text(cells[16]),
    cancelledBy: text(cells[17]),
    causedBy: text(cells[18]),
    usage: text(cells[19]),
  }
}
