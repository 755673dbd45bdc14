import process from 'node:process'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { EspalierError, isEspalierError } from '../domain/errors.ts'
import { type Keep, type ResolvedKeep, resolveKeep } from '../domain/keep.ts'
import type { CatchUp, PruneReport, PruneRule, RunStore, StoreBatch } from '../ports/run-store.ts'
import { giveBackRoom, LogRoom } from './sqlite/log-room.ts'
import { explain, inOurWords, openForReading, openForWriting } from './sqlite/open.ts'
import { giveUpOwnership, livingOwner } from './sqlite/owner.ts'
import { pruneRows } from './sqlite/prune.ts'
import { Reader } from './sqlite/reader.ts'
import { Writer } from './sqlite/writer.ts'

export interface SqliteStoreOptions {
  /** Refuses to make a new file: what is to be resumed must be there. Default `false`. */
  readonly mustExist?: boolean
  /** Opens it for reading only, also while another process owns it; commits are refused. Default `false`. */
  readonly readOnly?: boolean
  /**
   * What to keep of ended runs, and of ended jobs that stand alone; the others are let go of when it is opened, and after each
   * 10,000 ends. What an open job depends on stays. Default: everything, until `prune`.
   */
  readonly keep?: Keep
  /** Epoch ms, for the owner's entry. Default: the machine's clock. */
  readonly now?: () => number
}

/**
 * Opens a store in one SQLite file, and owns it until {@link RunStore.close}.
 *
 * @param catchUp - Brings jobs up to the journal.
 * @throws {EspalierError} `ESP_STORE_…`; nothing has been changed.
 */
export function openSqlite(file: string, options: SqliteStoreOptions, catchUp: CatchUp): RunStore {
  const { mustExist = false, readOnly = false, keep, now = Date.now } = options
  const rule = keep === undefined ? undefined : { keep: resolveKeep(keep), now }
  const db = readOnly ? openForReading(file) : openForWriting(file, mustExist, now())
  return new SqliteStore(file, db, catchUp, readOnly, rule)
}

/**
 * How many jobs may be behind the journal. A job that ends within so many is written once instead of three times; the next
 * owner's start waits for as many to be caught up, about 10 µs each.
 */
const PENDING_MAX = 8_192

/** How many jobs and runs end before a store looks again for what to let go of. */
const ENDS_BETWEEN = 10_000

interface Retention {
  readonly keep: ResolvedKeep
  readonly now: () => number
}

/** Those that this process owns. */
const owned = new Set<RunStore>()

/** SQLite drops the log with the last connection, also at the end of a process; without its owner's leave, it would be missed. */
function closeAll(): void {
  for (const store of owned) store.close()
}

class SqliteStore implements RunStore {
  readonly name: string
  lastSeq: number
  lastKey: number
  pendingSeq: number
  readonly pendingMax = PENDING_MAX
  readonly #db: DatabaseSync
  readonly #reader: Reader
  readonly #writer: Writer | undefined
  readonly #room: LogRoom
  readonly #rule: Retention | undefined
  #ended = 0
  readonly #begin: StatementSync
  readonly #commit: StatementSync

