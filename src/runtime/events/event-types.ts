import type { PoolEventType } from './events.ts'
import type { RunEventType } from './run-events.ts'

/** Of a record, so that none can be left out. */
const namesOf = <Type extends string>(types: Record<Type, true>): ReadonlySet<string> =>
  new Set(Object.keys(types))

export const POOL_EVENT_TYPES = namesOf<PoolEventType>({
  'job.submitted': true,
  'job.started': true,
  'job.retrying': true,
  'job.progress': true,
  'job.log': true,
  'job.output': true,
  'job.completed': true,
  'job.failed': true,
  'job.cancelled': true,
  'job.zombie': true,
  'job.ignored': true,
  'pool.paused': true,
  'pool.resumed': true,
  'pool.throttled': true,
  'pool.unthrottled': true,
  'pool.limited': true,
  'pool.closed': true,
})

export const RUN_EVENT_TYPES = namesOf<RunEventType>({
  'run.started': true,
  'node.added': true,
  'node.changed': true,
  'node.progress': true,
  'node.decided': true,
  'run.ended': true,
})
