import type { StateValue } from 'xstate'
import { type EndedStatus, JOB_STATES, type JobStatus } from '../../domain/job.ts'

// The leaf states of the job chart, as indexes into `JOB_STATES`.
export const BLOCKED = JOB_STATES.indexOf('queued.blocked')
export const READY = JOB_STATES.indexOf('queued.ready')
export const DELAYED = JOB_STATES.indexOf('queued.delayed')
export const EXECUTING = JOB_STATES.indexOf('running.executing')
export const STOPPING = JOB_STATES.indexOf('running.stopping')
export const COMPLETED = JOB_STATES.indexOf('completed')
export const FAILED = JOB_STATES.indexOf('failed')
export const CANCELLED = JOB_STATES.indexOf('cancelled')

/** The leaf state a job is in, as an index into `JOB_STATES`; numbers, since every step of every job asks. */
export function stateOf(value: StateValue): number {
  switch (typeof value === 'string' ? value : (value.queued ?? value.running)) {
    case 'blocked':
      return BLOCKED
    case 'ready':
      return READY
    case 'delayed':
      return DELAYED
    case 'executing':
      return EXECUTING
    case 'stopping':
      return STOPPING
    case 'completed':
      return COMPLETED
    case 'failed':
      return FAILED
    default:
      return CANCELLED
  }
}

export function statusOf(value: StateValue): JobStatus {
  if (typeof value === 'string') return value as EndedStatus
  return 'queued' in value ? 'queued' : 'running'
}

export function isQueued(state: number): boolean {
  return state === READY || state === BLOCKED || state === DELAYED
}

export function isRunning(state: number): boolean {
  return state === EXECUTING || state === STOPPING
}
