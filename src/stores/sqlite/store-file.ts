import { lstatSync, realpathSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { EspalierError } from '../../domain/errors.ts'
import { readOwner } from './owner.ts'
import { APPLICATION_ID, SCHEMA_VERSION } from './schema.ts'
import { faultInTables } from './tables.ts'

/**
 * Refuses a file that is empty, or whose log is missing; before SQLite opens it, which would make an empty log beside it.
 *
 * A database that says it is open was copied without its log, or the log was removed: what it holds is not all. From the commit
 * that names its owner until it is closed, the log of a store is never empty.
 *
 * @returns Whether there is a file.
 */
export function requireWhole(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined) return requireNoLink(file)
  if (!found.isFile())
    throw new Error(found.isDirectory() ? 'it is a folder' : 'it is no file to keep data in')
  const { size } = found
  // What is left of a database that was cut off, since none is made empty: it must not pass for a new one. SQLite takes a file
  // of one byte for an empty one.
  if (size <= 1) throw new EspalierError('ESP_STORE_EMPTY', { store: file })
  if (hasLog(file)) return true
  try {
    checkAlone(file)
  } catch (error) {
    // Another process has opened it meanwhile.
    if (!hasLog(file)) throw error
  }
  return true
}

/** A link that leads nowhere has the name that a new store would get. */
function requireNoLink(file: string): false {
  if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return false
  throw new Error('it is a link to a file that is not there')
}

/**
 * Refuses what is not the path of a file: the file system would take a URI for a name, SQLite for another file.
 *
 * @throws {EspalierError} `ESP_INVALID_OPTION`.
 */
export function checkPath(file: unknown): void {
  if (typeof file === 'string' && file !== '' && file !== ':memory:' && !file.startsWith('file:')) return
  throw new EspalierError('ESP_INVALID_OPTION', {
    option: 'store',
    expected: 'the path of a file',
    got: file,
    todo:
      file === ':memory:'
        ? 'Pass createMemoryStore() for a store that ends with its process.'
        : 'Name the file as the file system does, such as "runs.db"; it is made when it is not there.',
  })
}

/** @throws {EspalierError} `ESP_STORE_FOREIGN`, `ESP_STORE_NEWER`, `ESP_STORE_SCHEMA`. */
export function checkIdentity(db: DatabaseSync, file: string): void {
  const application = pragma(db, 'application_id')
  const version = pragma(db, 'user_version')
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
  const isNew = application === 0 && version === 0 && tables === 0
  if (!isNew && application !== APPLICATION_ID) {
    throw new EspalierError('ESP_STORE_FOREIGN', { store: file, what: 'a database of another program' })
  }
  if (version > SCHEMA_VERSION) {
    throw new EspalierError('ESP_STORE_NEWER', { store: file, known: SCHEMA_VERSION, got: version })
  }
  const fault = faultInTables(db, version)
  if (fault !== undefined) throw new EspalierError('ESP_STORE_SCHEMA', { store: file, version, fault })
}

export function pragma(db: DatabaseSync, name: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${name}`).get() as object)[0])
}

/** SQLite has it beside the file that a symbolic link leads to. */
function hasLog(file: string): boolean {
  return (statSync(`${realpathSync(file)}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
}

function checkAlone(file: string): void {
  const isOpen = look(file, 'immutable', (db) => {
    checkIdentity(db, file)
    return pragma(db, 'user_version') > 0 && readOwner(db) !== undefined
  })
  if (isOpen && needsLog(file)) throw new EspalierError('ESP_STORE_LOG_MISSING', { store: file })
}

const SQLITE_CANTOPEN = 14

/** A copy that was made with `VACUUM INTO` needs none. */
function needsLog(file: string): boolean {
  try {
    look(file, 'nolock', (db) => pragma(db, 'schema_version'))
    return false
  } catch (error) {
    // Without locks there is no log.
    if ((error as { readonly errcode?: number }).errcode === SQLITE_CANTOPEN) return true
    throw error
  }
}

/**
 * Looks at a database without its log, so that nothing is made beside it.
 *
 * Through SQLite, and not as a file: whoever closes a file takes all locks away that its process has on it.
 */
function look<Result>(file: string, how: 'immutable' | 'nolock', work: (db: DatabaseSync) => Result): Result {
  const address = pathToFileURL(file)
  address.searchParams.set(how, '1')
  const db = new DatabaseSync(address, { readOnly: true })
  try {
    db.exec('PRAGMA trusted_schema = OFF')
    return work(db)
  } finally {
    db.close()
  }
}
