import type { JobRecord, StoreBatch } from '../../src/ports/run-store.ts'
import { jobRecord } from '../../src/testing/contracts/store-records.ts'

export const job = (key: number, size = 10): JobRecord =>
  jobRecord(key, {
    submitted: { type: 'job.submitted', execute: { handler: 'load' }, args: ['x'.repeat(size)] },
  })

export const batch = (...submitted: JobRecord[]): StoreBatch => ({
  events: [],
  submitted,
  changed: [],
  runs: [],
  nodes: [],
})
