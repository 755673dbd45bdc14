import { JOB_STATES } from '../../src/protocol/journal.ts'

const place = (state: (typeof JOB_STATES)[number]): number => JOB_STATES.indexOf(state)

export const BLOCKED = place('queued.blocked')
export const READY = place('queued.ready')
export const DELAYED = place('queued.delayed')
export const EXECUTING = place('running.executing')
export const STOPPING = place('running.stopping')
export const COMPLETED = place('completed')
export const FAILED = place('failed')
export const CANCELLED = place('cancelled')
/** Of a job that was not there yet. */
export const ABSENT = 255

export const STATE_COUNT = JOB_STATES.length

export const isQueued = (state: number): boolean => state <= DELAYED
export const isRunning = (state: number): boolean => state === EXECUTING || state === STOPPING
export const isEnded = (state: number): boolean => state >= COMPLETED && state <= CANCELLED

/** The last word of each state's name, as people read it. */
export const STATE_NAMES: readonly string[] = JOB_STATES.map((state) => state.split('.').at(-1) ?? state)

/** Failures first, then what is at work, what waits, and what is over. */
export const BY_URGENCY: readonly number[] = [
  FAILED,
  STOPPING,
  EXECUTING,
  DELAYED,
  READY,
  BLOCKED,
  CANCELLED,
  COMPLETED,
]
