import type { Demand } from '../../domain/resources.ts'
import { PoolCore } from '../../runtime/pool/job-pool.ts'
import type { Body } from '../model/body.ts'
import { goesBefore, type Row, readyRows } from '../model/rows.ts'
import type { WatchedWorld } from '../model/world-view.ts'

/** What the running attempts demand of each resource, in units: added up from their jobs, not from the pool's account. */
function heldIn(world: WatchedWorld, except?: Row): ReadonlyMap<string, number> {
  const held = new Map<string, number>()
  for (const { job } of world.bodies.values()) {
    const row = world.rows.all.get(job)
    if (row === undefined || row === except) continue
    if (world.releasesZombies && row.outcome !== undefined) continue
    const { names, units } = row.actor.demand ?? NOTHING
    for (const [index, name] of names.entries())
      held.set(name, (held.get(name) ?? 0) + (units[index] as number))
  }
  return held
}

const NOTHING: Demand = { names: [], units: [] }

const limitsOf = (world: WatchedWorld): Readonly<Record<string, number>> =>
  PoolCore.partsOf(world.pool).supervisor.settings.limits.units

/** What must be so of resources when an attempt starts. */
export function checkResources(world: WatchedWorld, row: Row, body: Body): void {
  const { demand } = row.actor
  if (demand === undefined) return
  const held = heldIn(world)
  for (const name of demand.names) {
    const limit = limitsOf(world)[name] as number
    if ((held.get(name) ?? 0) > limit)
      world.breaks('resources', `${body.key} started, but with it more of ${name} is held than there is.`)
  }
}

/**
 * Whether a ready job has to wait for resources: there is not enough left of one, or a job that goes before it waits for it.
 *
 * @param except - Whose share counts as free: it has just started.
 */
export function lacksResources(world: WatchedWorld, row: Row, except?: Row): boolean {
  const { demand } = row.actor
  if (demand === undefined) return false
  const held = heldIn(world, except)
  const isShort = demand.names.some((name, index) => {
    const limit = limitsOf(world)[name] as number
    return (held.get(name) ?? 0) + (demand.units[index] as number) > limit
  })
  if (isShort) return true
  return readyRows(world.rows).some(
    (other) => other !== row && goesBefore(other, row) && sharesResources(other, row),
  )
}

/** Whether two jobs want the same of anything. */
export function sharesResources({ actor: a }: Row, { actor: b }: Row): boolean {
  return a.demand?.names.some((name) => b.demand?.names.includes(name)) === true
}
