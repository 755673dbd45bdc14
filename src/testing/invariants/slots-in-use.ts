import type { WatchedWorld } from '../model/world-view.ts'

/** How many attempts hold a slot. */
export function runningBodies(world: WatchedWorld): number {
  return world.releasesZombies ? liveBodies(world) : world.bodies.size
}

/** The attempts whose job has not given up on them. */
export function liveBodies(world: WatchedWorld): number {
  let running = 0
  for (const { job } of world.bodies.values()) if (world.rows.all.get(job)?.outcome === undefined) running++
  return running
}
