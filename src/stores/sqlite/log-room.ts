import { closeSync, fstatSync, openSync, writeSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

/** How long SQLite lets a log grow before it begins it anew: 1,000 pages. */
const ROOM_BYTES = 1_000 * 4_096

/** Who has committed so often will go on: making room takes as long as some 100 commits gain by it. */
const COMMITS_BEFORE = 64

/**
 * Makes the log as long as it will get, before commits do so page by page.
 *
 * A commit that makes a file longer also waits for the file system to note its length, nearly as long as for the page itself.
 * SQLite begins a log anew after each checkpoint without making it shorter, so that only its first 4 MB are slow: all that most
 * processes ever write.
 */
export class LogRoom {
  readonly #db: DatabaseSync
  #commits = 0

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** The store has committed something. */
  committed(): void {
    if (++this.#commits === COMMITS_BEFORE) makeRoom(this.#db)
  }
}

/**
 * Writes zeros behind the log's end: no frame begins with them, so to SQLite they are what an earlier, longer log has left.
 *
 * The transaction keeps others from adding to the log meanwhile. SQLite's locks lie on other files, or closing this one would
 * give them up.
 */
function makeRoom(db: DatabaseSync): void {
  let log: number | undefined
  try {
    db.exec('BEGIN IMMEDIATE')
    log = openSync(`${db.location()}-wal`, 'r+')
    const { size } = fstatSync(log)
    if (size < ROOM_BYTES) writeSync(log, new Uint8Array(ROOM_BYTES - size), 0, ROOM_BYTES - size, size)
  } catch {
    // On a full disk there is no room to make.
  } finally {
    if (log !== undefined) closeSync(log)
    if (db.isTransaction) db.exec('ROLLBACK')
  }
}

/**
 * Makes the database and its log as short as they can be, outside of a transaction.
 *
 * The log is cut off behind a commit: one that is empty, beside a database with an owner, counts as lost. One that changes
 * nothing on its way writes nothing.
 */
export function giveBackRoom(db: DatabaseSync): void {
  db.exec(`VACUUM; PRAGMA wal_checkpoint(RESTART); PRAGMA journal_size_limit = 0;
    BEGIN; UPDATE owner SET since = since + 1; UPDATE owner SET since = since - 1; COMMIT; PRAGMA journal_size_limit = -1`)
}