  constructor(
    name: string,
    db: DatabaseSync,
    catchUp: CatchUp,
    isReader: boolean,
    rule: Retention | undefined,
  ) {
    this.name = name
    this.#db = db
    this.#reader = new Reader(db, catchUp)
    this.#writer = isReader ? undefined : new Writer(db)
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#commit = db.prepare('COMMIT')
    this.#room = new LogRoom(db)
    const { seq, pendingSeq } = explain(name, () => this.#reader.last())
    this.lastSeq = seq
    this.pendingSeq = pendingSeq
    if (!isReader) this.#tryToCatchUp()
    this.lastKey = explain(name, () => this.#reader.lastKey())
    this.#rule = isReader ? undefined : rule
    if (this.#rule !== undefined) this.#letGo(this.#rule)
    if (isReader) return
    if (owned.size === 0) process.on('exit', closeAll)
    owned.add(this)
  }

  commit(batch: StoreBatch): void {
    const { lastKey, ended } = this.#transact((writer) => writer.write(batch, this.lastSeq + 1))
    this.#room.committed()
    this.lastSeq += batch.events.length
    this.pendingSeq = batch.pendingSeq ?? this.lastSeq + 1
    this.lastKey = Math.max(this.lastKey, lastKey)
    this.#ended += ended
    if (this.#rule !== undefined && this.#ended >= ENDS_BETWEEN) this.#letGo(this.#rule)
  }

  /** The room is used again; it is given back by `prune`. */
  #letGo({ keep, now }: Retention): void {
    this.#ended = 0
    try {
      this.#transact(() => pruneRows(this.#db, now(), keep))
    } catch (error) {
      // What was committed is committed; there is a next time.
      if (!isEspalierError(error, 'ESP_STORE_REFUSED')) throw error
    }
  }

  snapshot<Result>(look: () => Result): Result {
    const db = this.#db
    // Nobody else commits to a store that this process owns.
    if (this.#writer !== undefined || db.isTransaction) return look()
    explain(this.name, () => db.exec('BEGIN'))
    try {
      return look()
    } finally {
      if (db.isTransaction) db.exec('ROLLBACK')
    }
  }

  owner: RunStore['owner'] = () => explain(this.name, () => livingOwner(this.#db))
  runs: RunStore['runs'] = () => explain(this.name, () => this.#reader.runs())
  run: RunStore['run'] = (runId) => explain(this.name, () => this.#reader.run(runId))
  job: RunStore['job'] = (jobId) => explain(this.name, () => this.#reader.job(jobId))
  row: RunStore['row'] = (jobId) => explain(this.name, () => this.#reader.row(jobId))
  cached: RunStore['cached'] = (key) => explain(this.name, () => this.#reader.cached(key))
  size: RunStore['size'] = () => explain(this.name, () => this.#reader.size())

  strays: RunStore['strays'] = () => explain(this.name, () => this.#reader.strays())

  nodes: RunStore['nodes'] = (runId) => explained(this.name, this.#reader.nodes(runId))

  jobs: RunStore['jobs'] = (runId, { isOpen = false } = {}) =>
    explained(this.name, this.#reader.jobs(runId, isOpen))

  trace: RunStore['trace'] = ({ runId, jobId } = {}) => explained(this.name, this.#reader.trace(runId, jobId))

  catchUp(): void {
    if (this.pendingSeq > this.lastSeq) return
    const { fresh: submitted, changed } = explain(this.name, () => this.#reader.behind())
    this.commit({ events: [], submitted, changed, runs: [], nodes: [] })
  }

  prune({ now, keep }: PruneRule): PruneReport {
    const resolved = resolveKeep(keep)
    this.catchUp()
    const report = this.#transact(() => pruneRows(this.#db, now, resolved))
    explain(this.name, () => giveBackRoom(this.#db))
    return report
  }

  close(): void {
    if (!this.#db.isOpen) return
    if (owned.delete(this) && owned.size === 0) process.off('exit', closeAll)
    if (this.#writer !== undefined) {
      this.#tryToCatchUp()
      giveUpOwnership(this.#db)
    }
    this.#db.close()
  }

  /** What the store refuses now is left to its next owner. */
  #tryToCatchUp(): void {
    try {
      this.catchUp()
    } catch (error) {
      if (!isEspalierError(error, 'ESP_STORE_REFUSED')) throw error
    }
  }

  #transact<Result>(work: (writer: Writer) => Result): Result {
    const db = this.#db
    try {
      if (this.#writer === undefined) throw new Error('it was opened for reading only')
      this.#begin.run()
      const result = work(this.#writer)
      this.#commit.run()
      return result
    } catch (error) {
      // SQLite has rolled back already when the disk is full.
      if (db.isOpen && db.isTransaction) db.exec('ROLLBACK')
      const { message } = error as Error
      throw new EspalierError('ESP_STORE_REFUSED', { store: this.name, message }, { cause: error })
    }
  }
}

/** What goes wrong while rows are read one by one is told like everything else. */
function* explained<Item>(file: string, items: Iterable<Item>): Generator<Item> {
  try {
    yield* items
  } catch (error) {
    throw inOurWords(file, error)
  }
}
