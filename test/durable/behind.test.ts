import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { defineWorkflow, type JobRecord, node, openSqliteStore, type RunStore, runWorkflow } from 'espalier'
import { SimulatedClock } from 'espalier/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { explainStored } from '../../src/runtime/pool/explain-stored.ts'
import { verifyStore } from '../../src/runtime/record/verify.ts'
import { runVictim } from './victim.ts'
import { durablePool, expectFolded, FaultyStore, full } from './world.ts'

const root = mkdtempSync(join(tmpdir(), 'espalier-behind-'))
afterAll(() => rmSync(root, { recursive: true }))
const newFolder = () => mkdtempSync(join(root, 'store-'))

/** What the table says, whoever may be behind. */
function rowsIn(file: string): { rows: number; ended: number; behind: number } {
  const db = new DatabaseSync(file, { readOnly: true })
  const query = `SELECT count(*) AS rows, count(ended_at) AS ended, (SELECT max(first_seq + json_array_length(events))
    - max(pending_seq) FROM (SELECT * FROM journal ORDER BY first_seq DESC LIMIT 1)) AS behind FROM jobs`
  const found = { ...db.prepare(query).get() } as { rows: number; ended: number; behind: number }
  db.close()
  return found
}

function reading<Result>(file: string, work: (store: RunStore) => Result): Result {
  const store = openSqliteStore(file, { readOnly: true })
  try {
    return work(store)
  } finally {
    store.close()
  }
}

/** Shuts a pool down whose clock is simulated. */
async function leave({ pool, clock }: Pick<ReturnType<typeof durablePool>, 'pool' | 'clock'>): Promise<void> {
  const closed = pool.shutdown({ wait: false })
  await clock.advance(60_000)
  await closed
}

const allOf = (store: RunStore): JobRecord[] =>
  Array.from(store.jobs(undefined), (job) => ({ ...job, submitted: job.submitted }))

