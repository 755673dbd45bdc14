import { EXECUTING, STOPPING } from '../runtime/job-states.ts'
import { keyOfAttempt } from './body.ts'
import { type Row, stateOfRow } from './rows.ts'
import type { WatchedWorld } from './world-view.ts'

/** Whether the end of a job's attempt was refused, so that it has to be told again when the store takes commits. */
export function isUntold(world: WatchedWorld, row: Row): boolean {
  if (!world.isRefused) return false
  const state = stateOfRow(row)
  const isRunning = state === EXECUTING || state === STOPPING
  return isRunning && !world.bodies.has(keyOfAttempt(row.id, row.actor.context.attempt))
}
