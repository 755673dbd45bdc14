import { EspalierError } from './errors.ts'
import type { JobId } from './job.ts'

/**
 * What a job ends with whose attempt took too long.
 *
 * It is the same whenever the chart makes that step, also when it is made again from a journal: so its stack tells no place.
 */
export function timeoutError(jobId: JobId, attempt: number, timeoutMs: number): EspalierError {
  const error = new EspalierError('ESP_ATTEMPT_TIMEOUT', { jobId, attempt, timeoutMs })
  error.stack = String(error)
  return error
}