describe('a process that is killed while rows are behind', () => {
  const folder = newFolder()
  const file = join(folder, 'runs.db')
  let told: readonly { jobId: string; status: string; value: unknown; error?: string }[] = []
  beforeAll(async () => {
    const { out, signal } = await runVictim(folder, { script: 'behind-victim.ts' })
    expect(signal).toBe('SIGKILL')
    told = JSON.parse(out)
  })

  /** The store as the dead process left it. */
  function copy(): { folder: string; file: string } {
    const to = newFolder()
    for (const end of ['', '-wal']) copyFileSync(file + end, join(to, `runs.db${end}`))
    return { folder: to, file: join(to, 'runs.db') }
  }

  test('has told less to its rows than to its journal', () => {
    const { rows, behind } = rowsIn(file)
    expect(told.length).toBeGreaterThan(30)
    expect(rows).toBeLessThan(10)
    expect(behind).toBeGreaterThan(100)
  })

  test('readers see each job as it was told, and leave the file as it is', () => {
    const before = rowsIn(file)
    reading(file, (store) => {
      expect(store.size().jobs).toBe(told.length + 3)
      for (const { jobId, status, value, error } of told) {
        const job = store.job(jobId)
        expect(job, jobId).toMatchObject({ id: jobId, state: status })
        expect(job?.end?.value && JSON.parse(job.end.value), jobId).toEqual(value)
        expect(job?.end?.error && JSON.parse(job.end.error).message, jobId).toBe(error)
        const events = [...store.trace({ jobId })]
        expect([events[0]?.event.type, new Set(events.map(({ id }) => id))]).toEqual([
          'job.submitted',
          new Set([jobId]),
        ])
        expect(explainStored(jobId, store)).toMatchObject({ jobId, state: status })
      }
      const open = [...store.jobs(undefined, { isOpen: true })]
      expect(open.map(({ state }) => state)).toEqual([
        'queued.delayed',
        'running.executing',
        'queued.blocked',
      ])
      expect(open.map((job) => explainStored(job.id, store).state)).toEqual(open.map(({ state }) => state))
      expect(store.cached(allOf(store).find(({ cacheKey }) => cacheKey)?.cacheKey ?? '')).toMatchObject({
        value: '7',
      })
      expectFolded(store)
      expect(verifyStore(store)).toBe(store.lastSeq)
      expect(store.lastKey).toBe(told.length + 3)
    })
    expect(rowsIn(file)).toEqual(before)
  })

  test('any SQLite tool reads every event, and knows the job by its key', () => {
    const events = reading(file, (store) => [...store.trace()])
    const db = new DatabaseSync(file, { readOnly: true })
    const rows = db.prepare('SELECT seq, at, type FROM trace ORDER BY seq').all()
    expect(rows.map((row) => ({ ...row }))).toEqual(
      events.map(({ seq, at, event: { type } }) => ({ seq, at, type })),
    )
    const keys = db.prepare("SELECT count(DISTINCT job) AS jobs FROM events WHERE actor = 'job'").get()
    expect(keys).toMatchObject({ jobs: told.length + 3 })
    db.close()
  })

  test('its next owner has rows that are complete, and the same jobs', () => {
    const { file: own } = copy()
    const before = reading(own, allOf)
    const store = openSqliteStore(own)
    expect(rowsIn(own)).toEqual({ rows: told.length + 3, ended: told.length, behind: 0 })
    expect(allOf(store)).toEqual(before)
    expect(verifyStore(store)).toBe(store.lastSeq)
    store.close()
    expect(reading(own, allOf)).toEqual(before)
  })

  test('and goes on with what had not ended', async () => {
    const { file: own } = copy()
    const store = openSqliteStore(own)
    const { pool, clock, hands } = durablePool(store, {
      clock: new SimulatedClock(Date.now()),
      handlers: { echo: (value: unknown) => value, forever: () => 'done' },
    })
    await clock.advance(3_700_000)
    expect(hands.started).toEqual([])
    expect([...store.jobs(undefined, { isOpen: true })]).toEqual([])
    expect(verifyStore(store)).toBe(store.lastSeq)
    await leave({ pool, clock })
    store.close()
  })

  const points = ['before-commit:2', 'in-transaction:2', 'after-commit:2'] as const
  test.each(points)('killed again as it catches up, %s: nothing is lost, and nothing twice', (failpoint) => {
    const { file: own } = copy()
    const before = reading(own, allOf)
    const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name)
    const open = `import('espalier').then(({ openSqliteStore }) => openSqliteStore(${JSON.stringify(own)}))`
    const args = ['--conditions=espalier-source', '--import', fixture('failpoints.ts'), '-e', open]
    const { signal } = spawnSync(process.execPath, args, {
      env: { ...process.env, FAILPOINT: failpoint },
      cwd: import.meta.dirname,
    })
    expect(signal).toBe('SIGKILL')
    expect(reading(own, allOf)).toEqual(before)
    const store = openSqliteStore(own)
    expect(allOf(store)).toEqual(before)
    expect(rowsIn(own).behind).toBe(0)
    expect(verifyStore(store)).toBe(store.lastSeq)
    store.close()
  })
})

