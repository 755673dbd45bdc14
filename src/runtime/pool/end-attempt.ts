import { EspalierError } from '../../domain/errors.ts'
import type { RunningAttempt } from '../job/attempt.ts'
import type { JobActor } from '../job/job-actor.ts'
import type { PoolSettings } from './options.ts'

/** Asks an attempt to end: its signal, and its executor. */
export function stopAttempt(
  attempt: RunningAttempt<JobActor>,
  error: Error,
  { policy, logger }: Pick<PoolSettings, 'policy' | 'logger'>,
): void {
  const { executor } = attempt.job
  attempt.abort(error)
  try {
    executor.stop?.(attempt, policy.killGraceMs)
  } catch (thrown) {
    logger.error(`The executor "${executor.name}" threw when it was asked to stop.`, thrown)
  }
}

/** Tells a job that the attempt it is at is lost, which no executor reports. @param how - For the error. */
export function loseAttempt(job: JobActor, how: string, at: number): void {
  const { attempt } = job.context
  const error = new EspalierError('ESP_ATTEMPT_LOST', { jobId: job.id, attempt, how })
  job.take({ type: 'attempt.failed', at, attempt, error, reason: 'lost', random: 0 })
}
