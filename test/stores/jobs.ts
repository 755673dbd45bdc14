import type { JobRecord, StoreBatch } from '../../src/ports/run-store.ts'

export const job = (key: number, size = 10): JobRecord => ({
  key,
  id: `j${key}`,
  runId: undefined,
  firstSeq: key,
  submitted: { type: 'job.submitted', execute: { handler: 'load' }, args: ['x'.repeat(size)] },
  queuedAt: 1,
  state: 'queued.ready',
  attempt: 0,
  lost: 0,
  deadlineAt: undefined,
  startedAt: undefined,
  stopping: undefined,
  cacheKey: undefined,
  end: undefined,
})

export const batch = (...submitted: JobRecord[]): StoreBatch => ({
  events: [],
  submitted,
  changed: [],
  runs: [],
  nodes: [],
})