describe('while a pool works', () => {
  let file = ''
  let store: RunStore
  beforeEach(() => {
    file = join(newFolder(), 'runs.db')
    store = openSqliteStore(file)
  })
  afterEach(() => store.close())

  test('rows follow when it rests, and no job is written for having started', async () => {
    const { pool, clock, hands } = durablePool(store)
    const jobs = Array.from({ length: 100 }, () => pool.submitJob({ execute: 'one' }))
    const held = pool.submitJob({ execute: 'held' })
    await clock.settle()
    expect(jobs.map(({ status }) => status)).toEqual(jobs.map(() => 'completed'))
    expect(rowsIn(file)).toMatchObject({ rows: 0 })
    expect(store.job(held.id)?.state).toBe('running.executing')
    expect(allOf(store).map(({ state }) => state)).toEqual([
      ...jobs.map(() => 'completed'),
      'running.executing',
    ])
    await clock.advance(250)
    expect(rowsIn(file)).toEqual({ rows: 101, ended: 100, behind: 0 })
    hands.of(held.id).resolve(2)
    await clock.settle()
    expect(store.job(held.id)).toMatchObject({ state: 'completed', end: { value: '2' } })
    expect(rowsIn(file)).toMatchObject({ ended: 100 })
    expectFolded(store)
    await leave({ pool, clock })
    expect(rowsIn(file)).toEqual({ rows: 101, ended: 101, behind: 0 })
  })

  test('what is large has its row at once, and stands in the file once', async () => {
    const { pool, clock } = durablePool(store, {
      handlers: { echo: (value: unknown) => value, large: () => long },
    })
    const long = 'y'.repeat(5_000)
    const [asked, made, small] = [
      pool.submitJob({ execute: 'echo', args: [long] }),
      pool.submitJob({ execute: 'large' }),
      pool.submitJob({ execute: 'echo', args: ['short'] }),
    ]
    await clock.settle()
    expect(rowsIn(file)).toMatchObject({ rows: 2, ended: 2 })
    const db = new DatabaseSync(file, { readOnly: true })
    const { events } = db.prepare('SELECT group_concat(events) AS events FROM journal').get() as {
      events: string
    }
    db.close()
    expect([events.includes(long), events.includes('short')]).toEqual([false, true])
    const lastOf = (jobId: string) => [...store.trace({ jobId })].at(-1)?.event
    expect([asked, made, small].map(({ id }) => lastOf(id))).toMatchObject([
      { value: long },
      { value: long },
      { value: 'short' },
    ])
    await leave({ pool, clock })
  })

  test('an id that somebody has chosen is taken at once, also one that looks like a made one', async () => {
    const { pool, clock } = durablePool(store)
    for (const id of ['a', 'b2', 'b9']) pool.submitJob({ id, execute: 'one' })
    await clock.settle()
    expect(rowsIn(file)).toMatchObject({ rows: 3 })
    for (const id of ['a', 'b2', 'b9'])
      expect(() => pool.submitJob({ id, execute: 'one' })).toThrow('ESP_DUPLICATE_JOB')
    expect(['a', 'b2', 'b9', 'b', '2'].map((id) => store.job(id)?.key)).toEqual([
      1,
      2,
      3,
      undefined,
      undefined,
    ])
    await leave({ pool, clock })
  })

  test('a job that the pool has forgotten is found, with its row or before it', async () => {
    const again = durablePool(store, { keep: 0 })
    const { clock } = again
    const forgotten = again.pool.submitJob({ execute: 'one' })
    await clock.settle()
    expect(rowsIn(file)).toMatchObject({ rows: 0 })
    const next = again.pool.submitJob({ execute: 'held', dependencies: [forgotten.id] })
    await clock.settle()
    expect(again.hands.of(next.id).context.parentResults).toEqual({ [forgotten.id]: 1 })
    await clock.advance(250)
    const last = again.pool.submitJob({ execute: 'held', dependencies: [forgotten.id] })
    await clock.settle()
    expect(again.hands.of(last.id).context.parentResults).toEqual({ [forgotten.id]: 1 })
    await leave(again)
  })

  test('pruning takes what is behind too, and the pool goes on', async () => {
    const { pool, clock } = durablePool(store)
    for (let index = 0; index < 10; index++) pool.submitJob({ execute: 'one' })
    const held = pool.submitJob({ execute: 'held' })
    await clock.settle()
    const none = { count: 0 }
    expect(store.prune({ now: 0, keep: { completed: none, failed: none, cancelled: none } })).toEqual({
      runs: 0,
      jobs: 10,
    })
    expect(allOf(store).map(({ id }) => id)).toEqual([held.id])
    pool.submitJob({ execute: 'one' })
    held.cancel()
    await clock.settle()
    await clock.advance(250)
    expect(rowsIn(file)).toMatchObject({ rows: 2, behind: 0 })
    expectFolded(store)
    await leave({ pool, clock })
  })

  test('a run is forked while rows are behind: its own, and those of others', async () => {
    const { pool, clock } = durablePool(store)
    const steps = defineWorkflow({
      name: 'steps',
      handlers: { step: () => 1 },
      root: () => [node({ handler: 'step' }), node({ handler: 'step' })],
    })
    await runWorkflow(steps, { pool, runId: 'r' })
    const alone = pool.submitJob({ execute: 'one' })
    await clock.settle()
    expect(rowsIn(file)).toMatchObject({ rows: 2, ended: 0 })
    const { status } = await runWorkflow(steps, { pool, runId: 'f', fork: { runId: 'r' } })
    expect(status).toBe('completed')
    expect([...store.jobs('f')].map(({ id, state }) => [id, state])).toEqual([
      ['f.n0', 'completed'],
      ['f.n1', 'completed'],
    ])
    expect(store.job(alone.id)?.state).toBe('completed')
    await clock.advance(250)
    expect(rowsIn(file)).toEqual({ rows: 5, ended: 5, behind: 0 })
    expect(verifyStore(store)).toBe(store.lastSeq)
    await leave({ pool, clock })
  })

  test('a pool that is left without a word is followed by one that knows all', async () => {
    const { store: ofFirst, die } = new FaultyStore(store).process()
    const first = durablePool(ofFirst)
    const [done, open] = [first.pool.submitJob({ execute: 'one' }), first.pool.submitJob({ execute: 'held' })]
    await first.clock.settle()
    die()
    first.hands.of(open.id).resolve(1)
    await first.clock.settle()
    const second = durablePool(store)
    await second.clock.settle()
    expect(rowsIn(file).behind).toBeGreaterThan(0)
    expect(store.job(done.id)?.state).toBe('completed')
    expect(store.job(open.id)).toMatchObject({ state: 'running.executing', attempt: 2, lost: 1 })
    expectFolded(store)
    await leave(second)
  })
})

