import type { DatabaseSync } from 'node:sqlite'
import type { JobId, JobPolicy } from '../../domain/job.ts'
import type { PoolCreated } from '../../domain/trace.ts'
import type { CatchUp, JobRecord, StoreEvent } from '../../ports/run-store.ts'
import { type Entry, eventOf, parseEntries } from './entries.ts'
import { byPlace, type Cells, JOBS, jobOf, lastSeqOf } from './records.ts'

/** The jobs whose rows are behind the journal, as they are by it. */
export class BehindJobs {
  /** By key, in the order of submission. */
  readonly #jobs: ReadonlyMap<number, JobRecord>
  readonly #byId = new Map<JobId, JobRecord>()
  /** Those that have no row yet. */
  readonly fresh: readonly JobRecord[]
  /** Those that have one. */
  readonly changed: readonly JobRecord[]

  constructor(records: readonly JobRecord[], hasRow: (key: number) => boolean) {
    const inOrder = [...records].sort((a, b) => a.key - b.key)
    this.#jobs = new Map(inOrder.map((job) => [job.key, job]))
    for (const job of inOrder) this.#byId.set(job.id, job)
    this.fresh = inOrder.filter(({ key }) => !hasRow(key))
    this.changed = inOrder.filter(({ key }) => hasRow(key))
  }

  get(key: number): JobRecord | undefined {
    return this.#jobs.get(key)
  }

  byId(id: JobId): JobRecord | undefined {
    return this.#byId.get(id)
  }

  /** Rows in the order of their keys, caught up, with those that have none yet between them. */
  *merge(rows: Iterable<JobRecord>, isWanted: (job: JobRecord) => boolean): Generator<JobRecord> {
    let place = 0
    for (const row of rows) {
      for (
        let next = this.fresh[place];
        next !== undefined && next.key < row.key;
        next = this.fresh[++place]
      ) {
        if (isWanted(next)) yield next
      }
      // One that got its row while the rows were read.
      if (this.fresh[place]?.key === row.key) place++
      const job = this.#jobs.get(row.key) ?? row
      if (isWanted(job)) yield job
    }
    for (const job of this.fresh.slice(place)) if (isWanted(job)) yield job
  }
}

export const NONE_BEHIND = new BehindJobs([], () => true)

/** Reads what the rows lack, from an event on, and what it makes of the jobs. */
export function readBehind(db: DatabaseSync, pendingSeq: number, catchUp: CatchUp): BehindJobs {
  const entries = entriesFrom(db, pendingSeq)
  const known = rowsOf(db, entries)
  const records = catchUp({
    events: lacking(entries, known),
    policy: policyBefore(db, pendingSeq),
    row: (key) => known.get(key)?.job,
  })
  return new BehindJobs(records, (key) => known.has(key))
}

/** An entry with its number, and the time of the first of its row. */
interface Placed {
  readonly seq: number
  readonly since: number
  readonly entry: NonNullable<Entry>
}

function entriesFrom(db: DatabaseSync, seq: number): Placed[] {
  const rows = db.prepare(
    `SELECT first_seq, at, events FROM journal
     WHERE first_seq >= coalesce((SELECT max(first_seq) FROM journal WHERE first_seq <= ?), 0) ORDER BY first_seq`,
  )
  const found: Placed[] = []
  for (const { first_seq, at, events } of rows.iterate(seq)) {
    parseEntries(String(events), Number(first_seq)).forEach((entry, place) => {
      const number = Number(first_seq) + place
      if (entry !== null && number >= seq) found.push({ seq: number, since: Number(at), entry })
    })
  }
  return found
}

interface KnownRow {
  readonly job: JobRecord
  readonly lastSeq: number
}

/** What rows there are of the jobs that have these events. */
function rowsOf(db: DatabaseSync, entries: readonly Placed[]): Map<number, KnownRow> {
  const keys = new Set(
    entries.map(({ entry: [, subject] }) => subject).filter((subject) => typeof subject === 'number'),
  )
  const statement = byPlace(db, `${JOBS} WHERE key IN (SELECT value FROM json_each(?))`)
  const rows = statement.all(JSON.stringify([...keys])) as unknown as readonly Cells[]
  return new Map(
    rows.map((cells) => {
      const job = jobOf(cells)
      return [job.key, { job, lastSeq: lastSeqOf(cells) }]
    }),
  )
}

function* lacking(entries: readonly Placed[], known: ReadonlyMap<number, KnownRow>): Generator<StoreEvent> {
  const fresh = new Map<number, JobId>()
  for (const { seq, since, entry } of entries) {
    const [, subject, type] = entry
    if (typeof subject === 'string') {
      if (type === 'pool.created') yield eventOf(entry, seq, since)
      continue
    }
    const row = known.get(subject)
    if (row === undefined && type === 'job.submitted') fresh.set(subject, entry[4] as JobId)
    const id = row?.job.id ?? fresh.get(subject)
    // Of a job that was pruned, and got no row, there is nothing to know.
    if (id !== undefined && seq > (row?.lastSeq ?? 0)) yield eventOf(entry, seq, since, id)
  }
}

/** The policy of the last pool that was created before an event. */
function policyBefore(db: DatabaseSync, seq: number): JobPolicy | undefined {
  const query =
    'SELECT first_seq, pool_seq, events FROM journal WHERE pool_seq < ? ORDER BY pool_seq DESC LIMIT 1'
  const row = db.prepare(query).get(seq)
  if (row === undefined) return undefined
  const firstSeq = Number(row.first_seq)
  const entry = parseEntries(String(row.events), firstSeq)[Number(row.pool_seq) - firstSeq]
  return (entry?.[3] as PoolCreated | undefined)?.policy
}
