import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  defineWorkflow,
  grow,
  type HandlerContext,
  JobPool,
  node,
  Orchestrator,
  openSqliteStore,
  runWorkflow,
} from 'espalier'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder: string
let file: string
let ran: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-damaged-'))
  file = join(folder, 'runs.db')
  ran = []
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A root that completes; below it one that fails, one that waits, and one that is queued behind that. */
const workflow = defineWorkflow({
  name: 'w',
  limits: { maxDepth: 3 },
  handlers: {
    say: (_: unknown, { jobId }: HandlerContext) => {
      ran.push(jobId)
      return { said: 'yes' }
    },
    fail: () => {
      throw new Error('no')
    },
    idle: (_: unknown, { jobId, signal }: HandlerContext) => {
      ran.push(jobId)
      return new Promise((_, reject) => signal.addEventListener('abort', reject))
    },
  },
  root: () => node({ handler: 'say' }),
  expand: ({ node: { id } }) =>
    id === 'n0' ? grow(['fail', 'idle', 'say'].map((handler) => node({ handler }))) : undefined,
})

/** Runs until the third job waits, and leaves the store as a process that goes does. */
async function leaveRun(): Promise<void> {
  const pool = new JobPool({ store: file, maxParallelJobs: 1 })
  const waiting = new Promise((resolve) =>
    pool.on('job.started', ({ jobId }) => jobId === 'r.n2' && resolve(undefined)),
  )
  const run = new Orchestrator(workflow, { pool, runId: 'r', input: { a: 1 } }).run()
  await waiting
  const left = expect(run).rejects.toMatchObject({ code: 'ESP_POOL_CLOSED' })
  await pool.shutdown({ wait: false })
  await left
  ran = []
}

function damage(statement: string): void {
  const db = new DatabaseSync(file)
  expect(db.prepare(statement).run().changes).toBe(1)
  db.close()
}

test.each([
  ['the spec of an open node', `UPDATE nodes SET spec = '{bad' WHERE id = 'n2'`, 'spec', 'node', 'n2'],
  ['the spec of an ended node', `UPDATE nodes SET spec = '{bad' WHERE id = 'n0'`, 'spec', 'node', 'n0'],
  ['the kind of a spec', `UPDATE nodes SET spec = 'null' WHERE id = 'n0'`, 'spec', 'node', 'n0'],
  ['a decision', `UPDATE nodes SET decision = '{bad' WHERE id = 'n0'`, 'decision', 'node', 'n0'],
  ['the input', `UPDATE inputs SET value = '{bad'`, 'input', 'run', 'r'],
  ['the snapshot of the run', `UPDATE runs SET snapshot = '{bad'`, 'snapshot', 'run', 'r'],
  ['the spec of an open job', `UPDATE jobs SET spec = '{bad' WHERE id = 'r.n3'`, 'spec', 'job', 'r.n3'],
])(
  'a run is not taken up when %s is damaged, and none of its jobs starts',
  async (_, statement, field, row, id) => {
    await leaveRun()
    damage(statement)
    const message = `The \`${field}\` of the ${row} "${id}" is damaged in its store`
    const refusal = { code: 'ESP_STORE_ROW_CORRUPT', message: expect.stringContaining(message) }
    await expect(runWorkflow(workflow, { store: file, runId: 'r' })).rejects.toMatchObject(refusal)
    expect(ran).toEqual([])
  },
)

test('a damaged value or error of an ended job is told when it is read, a damaged journal when it is folded', async () => {
  await leaveRun()
  damage(`UPDATE jobs SET value = '{bad' WHERE id = 'r.n0'`)
  damage(`UPDATE jobs SET error = '{bad' WHERE id = 'r.n1'`)
  const pool = new JobPool({ store: file })
  const saying = (field: string, id: string) =>
    expect.objectContaining({
      message: expect.stringContaining(`The \`${field}\` of the job "${id}" is damaged`),
    })
  const completed = await pool.job('r.n0')?.result()
  expect(completed?.status).toBe('completed')
  expect(() => completed?.value).toThrow(saying('value', 'r.n0'))
  expect(() => pool.job('r.n1')?.status).toThrow(saying('error', 'r.n1'))
  await pool.shutdown()
  damage(`UPDATE journal SET events = '{bad' WHERE first_seq = (SELECT min(first_seq) FROM journal)`)
  const store = openSqliteStore(file, { readOnly: true })
  expect(() => [...store.trace()]).toThrow('The `events` of the journal row "1" is damaged')
  store.close()
  damage(`UPDATE journal SET events = '{}' WHERE first_seq = (SELECT min(first_seq) FROM journal)`)
  const again = openSqliteStore(file, { readOnly: true })
  expect(() => [...again.trace()]).toThrow('The `events` of the journal row "1" is damaged')
  again.close()
})