describe('a store that refuses', () => {
  test.each(Array.from({ length: 9 }, (_, index) => index + 1))(
    'as the %i. commit, with rows in it or without: memory equals the store',
    async (nth) => {
      const inner = openSqliteStore(join(newFolder(), 'runs.db'))
      const disk = new FaultyStore(inner)
      const { pool, clock, hands } = durablePool(disk.process().store, { maxParallelJobs: 2 })
      let commits = 0
      disk.onCommit = () => {
        commits++
        if (commits === nth) throw full()
      }
      const submit = (count: number) =>
        Array.from({ length: count }, () => pool.submitJob({ execute: 'one' }))
      const held = pool.submitJob({ execute: 'held' })
      submit(3)
      await clock.advance(2_000)
      submit(3)
      if (held.status === 'running') hands.of(held.id).resolve(3)
      await clock.advance(2_000)
      submit(1)
      await clock.advance(60_000)
      expect(commits).toBeGreaterThan(nth)
      for (const { id, state } of inner.jobs(undefined))
        expect(pool.job(id)?.status, id).toBe(state.split('.')[0])
      expectFolded(inner)
      expect(verifyStore(inner)).toBe(inner.lastSeq)
      await leave({ pool, clock })
      inner.close()
    },
  )

  test('rows that it does not take stay behind, and nobody sees a difference', async () => {
    const file = join(newFolder(), 'runs.db')
    const inner = openSqliteStore(file)
    const disk = new FaultyStore(inner)
    const { pool, clock, logger } = durablePool(disk.process().store)
    disk.onCommit = ({ events }) => {
      if (events.length === 0) throw full()
    }
    const job = pool.submitJob({ execute: 'one' })
    await clock.settle()
    await clock.advance(250)
    expect(logger.at('error')).toEqual([expect.stringContaining('disk is full')])
    expect(pool.getHealth().isDispatching).toBe(true)
    expect(rowsIn(file)).toMatchObject({ rows: 0 })
    expect(inner.job(job.id)?.state).toBe('completed')
    disk.onCommit = () => {}
    pool.submitJob({ execute: 'one' })
    await clock.advance(250)
    expect(rowsIn(file)).toMatchObject({ rows: 2, ended: 2, behind: 0 })
    await leave({ pool, clock })
    inner.close()
  })
})
