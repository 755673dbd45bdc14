import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { JobEnd, JobRecord } from '../../ports/run-store.ts'
import type { EntryTexts } from './entries.ts'
import { isNamed } from './job-ids.ts'
import { outputHash } from './records.ts'
import { RowWriter } from './rows.ts'

/** Results longer than this, in characters of JSON, lie apart from their jobs: what looks at jobs need not read them. */
const INLINE_LENGTH_MAX = 16_384

const ROWS_PER_STATEMENT = 40

/** The rows of a statement: cells that are given with each, and those that are alike in all of them. */
interface RowKind {
  readonly given: readonly string[]
  readonly alike: Readonly<Record<string, string>>
}

const BORN = ['key', 'last_seq', 'id', 'is_named', 'run', 'spec', 'queued_at', 'first_seq']
const STEPPED = ['state', 'attempt', 'lost', 'deadline_at', 'started_at', 'stopping']
const ENDED = ['ended_at', 'value', 'usage']
const WITH_MORE = ['output', 'cache_key', 'error', 'reason', 'cancelled_by', 'caused_by']
const PLAINLY = ['deadline_at', 'started_at', ...ENDED]
const AS_PLAIN = { state: `'completed'`, attempt: '1', lost: '0', stopping: 'NULL' }

/** Each cell that is given takes a twentieth of what a small row takes: of most jobs few are. */
const ADDED = {
  fresh: { given: [...BORN, 'state'], alike: { attempt: '0', lost: '0' } },
  plain: { given: [...BORN, ...PLAINLY], alike: AS_PLAIN },
  whole: { given: [...BORN, ...STEPPED, ...ENDED, ...WITH_MORE], alike: {} },
}
const CHANGED = {
  step: { given: ['key', 'last_seq', ...STEPPED], alike: {} },
  plainEnd: { given: ['key', 'last_seq', ...PLAINLY], alike: AS_PLAIN },
  end: { given: ['key', 'last_seq', ...STEPPED, ...ENDED, ...WITH_MORE], alike: {} },
}

/** Writes the rows of jobs, several of a kind with each statement. */
export class JobRows {
  readonly #rows: Readonly<Record<keyof typeof ADDED | keyof typeof CHANGED, RowWriter>>
  readonly #all: readonly RowWriter[]
  readonly #output: StatementSync
  readonly #texts: EntryTexts

  constructor(db: DatabaseSync, texts: EntryTexts) {
    this.#rows = { ...rowWriters(db, ADDED, insert), ...rowWriters(db, CHANGED, update) }
    this.#all = Object.values(this.#rows)
    this.#texts = texts
    this.#output =
      db.prepare(`INSERT INTO outputs VALUES (?, ?, ?) ON CONFLICT (hash) DO UPDATE SET value = excluded.value
       WHERE value <> excluded.value`)
  }

  /** @param lastSeq - The number of the last event that its row has. */
  add(job: JobRecord, lastSeq: number): void {
    const { key, id, runId = null, firstSeq, submitted, queuedAt, state } = job
    const { fresh, plain, whole } = this.#rows
    const row = isFresh(job) ? fresh : endsPlainly(job) ? plain : whole
    const spec = this.#texts.specOf(submitted)
    row.push(key, lastSeq, id, Number(isNamed(id, key)), runId, spec, queuedAt, firstSeq)
    if (row === fresh) row.push(state)
    else if (row === plain) pushPlainEnd(row, job)
    else this.#pushEnd(row, job)
  }

  /** @param lastSeq - The number of the last event that its row has. */
  change(job: JobRecord, lastSeq: number): void {
    const { step, plainEnd, end } = this.#rows
    const row = job.end === undefined ? step : endsPlainly(job) ? plainEnd : end
    row.push(job.key, lastSeq)
    if (row === step) pushStep(row, job)
    else if (row === plainEnd) pushPlainEnd(row, job)
    else this.#pushEnd(row, job)
  }

  flush(): void {
    for (const row of this.#all) row.flush()
  }

  /** Forgets rows that wait: their transaction has failed. */
  drop(): void {
    for (const row of this.#all) row.drop()
  }

  #pushEnd(row: RowWriter, job: JobRecord): void {
    const { at, value, usage, error, reason, cancelledBy, causedBy }: Partial<JobEnd> = job.end ?? {}
    const { inline, hash } = this.#place(value)
    pushStep(row, job)
    row.push(at ?? null, inline, usage ?? null, hash, job.cacheKey ?? null)
    row.push(error ?? null, reason ?? null, cancelledBy ?? null, causedBy ?? null)
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

/** A writer for each kind. @param statement - Makes the statement for some rows. */
function rowWriters<Name extends string>(
  db: DatabaseSync,
  kinds: Readonly<Record<Name, RowKind>>,
  statement: (kind: RowKind, rows: string) => string,
): Record<Name, RowWriter> {
  const writers = Object.entries<RowKind>(kinds).map(([name, kind]) => [
    name,
    new RowWriter(db, kind.given.length, ROWS_PER_STATEMENT, (rows) => statement(kind, rows)),
  ])
  return Object.fromEntries(writers) as Record<Name, RowWriter>
}

function insert({ given, alike }: RowKind, rows: string): string {
  const columns = [...given, ...Object.keys(alike)]
  const cells = ['*', ...Object.values(alike)]
  return `INSERT INTO jobs (${columns.join(', ')}) SELECT ${cells.join(', ')} FROM (${rows})`
}

/** Gives jobs that are there other values, found by the key. */
function update({ given, alike }: RowKind, rows: string): string {
  const set = given.filter((column) => column !== 'key').map((column) => `${column} = new.${column}`)
  for (const [column, value] of Object.entries(alike)) set.push(`${column} = ${value}`)
  return `WITH new (${given.join(', ')}) AS (${rows}) UPDATE jobs SET ${set.join(', ')} FROM new WHERE jobs.key = new.key`
}

/** Whether nothing has happened to a job. */
function isFresh({ attempt, lost, deadlineAt, startedAt, stopping, cacheKey, end }: JobRecord): boolean {
  const isUntouched = attempt === 0 && lost === 0 && startedAt === undefined && end === undefined
  return isUntouched && deadlineAt === undefined && stopping === undefined && cacheKey === undefined
}

/** Whether a job has completed at its first attempt, and its value goes into its row. */
function endsPlainly({ state, attempt, lost, stopping, cacheKey, end }: JobRecord): boolean {
  if (state !== 'completed' || attempt !== 1 || lost > 0) return false
  return stopping === undefined && cacheKey === undefined && (end?.value?.length ?? 0) <= INLINE_LENGTH_MAX
}

function pushStep(
  row: RowWriter,
  { state, attempt, lost, deadlineAt, startedAt, stopping }: JobRecord,
): void {
  row.push(state, attempt, lost, deadlineAt ?? null, startedAt ?? null, stopping ?? null)
}

function pushPlainEnd(row: RowWriter, { deadlineAt, startedAt, end }: JobRecord): void {
  row.push(deadlineAt ?? null, startedAt ?? null, end?.at ?? null, end?.value ?? null, end?.usage ?? null)
}

const NO_VALUE = { inline: null, hash: null } as const
