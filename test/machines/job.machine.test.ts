import { describe, expect, test } from 'vitest'
import { transition } from 'xstate'
import { type JobEvent, type JobInput, jobMachine } from '../../machines/index.ts'
import { EspalierError } from '../../src/domain/errors.ts'
import type { JobPolicy } from '../../src/domain/job.ts'
import { Coverage, createStepper } from './stepping.ts'

const coverage = new Coverage(jobMachine)

const policy: JobPolicy = {
  timeoutMs: 100,
  killGraceMs: 20,
  maxRetries: 0,
  maxLost: 1,
  backoff: { type: 'fixed', delayMs: 10 },
}

function createJob(rules: Partial<JobPolicy> = {}, rest: Partial<JobInput> = {}) {
  const input: JobInput = {
    jobId: 'j',
    origin: { nodeId: 'n', treeId: 't', metadata: { m: 1 } },
    policy: { ...policy, ...rules },
    queuedAt: 0,
    readyAt: undefined,
    ...rest,
  }
  return createStepper(jobMachine, input, coverage)
}

const met = (at: number): JobEvent => ({ type: 'dependencies.met', at })
const granted = (at: number): JobEvent => ({ type: 'slot.granted', at })
const deadline = (at: number): JobEvent => ({ type: 'deadline.reached', at })
const cancel = (at: number, reason = 'user', causedBy?: string): JobEvent => ({
  type: 'job.cancel',
  at,
  by: 'user',
  reason,
  ...(causedBy === undefined ? {} : { causedBy }),
})
const completed = (at: number, attempt = 1, value: unknown = 'v'): JobEvent => ({
  type: 'attempt.completed',
  at,
  attempt,
  value,
})
type Reason = 'error' | 'lost' | 'rejected'
const error = new Error('broken')
const failed = (at: number, attempt = 1, reason: Reason = 'error'): JobEvent => ({
  type: 'attempt.failed',
  at,
  attempt,
  error,
  reason,
  random: 0.5,
})

const blocked = () => createJob()
const executing = (rules: Partial<JobPolicy> = {}) => {
  const job = createJob(rules)
  job.step(met(1), granted(2))
  return job
}
const stoppedByCancel = (rules: Partial<JobPolicy> = {}) => {
  const job = executing(rules)
  job.step(cancel(50))
  return job
}
const stoppedByTimeout = (rules: Partial<JobPolicy> = {}) => {
  const job = executing(rules)
  job.step(deadline(102))
  return job
}

describe('a job that waits', () => {
  test('is blocked until its dependencies are met, then wants a slot', () => {
    const job = blocked()
    expect(job.state).toEqual({ queued: 'blocked' })
    expect(job.step(met(1))).toEqual([['requestSlot']])
    expect(job.state).toEqual({ queued: 'ready' })
  })

  test('is delayed until its instant, never before', () => {
    const job = createJob({}, { readyAt: 500 })
    expect(job.step(met(1))).toEqual([['wakeAt', { at: 500 }]])
    expect(job.step(deadline(499.999))).toEqual([])
    expect(job.state).toEqual({ queued: 'delayed' })
    expect(job.step(deadline(500))).toEqual([['requestSlot']])
    expect(job.state).toEqual({ queued: 'ready' })
  })

  test('starts its first attempt with the slot: deadline first, then the start', () => {
    const job = blocked()
    job.step(met(1))
    expect(job.step(granted(7))).toEqual([
      ['wakeAt', { at: 107 }],
      ['startAttempt', { attempt: 1, at: 7 }],
    ])
    expect(job.state).toEqual({ running: 'executing' })
    expect(job.context).toMatchObject({ attempt: 1, startedAt: 7, deadlineAt: 107 })
  })

  test.each([
    ['blocked', []],
    ['ready', [met(1)]],
  ] satisfies [string, JobEvent[]][])('is cancelled at once when %s, without ever starting', (_, events) => {
    const job = blocked()
    job.step(...events)
    expect(job.step(cancel(9, 'enough', 'parent'))).toEqual([['settle']])
    expect(job.output).toEqual({
      jobId: 'j',
      nodeId: 'n',
      treeId: 't',
      status: 'cancelled',
      value: undefined,
      error: undefined,
      reason: 'enough',
      cancelledBy: 'user',
      causedBy: 'parent',
      attempts: 0,
      queuedAt: 0,
      startedAt: undefined,
      endedAt: 9,
      durationMs: 0,
      metadata: { m: 1 },
    })
  })
})

