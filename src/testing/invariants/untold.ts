import { EXECUTING, STOPPING } from '../../runtime/job/job-states.ts'
import { keyOfAttempt } from '../model/body.ts'
import { type Row, stateOfRow } from '../model/rows.ts'
import type { WatchedWorld } from '../model/world-view.ts'

/** Whether the end of a job's attempt was refused, so that it has to be told again when the store takes commits. */
export function isUntold(world: WatchedWorld, row: Row): boolean {
  if (!world.isRefused) return false
  const state = stateOfRow(row)
  const isRunning = state === EXECUTING || state === STOPPING
  return isRunning && !world.bodies.has(keyOfAttempt(row.id, row.actor.context.attempt))
}
