import type { RunningAttempt } from './attempt.ts'
import type { JobActor } from './job.ts'
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