describe('an attempt', () => {
  test('that completes ends the job with its value', () => {
    const job = executing()
    expect(job.step(completed(12))).toEqual([['settle']])
    expect(job.output).toMatchObject({
      status: 'completed',
      value: 'v',
      attempts: 1,
      startedAt: 2,
      endedAt: 12,
      durationMs: 10,
    })
  })

  test('that fails without retries ends the job with its error', () => {
    const job = executing()
    expect(job.step(failed(12))).toEqual([['settle']])
    expect(job.output).toMatchObject({ status: 'failed', error, reason: 'error', attempts: 1 })
  })

  test('that is rejected is not tried again', () => {
    const job = executing({ maxRetries: 9 })
    job.step(failed(12, 1, 'rejected'))
    expect(job.output).toMatchObject({ status: 'failed', error, reason: 'rejected', attempts: 1 })
  })

  test('that fails is tried again after its backoff, while retries are left', () => {
    const job = executing({ maxRetries: 1 })
    expect(job.step(failed(12))).toEqual([
      ['notify', { type: 'job.retrying', attempt: 1, at: 22 }],
      ['wakeAt', { at: 22 }],
    ])
    expect(job.state).toEqual({ queued: 'delayed' })
    job.step(deadline(22), granted(30))
    expect(job.context).toMatchObject({ attempt: 2, startedAt: 30, deadlineAt: 130 })
    job.step(failed(31, 2))
    expect(job.output).toMatchObject({ status: 'failed', attempts: 2, startedAt: 30, durationMs: 1 })
  })

  test('is tried again at once with a backoff of 0', () => {
    const job = executing({ maxRetries: 1, backoff: { type: 'fixed', delayMs: 0 } })
    expect(job.step(failed(12))).toEqual([
      ['wakeAt', { at: 0 }],
      ['notify', { type: 'job.retrying', attempt: 1, at: 12 }],
      ['requestSlot'],
    ])
    expect(job.state).toEqual({ queued: 'ready' })
  })

  test('that is lost is replaced without costing a retry, as often as maxLost allows', () => {
    const job = executing({ maxLost: 2, maxRetries: 1, backoff: { type: 'fixed', delayMs: 0 } })
    job.step(failed(3, 1, 'lost'), granted(4))
    job.step(failed(5, 2, 'lost'), granted(6))
    expect(job.context).toMatchObject({ attempt: 3, lost: 2 })
    job.step(failed(7, 3, 'error'), granted(8))
    expect(job.context).toMatchObject({ attempt: 4, lost: 2 })
    job.step(failed(9, 4, 'lost'))
    expect(job.output).toMatchObject({ status: 'failed', reason: 'lost', attempts: 4 })
  })
})

describe('a timeout', () => {
  test('asks the attempt to end, and holds the slot for the kill grace', () => {
    const job = executing()
    expect(job.step(deadline(101))).toEqual([])
    expect(job.step(deadline(103))).toEqual([
      ['wakeAt', { at: 123 }],
      ['stopAttempt', { attempt: 1, by: 'timeout', reason: 'timeout' }],
    ])
    expect(job.state).toEqual({ running: 'stopping' })
  })

  test.each([completed(110), failed(110)])('fails the job however its attempt then ends: $type', (event) => {
    const job = stoppedByTimeout()
    expect(job.step(event)).toEqual([['settle']])
    expect(job.output).toMatchObject({ status: 'failed', reason: 'timeout', value: undefined, endedAt: 110 })
    expect((job.output as { error: unknown }).error).toMatchObject({ code: 'ESP_ATTEMPT_TIMEOUT' })
  })

  test.each([completed(110), failed(110)])('is retried once its attempt has ended: $type', (event) => {
    const job = stoppedByTimeout({ maxRetries: 1 })
    job.step(event)
    expect(job.state).toEqual({ queued: 'delayed' })
    job.step(deadline(120), granted(121), completed(122, 2))
    expect(job.output).toMatchObject({ status: 'completed', attempts: 2 })
  })

  test.each([completed(110), failed(110)])('is retried at once with a backoff of 0: $type', (event) => {
    const job = stoppedByTimeout({ maxRetries: 1, backoff: { type: 'fixed', delayMs: 0 } })
    job.step(event)
    expect(job.state).toEqual({ queued: 'ready' })
  })

  test('fails the job for good when the grace is over, retries or not', () => {
    const job = stoppedByTimeout({ maxRetries: 5 })
    expect(job.step(deadline(121.9))).toEqual([])
    expect(job.step(deadline(122))).toEqual([['abandonAttempt', { attempt: 1 }], ['settle']])
    expect(job.output).toMatchObject({ status: 'failed', reason: 'timeout', attempts: 1 })
    expect((job.output as { error: unknown }).error).toBeInstanceOf(EspalierError)
  })

  test('is overruled by a cancel, which does not prolong the grace', () => {
    const job = stoppedByTimeout({ maxRetries: 5 })
    expect(job.step(cancel(110, 'enough'))).toEqual([])
    expect(job.context).toMatchObject({ deadlineAt: 122 })
    job.step(failed(111))
    expect(job.output).toMatchObject({ status: 'cancelled', reason: 'enough' })
  })
})

