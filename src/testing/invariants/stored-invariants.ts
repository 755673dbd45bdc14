import type { WatchedWorld } from '../model/world-view.ts'

/** What is known of each job that has not ended must be what is stored of it. */
export function checkStored(world: WatchedWorld): void {
  const { disk, rows } = world
  if (disk === undefined) return
  for (const { id, actor } of rows.live) {
    const fault = disk.faultOf(id, actor.getSnapshot())
    if (fault !== undefined) world.breaks('stored', fault)
  }
}

/** The stored trace must fold to what is stored of all jobs and runs. */
export function checkTrace(world: WatchedWorld): void {
  try {
    world.disk?.verify()
  } catch (error) {
    world.breaks('stored', (error as Error).message)
  }
}
