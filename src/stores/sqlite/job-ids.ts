import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { JobId } from '../../domain/job.ts'

/** As a pool names its jobs: something of its own, then the key in base 36. */
const RADIX = 36

/** Whether a job's id tells nothing about its key: then an index has it. */
export function isNamed(id: JobId, key: number): boolean {
  return !id.endsWith(key.toString(RADIX))
}

/** Finds the keys of jobs by their ids. */
export class JobKeys {
  readonly #named: StatementSync
  readonly #unnamed: StatementSync

  constructor(db: DatabaseSync) {
    this.#named = db.prepare('SELECT key FROM jobs WHERE id = ? AND is_named = 1')
    this.#unnamed = db.prepare('SELECT key FROM jobs WHERE key = ? AND id = ?')
  }

  /** @returns `undefined` when there is no such job. */
  keyOf(id: JobId): number | undefined {
    const row = this.#named.get(id)
    if (row !== undefined) return Number(row.key)
    return keysIn(id).find((key) => this.#unnamed.get(key, id) !== undefined)
  }
}

/** The keys that the end of an id may be, the largest first: nobody knows where the pool's own part of it ends. */
function keysIn(id: JobId): number[] {
  const [digits = ''] = /[0-9a-z]{0,11}$/.exec(id) ?? []
  return Array.from(digits, (_, start) => digits.slice(start))
    .filter((part) => !part.startsWith('0'))
    .map((part) => Number.parseInt(part, RADIX))
    .filter(Number.isSafeInteger)
}
