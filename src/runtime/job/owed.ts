import type { JobEvent } from '../../../machines/index.ts'
import { BLOCKED, COMPLETED, EXECUTING, READY } from './job-states.ts'

/**
 * What the pool's recorder has yet to write down of a job, and is not told: nearly all jobs go the same way, and remember it
 * themselves. Set by the recorder alone.
 */
export const Owed = {
  NOTHING: 0,
  /** That it is granted a slot, and starts at once. */
  ATTEMPT: 1,
  /** That it is ready as soon as it is submitted, its attempt, and that it completes. */
  LIFE: 2,
  /** That it was submitted; the recorder hears of all else. */
  SUBMISSION: 3,
} as const
export type Owed = (typeof Owed)[keyof typeof Owed]

/** Whether it is the completion of an attempt of which nothing more is told. */
export const isPlainEnd = (event: JobEvent): boolean =>
  event.type === 'attempt.completed' && event.usage === undefined

/** Whether a step belongs to what its job owes. @param from - The state before, as an index into `JOB_STATES`, as is `to`. */
export function isOwed(owed: Owed, event: JobEvent, from: number, to: number): boolean {
  if (owed === Owed.NOTHING) return false
  switch (to) {
    case READY:
      return owed === Owed.LIFE && from === BLOCKED
    case EXECUTING:
      return true
    case COMPLETED:
      return owed === Owed.LIFE && isPlainEnd(event)
    default:
      return false
  }
}
