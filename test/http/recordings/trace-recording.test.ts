import { expect, test } from 'vitest'
import type { TraceEntry, TraceEvent } from '../../../src/domain/trace.ts'
import { recordTrace } from '../../../src/http/index.ts'
import { decodeBlock, decodeRecording, EVENTS, JOB_STATES, RunModel } from '../../../src/protocol/index.ts'

const POLICY = {
  timeoutMs: 1_000,
  killGraceMs: 100,
  maxRetries: 1,
  maxLost: 3,
  backoff: { type: 'fixed', delayMs: 0 },
} as const

/** Entries, one ms apart. */
function trace(
  ...events: readonly [actor: TraceEntry['actor'], id: string, event: TraceEvent][]
): TraceEntry[] {
  return events.map(([actor, id, event], index) => ({ seq: index + 1, at: 1_000 + index, actor, id, event }))
}

const job = (type: string, more: object = {}): TraceEvent => ({ type, ...more })

function fold(entries: readonly TraceEntry[]): RunModel {
  const model = new RunModel()
  const { blocks } = decodeRecording(recordTrace(entries, 'a trace'))
  for (const block of blocks) model.apply(decodeBlock(block))
  return model
}

test('a trace becomes a recording: states, attempts in lanes that do not overlap, errors and causes', () => {
  const cause = { name: 'TypeError', message: 'a cut cable', cause: { thrown: 'a shovel' } }
  const error = { name: 'Error', message: 'no luck', cause }
  const model = fold(
    trace(
      ['pool', 'pool', { type: 'pool.created', maxParallelJobs: 2, policy: POLICY }],
      ['job', 'a', { type: 'job.submitted', execute: { closure: 'load' }, priority: 'high' }],
      ['job', 'b', { type: 'job.submitted', execute: { handler: 'score' } }],
      ['job', 'c', { type: 'job.submitted', execute: { closure: '' }, dependencies: ['a'] }],
      ['job', 'a', job('dependencies.met')],
      ['job', 'b', job('dependencies.met')],
      ['job', 'a', job('slot.granted')],
      ['job', 'b', job('slot.granted')],
      ['pool', 'pool', { type: 'pool.pause' }],
      ['job', 'a', job('attempt.failed', { attempt: 1, error, reason: 'error', random: 0.5 })],
      ['job', 'b', job('attempt.completed', { attempt: 1, value: 1 })],
      ['job', 'a', job('slot.granted')],
      ['job', 'a', job('attempt.failed', { attempt: 2, error, reason: 'error', random: 0.5 })],
      ['job', 'c', job('job.cancel', { by: 'dependency', reason: 'dependency', causedBy: 'a' })],
    ),
  )
  const stateOf = (row: number) => JOB_STATES[model.jobs.state.get(row)]
  expect([0, 1, 2].map(stateOf)).toEqual(['failed', 'completed', 'cancelled'])
  expect([0, 1, 2].map((row) => model.jobId(row, ''))).toEqual(['a', 'b', 'c'])
  expect([0, 1, 2].map((row) => model.text(model.tables.jobs.kind.get(row)))).toEqual([
    'load',
    'score',
    '(anonymous)',
  ])
  const attempts = Array.from({ length: 3 }, (_, row) => [
    model.attempts.job.get(row),
    model.attempts.slot.get(row),
  ])
  expect(attempts).toEqual([
    [0, 0],
    [1, 1],
    [0, 0],
  ])
  expect(model.text(model.tables.errors.message.get(0))).toBe('no luck')
  expect(model.text(model.tables.errors.causes.get(0))).toBe('TypeError: a cut cable\na shovel')
  expect(model.tables.cancels.causedBy.get(0)).toBe(1)
  expect(model.poolState).toBe(1)
})

test('a node is added with its first job, and revised by the next', () => {
  const spec = { handler: 'work', label: 'the root' }
  const submitted = {
    type: 'job.submitted',
    execute: { handler: 'work' },
    nodeId: 'n0',
    treeId: 'run',
  } as const
  const model = fold(
    trace(
      ['pool', 'pool', { type: 'pool.created', maxParallelJobs: 2, policy: POLICY }],
      ['run', 'run', { type: 'run.created', workflow: 'small', limits: {} }],
      ['run', 'run', { type: 'node.grown', nodeId: 'n0', spec }],
      ['job', 'run.n0', submitted],
      ['run', 'run', { type: 'node.revised', nodeId: 'n0', spec }],
      ['job', 'run.n0.1', submitted],
    ),
  )
  expect(model.text(model.tables.nodes.label.get(0))).toBe('the root')
  expect([model.nodes.job.get(0), model.nodes.revisions.get(0)]).toEqual([2, 1])
})

test('a job that fails since its attempt ignores its timeout has that for an error', () => {
  const steps = trace(
    ['pool', 'pool', { type: 'pool.created', maxParallelJobs: 2, policy: { ...POLICY, maxRetries: 0 } }],
    ['job', 'a', { type: 'job.submitted', execute: { closure: 'deaf' } }],
    ['job', 'a', job('dependencies.met')],
    ['job', 'a', job('slot.granted')],
    ['job', 'a', job('deadline.reached')],
    ['job', 'a', job('deadline.reached')],
  )
  const late = steps.map((entry, index) => ({ ...entry, at: entry.at + Math.max(0, index - 3) * 2_000 }))
  const model = fold(late)
  const { jobs, attempts, tables } = model
  expect(JOB_STATES[jobs.state.get(0)]).toBe('failed')
  expect(model.text(tables.errors.code.get(jobs.error.get(0) - 1))).toBe('ESP_ATTEMPT_TIMEOUT')
  expect(attempts.error.get(0)).toBe(jobs.error.get(0))
})

test('a trace of nothing is a recording of nothing', () => {
  expect(fold([]).jobCounts.reduce((sum, count) => sum + count)).toBe(0)
})

test('a pool in which nothing of a run happens is not in the recording of that run', () => {
  const pool = (id: string, type: string): [actor: 'pool', id: string, event: TraceEvent] => [
    'pool',
    id,
    { type, maxParallelJobs: 2, policy: POLICY, wait: false },
  ]
  const entries = trace(
    pool('before', 'pool.created'),
    pool('before', 'pool.shutdown'),
    pool('first', 'pool.created'),
    ['job', 'a', { type: 'job.submitted', execute: { closure: 'load' } }],
    pool('first', 'pool.shutdown'),
    pool('between', 'pool.created'),
    pool('between', 'pool.shutdown'),
    pool('again', 'pool.created'),
    pool('again', 'pool.pause'),
    ['job', 'a', job('dependencies.met')],
    pool('again', 'pool.shutdown'),
    pool('after', 'pool.created'),
    pool('after', 'pool.shutdown'),
  )
  const { events } = fold(entries).tables
  const told = Array.from({ length: events.at.length }, (_, row) => [
    EVENTS[events.code.get(row)]?.name,
    events.at.get(row) / 1000,
  ])
  expect(told).toEqual([
    ['job.submitted', 1],
    ['pool.draining', 2],
    ['pool.paused', 6],
    ['dependencies.met', 7],
    ['pool.draining', 8],
  ])
  expect(fold(entries.filter(({ actor }) => actor === 'pool')).tables.events.at.length).toBeGreaterThan(0)
})
