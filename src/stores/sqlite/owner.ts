import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import process from 'node:process'
import type { DatabaseSync } from 'node:sqlite'
import { EspalierError } from '../../domain/errors.ts'
import type { StoreOwner } from '../../ports/run-store.ts'

/** A process, told from a later one of the same pid by when it was started. */
interface Owner extends StoreOwner {
  readonly started: string
}

/**
 * Makes this process the owner of the store, inside a transaction that is open for writing.
 *
 * An owner that has died is replaced. One on another machine cannot be asked, and counts as alive.
 *
 * @throws {EspalierError} `ESP_STORE_OWNED`.
 */
export function takeOwnership(db: DatabaseSync, file: string, now: number): void {
  const owner = livingOwner(db)
  if (owner !== undefined) {
    const { pid, host, since } = owner
    throw new EspalierError('ESP_STORE_OWNED', {
      store: file,
      pid,
      host,
      since: new Date(since).toISOString(),
    })
  }
  db.prepare('INSERT OR REPLACE INTO owner VALUES (1, ?, ?, ?, ?)').run(
    process.pid,
    startOf(process.pid) ?? '',
    hostname(),
    now,
  )
}

/** What a copy has of the owner of what was copied, inside a transaction that is open for writing. */
export function disownCopy(db: DatabaseSync): void {
  db.exec(`DELETE FROM owner WHERE NOT ${HAS_LOG}`)
}

/** When this process has taken ownerships whose entries could not be removed. */
const givenUp = new Set<number>()

/**
 * Never fails: an entry that cannot be removed is known to mean nothing, here and once this process has ended.
 *
 * On a full disk there is room again when the log has been moved into the database. Where that cannot be done either, SQLite
 * keeps the log when it closes, so that the entry beside it does not tell of one that is missing.
 */
export function giveUpOwnership(db: DatabaseSync): void {
  const owner = readOwner(db)
  if (owner === undefined || remove(db)) return
  if (!isMoved(db) || !remove(db)) givenUp.add(owner.since)
}

function remove(db: DatabaseSync): boolean {
  try {
    db.exec('DELETE FROM owner')
    return true
  } catch {
    return false
  }
}

/** Moves the log into the database, so that the next commit needs no more room than the log has. */
function isMoved(db: DatabaseSync): boolean {
  try {
    return db.prepare('PRAGMA wal_checkpoint(RESTART)').get()?.busy === 0
  } catch {
    return false
  }
}

/** A database that somebody works with has a log; one without is a copy, made with `VACUUM INTO`. */
const HAS_LOG = `(SELECT journal_mode = 'wal' FROM pragma_journal_mode)`

/** Who works with the store now. */
export function livingOwner(db: DatabaseSync): StoreOwner | undefined {
  const owner = readOwner(db, `WHERE ${HAS_LOG}`)
  if (owner === undefined || !isAlive(owner) || isGivenUp(owner)) return undefined
  const { pid, host, since } = owner
  return { pid, host, since }
}

export function readOwner(db: DatabaseSync, condition = ''): Owner | undefined {
  return db.prepare(`SELECT pid, started, host, since FROM owner ${condition}`).get() as Owner | undefined
}

function isAlive({ pid, started, host }: Owner): boolean {
  return host !== hostname() || startOf(pid) === started
}

function isGivenUp({ pid, host, since }: Owner): boolean {
  return pid === process.pid && host === hostname() && givenUp.has(since)
}

/** When a process was started, in whatever words the system has for it; `undefined` when there is no such process. */
function startOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // After the command's name, which may hold spaces and brackets: field 22 of the line, ticks since boot.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
      // A process that was killed and not yet reaped runs no more.
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${boot} ${fields[19]}`
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
  } catch {
    return undefined
  }
}
