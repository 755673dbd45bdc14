import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isEspalierError, JobPool, openSqliteStore, type RunStore, verifyStore } from 'espalier'
import { afterAll, expect, test, vi } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'espalier-full-disk-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** More than a page: whatever holds it needs room. */
const LARGE = 'x'.repeat(9_000)
const IDS = ['a', 'b', 'c', 'd', 'e', 'f']

/** A store whose disk is full from a commit on, until one was refused. */
function openOnDisk(file: string, nth: number): { store: RunStore; refusals: () => number } {
  const connections: DatabaseSync[] = []
  const { exec } = DatabaseSync.prototype
  const spy = vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, sql) {
    connections.push(this)
    exec.call(this, sql)
  })
  const store = openSqliteStore(file)
  spy.mockRestore()
  const connection = connections.at(-1) as DatabaseSync
  const limitPages = (text: string) => connection.prepare(`PRAGMA max_page_count = ${text}`).get()
  const { commit } = store
  let commits = 0
  let refusals = 0
  store.commit = (batch) => {
    if (++commits === nth) {
      const { page_count } = connection.prepare('PRAGMA page_count').get() as { page_count: number }
      limitPages(String(page_count))
    }
    try {
      commit.call(store, batch)
    } catch (error) {
      refusals++
      limitPages('1000000')
      throw error
    }
  }
  return { store, refusals: () => refusals }
}

test.concurrent.each([1, 2, 3, 4, 5, 6, 7])(
  'a disk that is full at the %i. commit of a pool loses nothing that was accepted, and nothing runs twice for it',
  async (nth) => {
    const file = join(folder, `${nth}.db`)
    const { store, refusals } = openOnDisk(file, nth)
    const runs = new Map<string, number>()
    const work = (id: string) => {
      runs.set(id, (runs.get(id) ?? 0) + 1)
      return LARGE
    }
    const pool = new JobPool({ store, handlers: { work }, maxParallelJobs: 1, logger: silent })
    for (const id of IDS) {
      const submit = () => pool.submitJob({ id, execute: 'work', args: [id, LARGE] })
      const accepted = await submit().accepted.then(
        () => true,
        (error) => {
          expect(isEspalierError(error, 'ESP_STORE_REFUSED')).toBe(true)
          return false
        },
      )
      // What was refused never was: its id is free.
      if (!accepted) await submit().accepted
    }
    await pool.waitForAll()
    expect(refusals()).toBe(1)
    expect([...runs]).toEqual(IDS.map((id) => [id, 1]))
    for (const id of IDS)
      expect(store.job(id)).toMatchObject({
        state: 'completed',
        attempt: 1,
        lost: 0,
        end: { value: JSON.stringify(LARGE) },
      })
    verifyStore(store)
    await pool.shutdown()
    store.close()
  },
)

const silent = { debug() {}, info() {}, warn() {}, error() {} }
