import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { JobPool, Orchestrator, openSqliteStore } from 'espalier'
import { SLOTS, twoHalves } from './half-run.ts'
import { startRedis } from './redis.ts'
import { atLeast, atMost, breathe, type Done, type Measures, perSecond, type Row, turnsOf } from './suite.ts'

const JOBS = 100_000
/** BullMQ and plainjob take longer; a rate is a rate. */
const PEER_JOBS = 10_000
const COMMITS = 1_000

const noop = async () => {}
const handlers = { noop }

/** How often what is compared with others is measured, each time in a process of its own: a disk has paces of its own. */
const TURNS = 3

/** Jobs a second; of a resume, milliseconds. */
export const measures = {
  memory: () => perSecond(JOBS, (done) => settleAll({}, JOBS, done)),
  sqlite: () => inFile((file) => perSecond(JOBS, (done) => settleAll({ store: file }, JOBS, done))),
  plainjob: () => inFile((file) => perSecond(PEER_JOBS, (done) => plainjobs(file, done))),
  bullmq: () => perSecond(PEER_JOBS, bullJobs),
  bareCommits: () => inFile(bareCommitsPerSecond),
  acceptedOneByOne: () => inFile(oneByOnePerSecond),
  submitToEmpty: () => inFile(acceptedPerSecond),
  submitToMillion: () => acceptedPerSecond(millionFile()),
  resume50k: () => inFile((file) => resumeMs(file, 50_000)),
  resume100k: () => inFile((file) => resumeMs(file, 100_000)),
} satisfies Measures

/** Durable work, beside memory, the bare disk and other durable queues. */
export async function store(progress: (what: string) => void): Promise<Row[]> {
  const inTurns = turnsOf('store', measures, progress, TURNS)
  const { memory, sqlite, plainjob, bullmq } = await inTurns('memory', 'sqlite', 'plainjob', 'bullmq')
  const { bareCommits: bare, acceptedOneByOne } = await inTurns('bareCommits', 'acceptedOneByOne')
  const { submitToEmpty, submitToMillion } = await inTurns('submitToEmpty', 'submitToMillion')
  const { resume50k, resume100k } = await turnsOf('store', measures, progress, 1)('resume50k', 'resume100k')
  return [
    atLeast('durable', 'durable no-op jobs, submit to settle, beside in memory', sqlite, memory, 0.12),
    atLeast('plainjob', 'the same beside plainjob (synchronous=NORMAL)', sqlite, plainjob, 3),
    atLeast('bullmq', 'the same beside BullMQ, Redis with appendfsync always', sqlite, bullmq, 10),
    atLeast('accepted', 'accepted one by one, beside a bare loop of commits', acceptedOneByOne, bare, 0.8),
    atMost('resume', 'resume 100k settled and 100k queued, beside 2 s', resume100k, 2_000, 1, 'ms'),
    atMost('resume-linear', 'the same, beside 50k and 50k', resume100k, resume50k, 2.2, 'ms'),
    atLeast('million', 'submit to 1M ended jobs, beside none', submitToMillion, submitToEmpty, 0.8),
  ]
}