describe('a cancel of a running job', () => {
  test('asks the attempt to end and waits for that', () => {
    const job = executing()
    expect(job.step(cancel(50, 'enough'))).toEqual([
      ['wakeAt', { at: 70 }],
      ['stopAttempt', { attempt: 1, by: 'user', reason: 'enough' }],
    ])
    expect(job.state).toEqual({ running: 'stopping' })
  })

  test.each([completed(60), failed(60)])('decides the outcome however the attempt ends: $type', (event) => {
    const job = stoppedByCancel({ maxRetries: 3 })
    expect(job.step(event)).toEqual([['settle']])
    expect(job.output).toMatchObject({ status: 'cancelled', reason: 'user', value: undefined, attempts: 1 })
  })

  test('ends the job when the grace is over', () => {
    const job = stoppedByCancel()
    expect(job.step(deadline(69))).toEqual([])
    expect(job.step(deadline(70))).toEqual([['abandonAttempt', { attempt: 1 }], ['settle']])
    expect(job.output).toMatchObject({ status: 'cancelled' })
  })

  test('keeps its first reason when asked again', () => {
    const job = stoppedByCancel()
    expect(job.step(cancel(55, 'again'))).toEqual([])
    job.step(failed(56))
    expect(job.output).toMatchObject({ reason: 'user' })
  })
})

describe('late, stale and impossible events change nothing', () => {
  const everyEvent = [
    met(900),
    granted(900),
    deadline(900),
    cancel(900),
    completed(900, 1),
    completed(900, 2),
    failed(900, 1),
    failed(900, 2),
  ]
  const ended = {
    completed: () => [executing(), completed(12)] as const,
    failed: () => [executing(), failed(12)] as const,
    cancelled: () => [blocked(), cancel(9)] as const,
  }

  test.each(Object.entries(ended))('a job that is %s stays as it is', (_, prepare) => {
    const [job, last] = prepare()
    job.step(last)
    const { output } = job
    // An actor that has ended takes no events at all: so the chart itself is asked.
    for (const event of everyEvent) {
      const [after, effects] = transition(jobMachine, job.snapshot, event)
      expect([event.type, effects, after.status, after.output]).toEqual([event.type, [], 'done', output])
    }
  })

  const inert: readonly (readonly [string, () => ReturnType<typeof createJob>, readonly JobEvent[]])[] = [
    [
      'blocked',
      blocked,
      [granted(9), deadline(9e9), completed(9, 0), completed(9, 1), failed(9, 0), failed(9, 1)],
    ],
    [
      'ready',
      () => {
        const job = blocked()
        job.step(met(1))
        return job
      },
      [met(9), deadline(9e9), completed(9, 0), completed(9, 1), failed(9, 0), failed(9, 1)],
    ],
    [
      'delayed',
      () => {
        const job = createJob({}, { readyAt: 500 })
        job.step(met(1))
        return job
      },
      [met(9), granted(9), deadline(499), completed(9, 0), failed(9, 1)],
    ],
    [
      'executing',
      executing,
      [met(9), granted(9), deadline(9), completed(9, 0), completed(9, 2), failed(9, 0), failed(9, 99)],
    ],
    [
      'stopping',
      stoppedByCancel,
      [
        met(9),
        granted(9),
        deadline(69),
        cancel(9),
        completed(9, 0),
        completed(9, 2),
        failed(9, 0),
        failed(9, 99),
      ],
    ],
  ]

  test.each(inert)('a job that is %s', (_, prepare, events) => {
    const job = prepare()
    const { state, context } = job
    for (const event of events) expect([event.type, job.step(event)]).toEqual([event.type, []])
    expect(job.state).toEqual(state)
    expect(job.context).toBe(context)
  })
})

test('the tests above take every transition of the chart', () => {
  expect(coverage.size).toBeGreaterThan(20)
  expect(coverage.missed).toEqual([])
})
