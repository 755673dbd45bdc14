import { closeSync, copyFileSync, existsSync, constants as fs, linkSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import { EspalierError, isEspalierError } from '../../domain/errors.ts'
import { disownCopy, takeOwnership } from './owner.ts'
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from './schema.ts'
import { checkIdentity, checkPath, pragma, requireWhole } from './store-file.ts'

/** Older ones may lose what a checkpoint was writing while another connection reset the log. */
const SQLITE_LEAST = '3.51.3'

/** How long another program may hold the file, such as one that copies it, before a commit is refused. */
const BUSY_TIMEOUT_MS = 2_000

/**
 * Opens a database for writing, as its owner; makes it when there is none and it may be made.
 *
 * @throws {EspalierError} `ESP_STORE_…`; the file is then as it was.
 */
export function openForWriting(file: string, mustExist: boolean, now: number): DatabaseSync {
  requireSqlite()
  if (!isThere(file, mustExist)) explain(file, () => make(file))
  // As long as there is a reader, SQLite keeps the log when what is opened is closed again: one that is refused loses nothing.
  const reader = openForReading(file)
  try {
    return prepared(file, {}, (db) => {
      if (pragma(db, 'user_version') > 0) transact(db, () => disownCopy(db))
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON')
      transact(db, () => {
        migrate(db)
        takeOwnership(db, file, now)
      })
      // Now the database itself says that it is open: without its log it will be known to be incomplete.
      db.exec('PRAGMA wal_checkpoint(FULL)')
    })
  } finally {
    reader.close()
  }
}

/**
 * Opens a database for reading, also while another process owns it.
 *
 * @throws {EspalierError} `ESP_STORE_…`.
 */
export function openForReading(file: string): DatabaseSync {
  requireSqlite()
  isThere(file, true)
  return prepared(file, { readOnly: true }, (db) => checkIdentity(db, file))
}

function isThere(file: string, mustExist: boolean): boolean {
  checkPath(file)
  const isThere = explain(file, () => requireWhole(file))
  if (!isThere && mustExist) throw new EspalierError('ESP_STORE_MISSING', { store: file })
  return isThere
}

/**
 * Makes an empty store beside the file and then gives it its name: whenever this process may die, the file is a whole
 * database or not there. One that another process has made meanwhile stays.
 */
function make(file: string): void {
  const folder = dirname(file)
  if (!existsSync(folder)) throw new Error(`there is no folder ${folder}`)
  const draft = `${file}-new-${process.pid}`
  rmSync(draft, { force: true })
  // SQLite gives its log the mode of the database.
  closeSync(openSync(draft, 'wx', 0o600))
  try {
    const db = new DatabaseSync(draft)
    try {
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
      transact(db, () => migrate(db))
    } finally {
      db.close()
    }
    place(draft, file)
  } finally {
    rmSync(draft, { force: true })
  }
}

function place(draft: string, file: string): void {
  try {
    linkSync(draft, file)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    // There are file systems without links: on those, a process that dies now leaves a part of the file.
    copyFileSync(draft, file, fs.COPYFILE_EXCL)
  }
}

function transact(db: DatabaseSync, work: () => void): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    work()
    db.exec('COMMIT')
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

function prepared(
  file: string,
  options: { readonly readOnly?: boolean },
  prepare: (db: DatabaseSync) => void,
): DatabaseSync {
  return explain(file, () => {
    const db = new DatabaseSync(file, {
      ...options,
      timeout: BUSY_TIMEOUT_MS,
      enableForeignKeyConstraints: false,
    })
    try {
      db.exec('PRAGMA trusted_schema = OFF')
      prepare(db)
      return db
    } catch (error) {
      db.close()
      throw error
    }
  })
}

function requireSqlite(): void {
  const version = process.versions.sqlite ?? '0'
  if (isOlder(version, SQLITE_LEAST)) {
    throw new EspalierError('ESP_STORE_SQLITE', { least: SQLITE_LEAST, got: version })
  }
}

function isOlder(version: string, least: string): boolean {
  const [a, b] = [version, least].map((text) => text.split('.').map(Number)) as [number[], number[]]
  const place = b.findIndex((part, index) => part !== (a[index] ?? 0))
  return place >= 0 && (a[place] ?? 0) < (b[place] as number)
}

function migrate(db: DatabaseSync): void {
  const version = pragma(db, 'user_version')
  if (version === SCHEMA_VERSION) return
  for (const migration of MIGRATIONS.slice(version)) db.exec(migration)
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`)
}

/** Tells what SQLite or the file system refuses in the words of the error table. */
export function explain<Result>(file: string, work: () => Result): Result {
  try {
    return work()
  } catch (error) {
    throw inOurWords(file, error)
  }
}

export function inOurWords(file: string, error: unknown): EspalierError {
  if (isEspalierError(error)) return error
  const { message, code, errcode = 0 } = error as NodeJS.ErrnoException & { readonly errcode?: number }
  const options = { cause: error }
  // The lower byte of SQLite's error codes tells the kind.
  switch (errcode & 0xff) {
    case SQLITE_CORRUPT:
      return new EspalierError('ESP_STORE_CORRUPT', { store: file, message }, options)
    case SQLITE_NOTADB:
      return new EspalierError(
        'ESP_STORE_FOREIGN',
        { store: file, what: 'no database, or no longer one' },
        options,
      )
    case SQLITE_BUSY: {
      const todo = 'Another program is at work with it: wait until that is done, and try again.'
      return new EspalierError('ESP_STORE_UNUSABLE', { store: file, message, todo }, options)
    }
    default: {
      const todo =
        NO_ROOM.has(errcode) || NO_ROOM.has(code) ? 'Make room on its disk, and try again.' : undefined
      return new EspalierError('ESP_STORE_UNUSABLE', { store: file, message, todo }, options)
    }
  }
}

const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26
/** The index beside the log cannot be made longer. */
const SQLITE_IOERR_SHMSIZE = 4_874

/** How SQLite and the file system say that a disk is full. */
const NO_ROOM: ReadonlySet<unknown> = new Set([SQLITE_FULL, SQLITE_IOERR_SHMSIZE, 'ENOSPC', 'EDQUOT'])
