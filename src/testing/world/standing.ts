import { STOPPING } from '../../runtime/job/job-states.ts'
import { stateOfRow } from '../model/rows.ts'
import type { WatchedWorld } from '../model/world-view.ts'
import type { InnerWorld } from './inner-world.ts'

// What pool and run stand at, by their charts: it decides what can be done to them next.

export const isPaused = ({ pool }: WatchedWorld): boolean =>
  pool.actor.getSnapshot().value.dispatch === 'paused'

export const isThrottled = ({ pool }: WatchedWorld): boolean =>
  pool.actor.getSnapshot().value.dispatch === 'throttled'

/** Whether the pool may run fewer jobs than it was made for. */
export const isLimited = ({ pool, maxParallelJobs }: InnerWorld): boolean =>
  pool.actor.getSnapshot().context.maxParallelJobs < maxParallelJobs

export const isShutDown = ({ pool }: WatchedWorld): boolean =>
  pool.actor.getSnapshot().value.lifecycle !== 'accepting'

/** Whether nothing is wanted any more of what the pool has accepted. */
export const isHalted = (world: WatchedWorld): boolean =>
  isShutDown(world) && Array.from(world.rows.live).every((row) => stateOfRow(row) === STOPPING)

export function canCancelRun({ orchestrator, isGivenUp }: WatchedWorld): boolean {
  const run = orchestrator?.actor.getSnapshot()
  return !isGivenUp && run?.status === 'active' && run.context.reason !== 'cancelled'
}
