import { describe, expect, test } from 'vitest'
import type { TraceEntry, TraceEvent } from '../../src/domain/trace.ts'
import { foldTrace, TraceFold } from '../../src/runtime/record/trace-fold.ts'

const policy = {
  timeoutMs: 1_000,
  killGraceMs: 100,
  maxRetries: 1,
  maxLost: 3,
  backoff: { type: 'fixed', delayMs: 50 },
} as const

type Step = readonly [actor: TraceEntry['actor'], id: string, at: number, event: TraceEvent]

const traceOf = (...steps: readonly Step[]): TraceEntry[] =>
  steps.map(([actor, id, at, event], index) => ({ seq: index + 1, actor, id, at, event }))

const pool: Step = ['pool', 'p', 0, { type: 'pool.created', maxParallelJobs: 2, policy }]
const submitted: Step = ['job', 'a', 5, { type: 'job.submitted', execute: { handler: 'load' } }]

test('a job that fails and is retried has the state that its chart had', () => {
  const error = { name: 'TypeError', message: 'no', code: 'ECONNRESET' }
  const fold = foldTrace(
    traceOf(
      pool,
      submitted,
      ['job', 'a', 5, { type: 'dependencies.met' }],
      ['job', 'a', 6, { type: 'slot.granted' }],
      ['job', 'a', 9, { type: 'attempt.failed', attempt: 1, error, reason: 'error', random: 0.5 }],
    ),
  )
  const job = fold.jobs.get('a')
  expect(job?.value).toEqual({ queued: 'delayed' })
  expect(job?.context).toMatchObject({ jobId: 'a', queuedAt: 5, policy })
  expect(job?.context).toMatchObject({ attempt: 1, deadlineAt: 59, startedAt: 6 })
})

test('errors are errors again in the result', () => {
  const fold = foldTrace(
    traceOf(
      pool,
      submitted,
      ['job', 'a', 5, { type: 'dependencies.met' }],
      ['job', 'a', 6, { type: 'slot.granted' }],
      [
        'job',
        'a',
        9,
        {
          type: 'attempt.failed',
          attempt: 1,
          error: { name: 'TypeError', message: 'no' },
          reason: 'rejected',
          random: 0,
        },
      ],
    ),
  )
  const { error, status } = fold.jobs.get('a')?.output ?? {}
  expect(status).toBe('failed')
  expect(error).toBeInstanceOf(Error)
  expect(error).toMatchObject({ name: 'TypeError', message: 'no' })
})

test('runs and pools are folded too', () => {
  const tree = { nodes: 1, jobs: 0, decisions: 0, isCut: false }
  const fold = foldTrace(
    traceOf(
      pool,
      ['pool', 'p', 1, { type: 'pool.limit', maxParallelJobs: 7 }],
      ['run', 'r', 2, { type: 'run.created', workflow: 'w', input: {}, limits: { maxRunMs: 100 } }],
      ['run', 'r', 3, { type: 'run.start' }],
      ['run', 'r', 3, { type: 'node.grown', nodeId: 'n0', spec: { handler: 'load' } }],
      ['run', 'r', 9, { type: 'tree.changed', tree }],
    ),
  )
  expect(fold.pools.get('p')?.context.maxParallelJobs).toBe(7)
  expect(fold.runs.get('r')).toMatchObject({ value: 'completed', output: { reason: 'exhausted' } })
  expect(fold.runs.get('r')?.context.deadlineAt).toBe(103)
})

describe('a broken trace', () => {
  test('that is out of order is refused', () => {
    const [first, second] = traceOf(pool, submitted)
    const fold = new TraceFold().apply(first as TraceEntry).apply(second as TraceEntry)
    expect(() => fold.apply(second as TraceEntry)).toThrow('entry 2 came after 2')
  })

  test('whose actor was never born is refused', () => {
    expect(() => foldTrace(traceOf(['job', 'b', 1, { type: 'slot.granted' }]))).toThrow(
      'The job "b" steps before it was created.',
    )
  })
})
