import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { JobId } from '../../domain/job.ts'
import { storedJson, storedObject } from '../../domain/stored-json.ts'
import {
  type ChartEvent,
  type JobSubmitted,
  runOf,
  type TraceEntry,
  type TraceEvent,
} from '../../domain/trace.ts'
import type { JobRecord } from '../../ports/run-store.ts'
import { type Entry, eventOf, parseEntries } from './entries.ts'
import { byPlace, type Cells, type Row, storedValue } from './records.ts'
import type { Cell } from './rows.ts'

type Known = NonNullable<Entry>

/** Whose entry it is: absent for pools and runs. */
interface Owner {
  readonly id: JobId
  readonly runId: string | undefined
}

/** What of a job only its row tells. */
interface RowFacts {
  readonly submitted: JobSubmitted
  /** Of the attempt that it completed with, as JSON text. */
  readonly value: string | undefined
  readonly attempt: number
}

/** Reads the journal, and puts back what only the rows of jobs tell. */
export class TraceReader {
  readonly #db: DatabaseSync
  readonly #rows: StatementSync
  readonly #owners: StatementSync
  readonly #facts: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#rows = byPlace(
      db,
      `SELECT first_seq, at, events FROM journal WHERE first_seq <= ? AND first_seq >=
        coalesce((SELECT max(first_seq) FROM journal WHERE first_seq <= ?), 0) ORDER BY first_seq`,
    )
    const which = 'key IN (SELECT value FROM json_each(?))'
    this.#owners = byPlace(db, `SELECT key, id, run FROM jobs WHERE ${which}`)
    this.#facts = byPlace(
      db,
      `SELECT key, spec, iif(state = 'completed', jobs.value, NULL), iif(state = 'completed', output, NULL),
         outputs.value, attempt
       FROM jobs LEFT JOIN outputs ON hash = output WHERE ${which}`,
    )
  }

  all(): Generator<TraceEntry> {
    return this.#read(0, LAST, () => true)
  }

  /** From the event by which the pool began in which the run did. */
  ofRun(runId: string): Generator<TraceEntry> {
    const query =
      'SELECT max(pool_seq) AS seq FROM journal WHERE pool_seq <= (SELECT first_seq FROM runs WHERE id = ?)'
    const from = Number((this.#db.prepare(query).get(runId) as Row).seq ?? 0)
    const isOfRun = ([, subject, , , actor]: Known, owner: Owner | undefined) =>
      owner === undefined ? actor === 'pool' || subject === runId : owner.runId === runId
    return this.#read(from, LAST, isOfRun)
  }

  /** Every job knows between which events its own lie. @param behind - The job, when its row does not know. */
  *ofJob(key: number, id: JobId, behind: JobRecord | undefined): Generator<TraceEntry> {
    const query = 'SELECT first_seq, last_seq FROM jobs WHERE key = ?'
    const row = behind === undefined ? this.#db.prepare(query).get(key) : undefined
    const from = Number(behind?.firstSeq ?? row?.first_seq ?? LAST)
    const to = behind === undefined ? Number(row?.last_seq ?? 0) : LAST
    const owner = { id, runId: undefined }
    for (const [firstSeq, since, entries] of this.#entries(from, to)) {
      const own = entries.map((entry) => (entry?.[1] === key ? entry : null))
      if (own.some((entry) => entry !== null)) yield* this.#tell(firstSeq, since, own, () => owner)
    }
  }

  *#read(
    from: number,
    to: number,
    isWanted: (entry: Known, owner: Owner | undefined) => boolean,
  ): Generator<TraceEntry> {
    /** Of jobs without a row. */
    const fresh = new Map<number, Owner>()
    for (const [firstSeq, since, entries] of this.#entries(from, to)) {
      const owners = this.#ownersOf(entries, fresh)
      const wanted = entries.map((entry, place) =>
        entry !== null && firstSeq + place >= from && isWanted(entry, owners.get(entry[1] as number))
          ? entry
          : null,
      )
      yield* this.#tell(firstSeq, since, wanted, (key) => owners.get(key))
    }
  }

  *#entries(from: number, to: number): Generator<readonly [firstSeq: number, since: number, Entry[]]> {
    for (const [firstSeq, since, events] of this.#rows.iterate(
      to,
      from,
    ) as Iterable<unknown> as Iterable<Cells>)
      yield [Number(firstSeq), Number(since), parseEntries(String(events), Number(firstSeq))]
  }

  #ownersOf(entries: readonly Entry[], fresh: Map<number, Owner>): Map<number, Owner> {
    const keys = new Set<number>()
    for (const entry of entries) if (typeof entry?.[1] === 'number') keys.add(entry[1])
    const owners = new Map<number, Owner>()
    for (const [key, id, run] of this.#about(this.#owners, keys))
      owners.set(Number(key), { id: String(id), runId: run === null ? undefined : String(run) })
    for (const entry of entries) {
      if (entry === null || typeof entry[1] !== 'number' || owners.has(entry[1])) continue
      const [, key, type, submitted, id] = entry
      if (type === 'job.submitted' && id !== undefined)
        fresh.set(key, { id, runId: runOf(submitted as JobSubmitted) })
      owners.set(key, fresh.get(key) ?? { id: String(key), runId: undefined })
    }
    return owners
  }

  *#tell(
    firstSeq: number,
    since: number,
    entries: readonly Entry[],
    ownerOf: (key: number) => Owner | undefined,
  ): Generator<TraceEntry> {
    const facts = this.#factsOf(entries)
    for (const [place, entry] of entries.entries()) {
      if (entry === null) continue
      const key = typeof entry[1] === 'number' ? entry[1] : undefined
      const { seq, at, actor, id, event } = eventOf(
        entry,
        firstSeq + place,
        since,
        key === undefined ? undefined : ownerOf(key)?.id,
      )
      yield { seq, at, actor, id, event: key === undefined ? event : withFacts(event, facts.get(key), id) }
    }
  }

  #factsOf(entries: readonly Entry[]): Map<number, RowFacts> {
    const keys = new Set<number>()
    for (const entry of entries) {
      if (entry === null || typeof entry[1] !== 'number') continue
      const [, key, type, data] = entry
      if ((type === 'job.submitted' && !data) || (type === 'attempt.completed' && !hasValue(data)))
        keys.add(key)
    }
    const facts = new Map<number, RowFacts>()
    for (const [key, spec, inline, hash, output, attempt] of this.#about(this.#facts, keys))
      facts.set(Number(key), {
        submitted: storedObject(String(spec), 'spec', 'job', Number(key)),
        value: storedValue([inline as Cell, hash as Cell, output as Cell]),
        attempt: Number(attempt),
      })
    return facts
  }

  #about(statement: StatementSync, keys: ReadonlySet<number>): readonly Cells[] {
    return keys.size === 0 ? [] : (statement.all(JSON.stringify([...keys])) as unknown as readonly Cell[][])
  }
}

const LAST = Number.MAX_SAFE_INTEGER

const hasValue = (data: object | null | undefined): boolean =>
  (data as { readonly value?: unknown } | undefined)?.value !== undefined

function withFacts(event: TraceEvent | undefined, facts: RowFacts | undefined, jobId: string): TraceEvent {
  if (facts === undefined) return event as TraceEvent
  if (event === undefined) return facts.submitted
  if (event.type !== 'attempt.completed' || facts.value === undefined) return event
  return (event as ChartEvent).attempt === facts.attempt
    ? { ...event, value: storedJson(facts.value, 'value', 'job', jobId) }
    : event
}
