import {
  closeSync,
  copyFileSync,
  existsSync,
  constants as fs,
  linkSync,
  openSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import { EspalierError, isEspalierError } from '../../domain/errors.ts'
import { readOwner, takeOwnership } from './owner.ts'
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from './schema.ts'

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
  requireContent(file, mustExist)
  if (!existsSync(file)) explain(file, () => make(file))
  const hasLog = existsSync(`${file}-wal`)
  return prepared(file, {}, (db) => {
    checkIdentity(db, file)
    if (!hasLog) refuseWithoutLog(db, file)
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON')
    transact(db, () => {
      migrate(db)
      takeOwnership(db, file, now)
    })
    // Now the database itself says that it is open: without its log it will be known to be incomplete.
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  })
}

/**
 * Opens a database for reading, also while another process owns it.
 *
 * @throws {EspalierError} `ESP_STORE_…`.
 */
export function openForReading(file: string): DatabaseSync {
  requireSqlite()
  requireContent(file, true)
  const hasLog = existsSync(`${file}-wal`)
  return prepared(file, { readOnly: true }, (db) => {
    checkIdentity(db, file)
    if (!hasLog) refuseWithoutLog(db, file)
  })
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

/** An empty file is what is left of a database that was cut off, since none is made empty: it must not pass for a new one. */
function requireContent(file: string, mustExist: boolean): void {
  const size = explain(file, () => statSync(file, { throwIfNoEntry: false })?.size)
  if (size === undefined && mustExist) throw new EspalierError('ESP_STORE_MISSING', { store: file })
  if (size === 0) throw new EspalierError('ESP_STORE_EMPTY', { store: file })
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

function checkIdentity(db: DatabaseSync, file: string): void {
  const application = pragma(db, 'application_id')
  const version = pragma(db, 'user_version')
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
  const isNew = application === 0 && version === 0 && tables === 0
  if (!isNew && application !== APPLICATION_ID) throw new EspalierError('ESP_STORE_FOREIGN', { store: file })
  if (version > SCHEMA_VERSION) {
    throw new EspalierError('ESP_STORE_NEWER', { store: file, known: SCHEMA_VERSION, got: version })
  }
}

/** A database that says it is open was copied without its log, or the log was removed: what it holds is not all. */
function refuseWithoutLog(db: DatabaseSync, file: string): void {
  if (pragma(db, 'user_version') === 0 || readOwner(db) === undefined) return
  throw new EspalierError('ESP_STORE_LOG_MISSING', { store: file })
}

function migrate(db: DatabaseSync): void {
  const version = pragma(db, 'user_version')
  if (version === SCHEMA_VERSION) return
  for (const migration of MIGRATIONS.slice(version)) db.exec(migration)
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`)
}

function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() as object)[0])
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
  const { message, errcode } = error as Error & { readonly errcode?: number }
  const code = isCorrupt(errcode) ? 'ESP_STORE_CORRUPT' : 'ESP_STORE_UNUSABLE'
  return new EspalierError(code, { store: file, message }, { cause: error })
}

const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

/** The lower byte of SQLite's error codes tells the kind. */
function isCorrupt(errcode: number | undefined): boolean {
  const kind = (errcode ?? 0) & 0xff
  return kind === SQLITE_CORRUPT || kind === SQLITE_NOTADB
}