async function inFile(measure: (file: string) => Promise<number>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-bench-'))
  try {
    return await measure(join(folder, 'bench.db'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function settleAll(options: { readonly store?: string }, jobs: number, done: Done): Promise<void> {
  const pool = new JobPool({ ...options, handlers, maxParallelJobs: SLOTS })
  const results: Promise<unknown>[] = new Array(jobs)
  for (let index = 0; index < jobs; index++) results[index] = pool.submitJob({ execute: 'noop' }).result()
  await Promise.all(results)
  done()
  await pool.shutdown()
}

/** Many at a time, by its batch call: with one `add` a job it is slower. */
async function plainjobs(file: string, done: Done): Promise<void> {
  const { default: Database } = await import('better-sqlite3')
  const { better, defineQueue, defineWorker } = await import('plainjob')
  const silent = { error: noop, warn: noop, info: noop, debug: noop }
  const queue = defineQueue({ connection: better(new Database(file) as never), logger: silent as never })
  await new Promise<void>((resolve) => {
    let ended = 0
    const onCompleted = () => {
      ended++
      if (ended < PEER_JOBS) return
      done()
      void worker.stop().then(resolve)
    }
    const worker = defineWorker('noop', noop, { queue, onCompleted, logger: silent as never })
    queue.addMany(
      'noop',
      Array.from({ length: PEER_JOBS }, () => ({})),
    )
    void worker.start()
  })
  queue.close()
}

async function bullJobs(done: Done): Promise<void> {
  const redis = await startRedis()
  const { Queue, Worker } = await import('bullmq')
  const connection = { host: '127.0.0.1', port: redis.port, maxRetriesPerRequest: null }
  const queue = new Queue('bench', { connection })
  await queue.addBulk(Array.from({ length: PEER_JOBS }, () => ({ name: 'noop', data: {} })))
  await new Promise<void>((resolve) => {
    let ended = 0
    const worker = new Worker('bench', noop, { connection, concurrency: SLOTS })
    worker.on('completed', () => {
      ended++
      if (ended < PEER_JOBS) return
      done()
      void worker.close().then(resolve)
    })
  })
  await queue.close()
  redis.stop()
}

async function bareCommitsPerSecond(file: string): Promise<number> {
  const db = new DatabaseSync(file)
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (key INTEGER PRIMARY KEY, text)',
  )
  const insert = db.prepare('INSERT INTO rows (text) VALUES (?)')
  const rate = await perSecond(COMMITS, async () => {
    for (let index = 0; index < COMMITS; index++)
      insert.run('one row of about fifty bytes, as a small job has it')
  })
  db.close()
  return rate
}

async function oneByOnePerSecond(file: string): Promise<number> {
  const pool = new JobPool({ store: file, handlers, maxParallelJobs: SLOTS })
  const rate = await perSecond(COMMITS, async () => {
    for (let index = 0; index < COMMITS; index++) await pool.submitJob({ execute: 'noop' }).accepted
  })
  await pool.shutdown()
  return rate
}

/** Half of the jobs has ended, half is queued: until the first of these starts. */
async function resumeMs(file: string, half: number): Promise<number> {
  copyStore(halfRun(half), file)
  await breathe()
  const startedAt = performance.now()
  const pool = new JobPool({ store: file, maxParallelJobs: SLOTS })
  const resumed = new Orchestrator(twoHalves(half), { pool, runId: 'halves' })
  const first = new Promise<void>((resolve) => {
    pool.on('job.started', () => resolve())
  })
  // It rejects when the pool leaves it to the next one.
  void resumed.run().catch(() => {})
  await first
  const ms = performance.now() - startedAt
  await pool.shutdown({ wait: false })
  return ms
}

/** The store of a run whose process was killed half way: made once, and copied for each round. */
function halfRun(half: number): string {
  return kept(`half-run-${half}`, (file) => {
    const script = fileURLToPath(new URL('./half-run.ts', import.meta.url))
    const { signal } = spawnSync(process.execPath, [...process.execArgv, script, file, String(half)])
    if (signal !== 'SIGKILL') throw new Error(`Expected the run to be killed, but got ${signal}.`)
  })
}

function copyStore(from: string, to: string): void {
  copyFileSync(from, to)
  copyFileSync(`${from}-wal`, `${to}-wal`)
}

async function acceptedPerSecond(file: string): Promise<number> {
  const pool = new JobPool({ store: file, handlers, maxParallelJobs: SLOTS })
  pool.pause()
  const rate = await perSecond(JOBS, async (done) => {
    let last = pool.submitJob({ execute: 'noop' })
    for (let index = 1; index < JOBS; index++) last = pool.submitJob({ execute: 'noop' })
    await last.accepted
    done()
  })
  // Left in the store, they would be taken up by the pool of the next round.
  await pool.shutdown({ wait: false, leave: false })
  return rate
}

/** A store of 1M ended jobs: filled once, and used by all rounds. */
function millionFile(): string {
  return kept('million', (file) => {
    openSqliteStore(file).close()
    fill(file, 1_000_000)
  })
}

const keptFiles = new Map<string, string>()

/** A file that is made once for all rounds, since making it takes longer than they do. */
function kept(name: string, make: (file: string) => void): string {
  const known = keptFiles.get(name)
  if (known !== undefined) return known
  const folder = mkdtempSync(join(tmpdir(), 'espalier-bench-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  const file = join(folder, `${name}.db`)
  keptFiles.set(name, file)
  make(file)
  return file
}

/** Writes ended jobs and their events, as the store has them. */
function fill(file: string, jobs: number): void {
  const db = new DatabaseSync(file)
  db.function('own_id', (key) => `filled${Number(key).toString(36)}`)
  db.exec(`
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${jobs})
    INSERT INTO jobs (key, id, is_named, spec, queued_at, state, attempt, lost, started_at, ended_at, first_seq, last_seq)
    SELECT i, own_id(i), 0, '{"type":"job.submitted","execute":{"handler":"noop"}}', 1, 'completed', 1, 0, 2, 3,
      4 * i - 3, 4 * i FROM n;
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${4 * jobs - 1})
    INSERT INTO journal SELECT min(i) + 1, 1, count(*), max(i) + 2, NULL, json_group_array(json_array(0, i / 4 + 1, 'slot.granted'))
      FROM n GROUP BY i / 256;
  `)
  db.close()
}
