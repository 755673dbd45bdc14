import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  defineWorkflow,
  type ExpandRequest,
  grow,
  JobPool,
  type JobRecord,
  node,
  Orchestrator,
  openSqliteStore,
  prune,
  revise,
  runWorkflow,
  satisfy,
  verifyStore,
} from 'espalier'
import { createCommandExecutor } from 'espalier/executors/command'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { MIGRATIONS } from '../../src/stores/sqlite/schema.ts'

const folder = mkdtempSync(join(tmpdir(), 'espalier-verify-'))
const file = join(folder, 'runs.db')

beforeAll(fill)
afterAll(() => rmSync(folder, { recursive: true }))

const LARGE = 'x'.repeat(20_000)

/** Every decision there is, with scores that are given, inherited and judged; `gate` holds back what comes after the prune. */
const workflow = (gate: Promise<unknown>, maxNodes = 40) =>
  defineWorkflow({
    name: 'all',
    limits: { maxDepth: 9, maxNodes, maxRunMs: 600_000 },
    handlers: {
      say: (value: unknown) => value,
      fail: (value: unknown) => {
        if (value === 'again') return 'mended'
        throw new Error('not this way', { cause: new Error('deeper') })
      },
      wait: () => gate,
      never: (_: unknown, { signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    },
    root: () => node({ handler: 'say', key: 'root', input: 'root', score: 0.5 }),
    expand: ({ node: { key, children }, result }: ExpandRequest) => {
      switch (key) {
        case 'root':
          return grow(
            [
              node({ handler: 'fail', key: 'broken', input: 'first' }),
              node({ handler: 'say', key: 'late', dependencies: ['broken'] }),
              node({ handler: 'never', key: 'slow', score: 0.1 }),
              node({ handler: 'say', key: 'large', input: LARGE }),
              node({ handler: 'wait', key: 'gate' }),
            ],
            { why: 'begin', score: 0.75 },
          )
        case 'broken':
          if (result.status === 'failed') return revise({ input: 'again', score: 0.9 }, 'mend it')
          return grow([node({ handler: 'say', key: 'child' })])
        case 'large':
          return children.length === 0 ? prune(['slow', 'broken', 'nobody'], 'enough') : undefined
        case 'gate':
          return satisfy({ found: 'it' }, 'there')
        default:
          return undefined
      }
    },
  })

/** Runs of every kind: left and resumed, forked, failed; and jobs that stand alone. */
async function fill(): Promise<void> {
  const first = new JobPool({ store: file, maxParallelJobs: 8 })
  const run = new Orchestrator(workflow(new Promise(() => {})), { pool: first, runId: 'r1', input: { a: 1 } })
  const isPruned = new Promise<void>((resolve) =>
    run.on('node.decided', ({ decision }) => decision.type === 'prune' && resolve()),
  )
  const left = run.run().catch(({ code }) => code)
  await isPruned
  await first.shutdown({ wait: false })
  expect(await left).toBe('ESP_POOL_CLOSED')

  const other = { store: file, runId: 'r1', source: '/work/w.ts', executor: 'async' }
  const resumed = await runWorkflow(workflow(Promise.resolve(), 60), other)
  expect(resumed).toMatchObject({ status: 'completed', reason: 'satisfied', value: { found: 'it' } })
  const fork = { runId: 'r1', at: prunedAt() }
  const forked = await runWorkflow(workflow(Promise.resolve(), 50), { store: file, runId: 'r2', fork })
  expect(Object.values(forked.tree.nodes).map(({ key, status }) => [key, status])).toContainEqual([
    'slow',
    'pruned',
  ])
  const failing = defineWorkflow({
    name: 'failing',
    handlers: {
      fail: () => {
        throw new TypeError('bad root')
      },
    },
    root: () => node({ handler: 'fail' }),
  })
  await runWorkflow(failing, { store: file, runId: 'r3' })
  await standAlone()
}

function prunedAt(): number {
  const store = openSqliteStore(file, { readOnly: true })
  const pruned = [...store.trace({ runId: 'r1' })].filter(({ event }) => event.type === 'node.pruned')
  store.close()
  return Math.max(...pruned.map(({ seq }) => seq))
}

async function standAlone(): Promise<void> {
  const handlers = {
    throws: () => {
      throw new RangeError('far out')
    },
    say: (value: unknown) => value,
  }
  const pool = new JobPool({
    store: file,
    maxParallelJobs: 1,
    handlers,
    executors: [createCommandExecutor()],
  })
  const backoff = { type: 'fixed', delayMs: 1 } as const
  const jobs = [
    pool.submitJob({ id: 'fails', execute: 'throws', maxRetries: 1, backoff }),
    pool.submitJob({ id: 'large', execute: 'say', args: [`${LARGE} and its own`] }),
    pool.submitJob({ id: 'small', execute: 'say', args: ['small'], cache: true, version: '1' }),
    pool.submitJob({
      id: 'process',
      executor: 'command',
      execute: { command: process.execPath, args: ['-e', 'setTimeout(() => {}, 400)'] },
    }),
    pool.submitJob({ id: 'waits', execute: 'say', dependencies: ['fails'] }),
  ]
  const halved = pool.submitJob({ id: 'halved', execute: 'say', delayMs: 60_000 })
  halved.cancel('ok \ud83d')
  expect(await halved.result()).toMatchObject({ status: 'cancelled', reason: 'ok \ufffd' })
  await Promise.allSettled(jobs.map((job) => job.result()))
  await pool.shutdown()
}

/** Verifies a copy of the store that somebody has changed. */
function verifyChanged(sql: string): string {
  const changed = join(folder, 'changed.db')
  copyFileSync(file, changed)
  try {
    const db = new DatabaseSync(changed)
    const { changes } = db.prepare(sql).run()
    db.close()
    if (Number(changes) === 0) return 'nothing was changed'
    const store = openSqliteStore(changed, { readOnly: true })
    try {
      verifyStore(store)
      return 'folds'
    } finally {
      store.close()
    }
  } catch (error) {
    return (error as { readonly code: string }).code
  } finally {
    rmSync(changed)
  }
}

const REFUSED = expect.stringMatching(/^ESP_STORE_(DIVERGED|ROW_CORRUPT)$/)

test('a store that nobody has changed folds', () => {
  const store = openSqliteStore(file, { readOnly: true })
  expect(verifyStore(store)).toBe(store.lastSeq)
  expect([...store.nodes('r2')].map(({ score }) => score)).toEqual(
    [...store.nodes('r1')].map(({ score }) => score),
  )
  store.close()
})

test('what is committed while a store is read makes no difference', () => {
  const changed = join(folder, 'changing.db')
  copyFileSync(file, changed)
  const owner = openSqliteStore(changed)
  const reader = openSqliteStore(changed, { readOnly: true })
  const { lastSeq } = reader
  const trace = reader.trace.bind(reader)
  vi.spyOn(reader, 'trace').mockImplementationOnce(function* () {
    yield* trace()
    const job = owner.job('small') as JobRecord
    const later = { ...job, submitted: job.submitted, attempt: job.attempt + 1 }
    owner.commit({ events: [], submitted: [], changed: [later], runs: [], nodes: [] })
  })
  expect(verifyStore(reader)).toBe(lastSeq)
  expect(() => verifyStore(reader)).toThrow(expect.objectContaining({ code: 'ESP_STORE_DIVERGED' }))
  reader.close()
  owner.close()
})

/** What stands in one place only, or is no state: of what was submitted, the values in rows, and what finds a row quickly. */
const ONLY_THERE: Readonly<Record<string, readonly string[]>> = {
  runs: ['key', 'owned_since', 'first_seq'],
  inputs: [],
  nodes: [],
  jobs: ['key', 'id', 'is_named', 'spec', 'value', 'cache_key', 'first_seq', 'last_seq'],
  outputs: ['size'],
}

function columns(): (readonly [name: string, table: string, column: string, type: string])[] {
  const db = new DatabaseSync(':memory:')
  for (const migration of MIGRATIONS) db.exec(migration)
  const found = Object.entries(ONLY_THERE).flatMap(([table, alone]) =>
    db
      .prepare('SELECT name, type FROM pragma_table_info(?)')
      .all(table)
      .filter(({ name }) => !alone.includes(String(name)))
      .map(({ name, type }) => [`${table}.${name}`, table, String(name), String(type)] as const),
  )
  db.close()
  return found
}

test.each(columns())('%s is not changed unnoticed', (_, table, column, type) => {
  const other = type === 'TEXT' ? `'"other"'` : `${column} + 100`
  const rows = `${column} = (SELECT max(${column}) FROM ${table})`
  expect(verifyChanged(`UPDATE ${table} SET ${column} = ${other} WHERE ${rows}`)).toEqual(REFUSED)
})

test.each([
  ['a job', 'DELETE FROM jobs WHERE key = (SELECT max(key) FROM jobs)'],
  ['a node', "DELETE FROM nodes WHERE run = 'r1' AND place = 3"],
  ['the nodes of a run', "DELETE FROM nodes WHERE run = 'r3'"],
  ['a run', "DELETE FROM runs WHERE id = 'r3'"],
  ['an input', 'DELETE FROM inputs WHERE run = (SELECT max(run) FROM inputs)'],
  ['an output', 'DELETE FROM outputs WHERE size = (SELECT max(size) FROM outputs)'],
  ['the first row of the journal', 'DELETE FROM journal WHERE first_seq = 1'],
  [
    'the last of the journal that a job has',
    `DELETE FROM journal WHERE first_seq = (SELECT max(first_seq) FROM journal WHERE events LIKE '%attempt.%')`,
  ],
])('%s is not deleted unnoticed', (_, sql) => {
  expect(verifyChanged(sql)).toEqual(REFUSED)
})

test.each([
  [
    'a job',
    "INSERT INTO jobs SELECT * FROM (SELECT 99999, 'new', 1) JOIN (SELECT run, spec, queued_at, state, attempt, lost, deadline_at, started_at, stopping, ended_at, value, output, error, reason, cancelled_by, caused_by, usage, NULL, first_seq, last_seq FROM jobs WHERE id = 'small')",
  ],
  [
    'a node',
    "INSERT INTO nodes SELECT run, 99, 'n99', parent, spec, score, jobs, revisions, is_pruned, decision FROM nodes WHERE run = 'r1' AND place = 3",
  ],
  [
    'a job of no run',
    "INSERT INTO jobs SELECT * FROM (SELECT 99999, 'new', 1, 'nobody') JOIN (SELECT spec, queued_at, state, attempt, lost, deadline_at, started_at, stopping, ended_at, value, output, error, reason, cancelled_by, caused_by, usage, NULL, first_seq, last_seq FROM jobs WHERE id = 'small')",
  ],
  [
    'a node of no run',
    "INSERT INTO nodes SELECT 'nobody', place, id, parent, spec, score, jobs, revisions, is_pruned, decision FROM nodes WHERE run = 'r1' AND place = 3",
  ],
  ['an input of no run', "INSERT INTO inputs VALUES ('nobody', '1')"],
  ['an output of no job', "INSERT INTO outputs VALUES ('0123', 2, '{}')"],
])('%s is not added unnoticed', (_, sql) => {
  expect(verifyChanged(sql)).toEqual(REFUSED)
})

test('a result that was lost, or is another one, is never read as one', async () => {
  const changed = join(folder, 'lost.db')
  copyFileSync(file, changed)
  const db = new DatabaseSync(changed)
  const rows = db.prepare("SELECT id, output FROM jobs WHERE id IN ('large', 'r1.n4')").all()
  const [lost, other] = rows.map(({ output }) => output) as [string, string]
  db.prepare('DELETE FROM outputs WHERE hash = ?').run(lost)
  db.prepare('UPDATE outputs SET value = ? WHERE hash = ?').run('"another"', other)
  db.close()
  const pool = new JobPool({ store: changed, handlers: { say: (value: unknown) => value } })
  for (const { id } of rows) {
    const result = await pool.job(String(id))?.result()
    expect(() => result?.value, String(id)).toThrow(
      expect.objectContaining({ code: 'ESP_STORE_ROW_CORRUPT' }),
    )
  }
  await pool.shutdown()
})
