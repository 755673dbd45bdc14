import { EXECUTING, STOPPING } from '../runtime/job.ts'
import { keyOfAttempt } from './body.ts'
import { type Row, stateOfRow } from './rows.ts'
import type { WatchedWorld } from './world-view.ts'

/** Whether the end of a job's attempt was refused, so that it has to be told again when the store takes commits. */
export function isUntold(world: WatchedWorld, row: Row): boolean {
  return untoldEnd(world, row) !== undefined
}

/** How an attempt ended whose end was refused. */
export function untoldEnd(world: WatchedWorld, row: Row): string | undefined {
  if (!world.mayCatchUp) return undefined
  const state = stateOfRow(row)
  if (state !== EXECUTING && state !== STOPPING) return undefined
  const key = keyOfAttempt(row.id, row.actor.context.attempt)
  return world.bodies.has(key) ? undefined : world.endedBodies.get(key)?.endedAs
}
