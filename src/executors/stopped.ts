import type { JobUsage } from '../domain/job.ts'
import type { Attempt, AttemptSink } from '../ports/executor.ts'

/**
 * Reports an attempt that has ended since it was to, before it had a result.
 *
 * Where nobody has asked it to end, its executor was closed: by another pool, as a pool's own jobs have ended by then.
 */
export function reportStopped(attempt: Attempt, sink: AttemptSink, usage?: JobUsage): void {
  if (attempt.signal.aborted) sink.failed(attempt, attempt.signal.reason, usage)
  else sink.lost(attempt, 'its executor was closed by another pool', usage)
}
