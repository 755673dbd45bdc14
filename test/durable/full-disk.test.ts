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

test.each([1, 2])(
  'a job that the disk does not take at the %i. commit is over, for whoever asks and whenever',
  async (nth) => {
    const { store } = openOnDisk(join(folder, `over-${nth}.db`), nth)
    const pool = new JobPool({ store, handlers: { work: () => 1 }, logger: silent })
    if (nth > 1) await pool.submitJob({ id: 'first', execute: 'work' }).accepted
    const job = pool.submitJob({ id: 'a', execute: 'work', args: [LARGE] })
    const ended = new Promise<void>((resolve) => void job.subscribe({ complete: resolve }))
    // Nobody asks before the refusal.
    await ended
    const refused = { code: 'ESP_STORE_REFUSED' }
    await expect(job.accepted).rejects.toMatchObject(refused)
    await expect(job.accepted).rejects.toMatchObject(refused)
    const result = await job.result()
    expect(result).toMatchObject({ status: 'failed', reason: 'rejected', error: refused, attempts: 0 })
    expect(await job.result()).toBe(result)
    await expect(job.value()).rejects.toBe(result.error)
    expect([job.status, job.getSnapshot().status, job.getSnapshot().output]).toEqual([
      'failed',
      'done',
      result,
    ])
    expect(job.cancel()).toBe(false)
    expect(pool.job('a')).toBeUndefined()
    await pool.submitJob({ id: 'b', execute: 'work' }).value()
    expect(store.job('a')).toBeUndefined()
    verifyStore(store)
    await pool.shutdown()
    store.close()
  },
)

test('a job that the disk did not take fails those that are to wait for it', async () => {
  const { store } = openOnDisk(join(folder, 'dependants.db'), 1)
  const pool = new JobPool({ store, handlers: { work: () => 1 }, logger: silent })
  const refused = pool.submitJob({ id: 'a', execute: 'work', args: [LARGE] })
  await expect(refused.accepted).rejects.toMatchObject({ code: 'ESP_STORE_REFUSED' })
  const dependant = pool.submitJob({ execute: 'work', dependencies: [refused] })
  await expect(dependant.result()).resolves.toMatchObject({ status: 'cancelled', causedBy: 'a' })
  await pool.shutdown()
  store.close()
})

const silent = { debug() {}, info() {}, warn() {}, error() {} }
