import type { JobRecord, NodeRecord, RunRecord } from '../../ports/run-store.ts'

// What the contract of stores puts into them.

export function jobRecord(key: number, facts: Partial<JobRecord> = {}): JobRecord {
  return {
    key,
    id: `j${key}`,
    runId: undefined,
    firstSeq: key,
    submitted: { type: 'job.submitted', execute: { handler: 'load' } },
    queuedAt: 5.125,
    state: 'queued.ready',
    attempt: 0,
    lost: 0,
    deadlineAt: undefined,
    startedAt: undefined,
    stopping: undefined,
    cacheKey: undefined,
    end: undefined,
    ...facts,
  }
}

export function endedJob(
  job: JobRecord,
  state: 'completed' | 'failed' | 'cancelled',
  end: Partial<NonNullable<JobRecord['end']>>,
  at = 9.75,
): JobRecord {
  const none = {
    value: undefined,
    error: undefined,
    reason: undefined,
    cancelledBy: undefined,
    causedBy: undefined,
    usage: undefined,
  }
  return { ...job, state, end: { at, ...none, ...end } }
}

export function runRecord(id: string): RunRecord {
  return {
    id,
    workflow: 'w',
    source: '/w.ts',
    input: '{"k":3}',
    limits: '{}',
    status: 'running',
    reason: undefined,
    createdAt: 1.5,
    endedAt: undefined,
    snapshot: '{}',
    value: undefined,
    error: undefined,
    decisions: 0,
    forkedFrom: undefined,
    ownedSince: 2.5,
    executor: 'thread',
  }
}

export function nodeRecord(place: number): NodeRecord {
  return {
    runId: 'r1',
    id: `n${place}`,
    place,
    parentId: place === 0 ? undefined : 'n0',
    spec: '{"handler":"load"}',
    score: undefined,
    jobs: 1,
    revisions: 0,
    isPruned: false,
    decision: undefined,
  }
}
