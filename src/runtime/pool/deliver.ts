import type { JobEvent } from '../../../machines/index.ts'
import type { Logger } from '../../ports/logger.ts'
import type { RunningAttempt } from '../job/attempt.ts'
import type { JobActor } from '../job/job-actor.ts'

/** Gives an event to the body of an attempt. @returns Whether that has taken it; what an executor throws is logged. */
export function deliver(attempt: RunningAttempt<JobActor>, event: JobEvent, logger: Logger): boolean {
  const { executor } = attempt.job
  try {
    return executor.deliver?.(attempt, event) === true
  } catch (thrown) {
    logger.error(`The executor "${executor.name}" threw when it was given an event.`, thrown)
    return false
  }
}
