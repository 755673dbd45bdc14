import type { JobId } from '../../domain/job.ts'
import { type JobSubmitted, runOf } from '../../domain/trace.ts'
import type { Behind, JobRecord } from '../../ports/run-store.ts'
import { type JobFacts, recordOf } from './job-record.ts'
import { TraceFold } from './trace-fold.ts'

/** Makes the records of jobs whose rows are behind the journal, by the charts that made the events. */
export function catchUp({ events, policy, row }: Behind): JobRecord[] {
  const fold = new TraceFold(policy)
  const facts = new Map<JobId, JobFacts>()
  for (const entry of events) {
    const { seq: firstSeq, actor, id, key, event } = entry
    if (actor === 'job' && !facts.has(id)) {
      const record = key === undefined ? undefined : row(key)
      if (record === undefined) facts.set(id, factsOf(event as JobSubmitted, id, key as number, firstSeq))
      else {
        facts.set(id, record)
        fold.takeUp(record)
      }
    }
    fold.apply(entry)
  }
  return Array.from(facts, ([id, job]) => {
    const snapshot = fold.jobs.get(id)
    if (snapshot === undefined) throw new Error(`Job "${id}" steps before it was submitted.`)
    const value = snapshot.output?.value
    return recordOf(job, snapshot, value === undefined ? undefined : JSON.stringify(value))
  })
}

function factsOf(submitted: JobSubmitted, id: JobId, key: number, firstSeq: number): JobFacts {
  return { key, id, runId: runOf(submitted), firstSeq, submitted, cacheKey: undefined }
}
