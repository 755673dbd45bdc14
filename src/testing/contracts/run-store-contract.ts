import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import process from 'node:process'
import type { TraceEvent } from '../../domain/trace.ts'
import type {
  JobRecord,
  NodeRecord,
  RunRecord,
  RunStore,
  StoreBatch,
  StoreEvent,
} from '../../ports/run-store.ts'
import { endedJob, jobRecord, nodeRecord, runRecord } from './store-records.ts'

/** What the suite is run with. */
export interface RunStoreContract {
  /** Opens an empty store of its own for each test. */
  readonly open: () => RunStore
  /** Opens again what a store that was closed held; absent for stores that end with their process. */
  readonly reopen?: (store: RunStore) => RunStore
  /** A test runner's `test`. */
  readonly test: (name: string, body: () => void) => void
}

const policy = {
  timeoutMs: 1_000,
  killGraceMs: 100,
  maxRetries: 0,
  maxLost: 3,
  backoff: { type: 'fixed', delayMs: 0 },
} as const

/** Every promise of the {@link RunStore} port, as tests. */
export function testRunStore({ open, reopen, test }: RunStoreContract): void {
  const stored = (batch: Partial<StoreBatch>, ...more: Partial<StoreBatch>[]): RunStore => {
    const store = open()
    for (const each of [batch, ...more]) store.commit(batchOf(each))
    return reopen === undefined ? store : reopen(store)
  }

  test('an empty store has nothing', () => {
    const store = open()
    assert.deepEqual([store.lastSeq, store.lastKey, store.runs()], [0, 0, []])
    assert.equal(store.run('r'), undefined)
    assert.equal(store.job('a'), undefined)
    assert.deepEqual([...store.trace()], [])
    store.close()
  })

  test('its owner is this process', () => {
    const store = open()
    const { pid, host, since } = store.owner() ?? {}
    assert.deepEqual([pid, host, typeof since], [process.pid, hostname(), 'number'])
    store.close()
  })

  test('a job comes back as it was committed', () => {
    const job = jobRecord(1, { state: 'queued.delayed', deadlineAt: 7.25, cacheKey: 'load@1:abc' })
    const store = stored({ submitted: [job] })
    assert.deepEqual(plain(store.job('j1')), job)
    assert.deepEqual(Array.from(store.jobs(undefined), plain), [job])
    assert.equal(store.lastKey, 1)
    store.close()
  })

  test('the latest of several changes stays', () => {
    const first = jobRecord(1)
    const second = {
      ...first,
      state: 'running.stopping',
      attempt: 2,
      lost: 1,
      stopping: '{"by":"user"}',
    } as const
    const last = endedJob({ ...second, startedAt: 8 }, 'completed', {
      value: '{"a":[1,null]}',
      usage: '{"cpuMs":3}',
    })
    const store = stored({ submitted: [first] }, { changed: [second] }, { changed: [last] })
    assert.deepEqual(plain(store.job('j1')), last)
    store.close()
  })

  test('jobs that ended in the tick that submitted them have their ends, whichever they are', () => {
    const jobs = Array.from({ length: 100 }, (_, index) => {
      const job = jobRecord(index + 1)
      if (index % 3 === 0) return job
      if (index % 3 === 1) return { ...job, state: 'running.stopping', stopping: '{"by":"user"}' } as const
      return endedJob(job, 'completed', { value: String(index) })
    })
    const store = stored({ submitted: jobs })
    assert.deepEqual(Array.from(store.jobs(undefined), plain), jobs)
    store.close()
  })

  test('open jobs are told from ended ones, and those of a run from others', () => {
    const jobs = [
      jobRecord(1),
      endedJob(jobRecord(2), 'failed', { error: '{"name":"Error","message":"no"}', reason: 'error' }),
      jobRecord(3, { runId: 'r' }),
      endedJob(jobRecord(4, { runId: 'r' }), 'cancelled', { cancelledBy: 'dependency', causedBy: 'j2' }),
    ]
    const store = stored({ submitted: jobs, runs: [runRecord('r')] })
    assert.deepEqual(Array.from(store.jobs(undefined), plain), [jobs[0], jobs[1]])
    assert.deepEqual(Array.from(store.jobs(undefined, { isOpen: true }), plain), [jobs[0]])
    assert.deepEqual(Array.from(store.jobs('r'), plain), [jobs[2], jobs[3]])
    assert.deepEqual(Array.from(store.jobs('r', { isOpen: true }), plain), [jobs[2]])
    store.close()
  })

  test('a value of any size comes back, and none is not null', () => {
    const large = JSON.stringify('ü'.repeat(1_000_000))
    const jobs = [large, large, 'null', undefined].map((value, index) =>
      endedJob(jobRecord(index + 1), 'completed', { value }),
    )
    const store = stored({ submitted: jobs })
    assert.deepEqual(
      [...store.jobs(undefined)].map(({ end }) => end?.value),
      [large, large, 'null', undefined],
    )
    store.close()
  })

  test('a job is found by its id, whether that tells its key, looks as if it did, or not', () => {
    const ids = ['pool1', 'pool2z', 'pool3', 'chosen', 'pool4', '6', 'x-06', 'pool8']
    const submitted = ids.map((id, index) => ({ ...jobRecord(index + 1), id }))
    const ended = submitted.map((job) => endedJob(job, 'completed', { value: String(job.key) }))
    const events = ids.map((id, index) => ({
      ...({ seq: index + 1, at: 1, actor: 'job', id, key: index + 1 } as const),
      event: submitted[index]?.submitted as TraceEvent,
    }))
    const store = stored({ submitted, events }, { changed: ended })
    for (const job of ended) {
      assert.deepEqual(plain(store.job(job.id)), job)
      assert.deepEqual(
        [...store.trace({ jobId: job.id })].map(({ seq }) => seq),
        [job.key],
      )
    }
    for (const id of ['', '1', 'pool', 'pool2', 'pool5', 'pool01', 'pool9'])
      assert.equal(store.job(id), undefined, id)
    store.close()
  })

  test('runs and nodes are replaced whole, runs told newest first, nodes in the order of growth', () => {
    const [old, next] = [runRecord('r1'), runRecord('r2')]
    const ended: RunRecord = {
      ...old,
      status: 'failed',
      reason: 'failed',
      endedAt: 99.5,
      decisions: 7,
      error: '{"name":"Error","message":"no"}',
    }
    const nodes = [nodeRecord(0), nodeRecord(1), nodeRecord(2)] as const
    const changed: NodeRecord = {
      ...nodes[1],
      score: 0.5,
      jobs: 2,
      revisions: 1,
      isPruned: true,
      decision: '{}',
    }
    const store = stored({ runs: [old, next], nodes }, { runs: [ended], nodes: [changed] })
    assert.deepEqual(store.runs(), [next, ended])
    assert.deepEqual(store.run('r1'), ended)
    assert.deepEqual([...store.nodes('r1')], [nodes[0], changed, nodes[2]])
    assert.deepEqual([...store.nodes('r2')], [])
    store.close()
  })

  test('the journal comes back in order, as it was written', () => {
    const job = jobRecord(1, {
      submitted: { type: 'job.submitted', execute: { handler: 'load' }, args: [1] },
    })
    const error = { name: 'Error', message: 'no' }
    const events = journal(
      ['pool', 'p', { type: 'pool.created', maxParallelJobs: 3, policy }],
      [1, 'j1', job.submitted],
      [1, 'j1', { type: 'dependencies.met' }],
      [1, 'j1', { type: 'slot.granted' }],
      [1, 'j1', { type: 'attempt.failed', attempt: 1, error, reason: 'error', random: 0.25 }],
      [1, 'j1', { type: 'slot.granted' }],
      [1, 'j1', { type: 'attempt.completed', attempt: 2, value: { rows: 3 } }],
    )
    const done = endedJob({ ...job, attempt: 2 }, 'completed', { value: '{"rows":3}' })
    const store = stored(
      { events: events.slice(0, 3), submitted: [job] },
      { events: events.slice(3), changed: [done] },
    )
    assert.deepEqual([...store.trace()], events.map(withoutKey))
    assert.equal(store.lastSeq, 7)
    store.close()
  })

  test('the journal of a run has its pool, its own events and those of its jobs', () => {
    const events = journal(
      ['pool', 'p', { type: 'pool.created', maxParallelJobs: 3, policy }],
      ['run', 'r', { type: 'run.created', workflow: 'w', limits: {} }],
      [1, 'j1', { type: 'job.submitted', execute: { handler: 'load' } }],
      [2, 'j2', { type: 'job.submitted', execute: { handler: 'load' } }],
      [1, 'j1', { type: 'dependencies.met' }],
    )
    const submitted = [jobRecord(1, { runId: 'r' }), jobRecord(2)]
    const store = stored({ events, submitted, runs: [runRecord('r')] })
    assert.deepEqual(
      [...store.trace({ runId: 'r' })].map(({ seq }) => seq),
      [1, 2, 3, 5],
    )
    assert.deepEqual(
      [...store.trace({ jobId: 'j1' })].map(({ seq }) => seq),
      [3, 5],
    )
    store.close()
  })

  test('jobs come back in the order of submission, each once, however many they are', () => {
    const submitted = Array.from({ length: 4_000 }, (_, index) =>
      jobRecord(index + 1, { runId: index % 2 === 0 ? 'r' : undefined }),
    )
    const store = stored({ submitted })
    const keysOf = (runId: string | undefined) => [...store.jobs(runId)].map(({ key }) => key)
    assert.deepEqual(
      keysOf('r'),
      submitted.flatMap(({ key, runId }) => (runId === 'r' ? [key] : [])),
    )
    assert.equal(new Set(keysOf(undefined)).size, 2_000)
    store.close()
  })

  test('a value is found again by its content key', () => {
    const key = 'load@1:abc'
    const jobs = [
      endedJob(jobRecord(1, { cacheKey: key }), 'completed', { value: '1' }),
      endedJob(jobRecord(2, { cacheKey: key }), 'completed', { value: '2' }),
      endedJob(jobRecord(3, { cacheKey: key }), 'failed', { reason: 'error' }),
      jobRecord(4, { cacheKey: key }),
    ]
    const store = stored({ submitted: jobs })
    assert.deepEqual(store.cached(key), { jobId: 'j2', value: '2' })
    assert.equal(store.cached('load@2:abc'), undefined)
    store.close()
  })

  test('pruning keeps the newest of each outcome, what is open, and what open jobs depend on', () => {
    const needs = { submitted: { ...jobRecord(9).submitted, dependencies: ['j1'] } }
    const jobs = [
      endedJob(jobRecord(1), 'completed', {}, 10),
      endedJob(jobRecord(2), 'completed', {}, 20),
      endedJob(jobRecord(3), 'completed', {}, 30),
      endedJob(jobRecord(4), 'failed', {}, 10),
      jobRecord(5, needs),
      endedJob(jobRecord(6, { runId: 'old' }), 'completed', {}, 10),
      endedJob(jobRecord(7, { runId: 'new' }), 'completed', {}, 10),
    ]
    const ended = { status: 'completed', reason: 'exhausted' } as const
    const runs = [
      { ...runRecord('old'), ...ended, endedAt: 10 },
      { ...runRecord('new'), ...ended, endedAt: 20 },
      runRecord('open'),
    ]
    const events = journal(
      [2, 'j2', { type: 'job.submitted', execute: { handler: 'load' } }],
      ['run', 'old', { type: 'run.created', workflow: 'w', limits: {} }],
      [6, 'j6', { type: 'job.submitted', execute: { handler: 'load' } }],
      [7, 'j7', { type: 'job.submitted', execute: { handler: 'load' } }],
    )
    const store = stored({ events, submitted: jobs, runs, nodes: [{ ...nodeRecord(0), runId: 'old' }] })
    const one = { count: 1 }
    const report = store.prune({ now: 40, keep: { completed: one, failed: one, cancelled: one } })
    assert.deepEqual(report, { runs: 1, jobs: 1 })
    const left = ['j1', 'j2', 'j3', 'j4', 'j5', 'j6', 'j7'].filter((id) => store.job(id) !== undefined)
    assert.deepEqual(left, ['j1', 'j3', 'j4', 'j5', 'j7'])
    assert.deepEqual(
      store.runs().map(({ id }) => id),
      ['open', 'new'],
    )
    assert.deepEqual([...store.nodes('old')], [])
    assert.deepEqual(
      [...store.trace()].map(({ seq }) => seq),
      [4],
    )
    store.close()
  })

  test('pruning by age keeps what is young', () => {
    const jobs = [10, 20, 30].map((at, index) => endedJob(jobRecord(index + 1), 'completed', {}, at))
    const store = stored({ submitted: jobs })
    store.prune({ now: 40, keep: { completed: { ageMs: 15 } } })
    assert.deepEqual(
      [...store.jobs(undefined)].map(({ id }) => id),
      ['j3'],
    )
    store.close()
  })

  test('all of it belongs to what it has, also after pruning', () => {
    const run = { ...runRecord('r'), input: '1' }
    const store = stored({ submitted: [jobRecord(1)] })
    assert.deepEqual([...store.strays()], [])
    store.commit(batchOf({ submitted: [jobRecord(2, { runId: 'r' })], runs: [run] }))
    assert.deepEqual([...store.strays()], [])
    store.commit(batchOf({ runs: [{ ...run, status: 'completed', endedAt: 1 }] }))
    assert.equal(store.prune({ now: 2, keep: { completed: { count: 0 } } }).runs, 1)
    assert.deepEqual([...store.strays()], [])
    store.close()
  })

  test('several looks see one state', () => {
    const store = stored({ submitted: [jobRecord(1)] })
    const [before, after] = store.snapshot(() => [store.job('j1'), store.snapshot(() => store.job('j1'))])
    assert.deepEqual(after, before)
    store.close()
  })

  test('its size is told', () => {
    const events = journal([1, 'j1', { type: 'job.submitted', execute: { handler: 'load' } }])
    const store = stored({ events, submitted: [jobRecord(1)], runs: [runRecord('r')] })
    const { runs, jobs, events: written } = store.size()
    assert.deepEqual({ runs, jobs, written }, { runs: 1, jobs: 1, written: 1 })
    store.close()
  })

  if (reopen === undefined) return

  test('numbers go on after it was opened again', () => {
    const events = journal([1, 'j1', { type: 'job.submitted', execute: { handler: 'load' } }])
    const store = stored({ events, submitted: [jobRecord(1)] })
    assert.deepEqual([store.lastSeq, store.lastKey], [1, 1])
    store.commit(batchOf({ submitted: [jobRecord(2)] }))
    assert.equal(store.lastKey, 2)
    store.close()
  })
}

function batchOf(batch: Partial<StoreBatch>): StoreBatch {
  return { events: [], submitted: [], changed: [], runs: [], nodes: [], ...batch }
}

/** Numbers events of jobs, which are named by their keys, and of others. */
function journal(
  ...steps: readonly (readonly [of: number | 'pool' | 'run', id: string, event: TraceEvent])[]
): StoreEvent[] {
  return steps.map(([of, id, event], index) => {
    const isJob = typeof of === 'number'
    return {
      seq: index + 1,
      at: index + 0.5,
      actor: isJob ? 'job' : of,
      id,
      key: isJob ? of : undefined,
      event,
    }
  })
}

/** A store may read what was submitted when somebody asks for it. */
const plain = (job: JobRecord | undefined) => job && { ...job, submitted: job.submitted }

function withoutKey({ key, ...entry }: StoreEvent) {
  return entry
}
