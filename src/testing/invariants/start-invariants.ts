import { PRIORITIES } from '../../domain/priority.ts'
import { READY } from '../../runtime/job/job-states.ts'
import type { Body } from '../model/body.ts'
import { goesBefore, type Row, stateOfRow } from '../model/rows.ts'
import type { WatchedWorld } from '../model/world-view.ts'
import { checkResources, lacksResources, sharesResources } from './resources.ts'
import { liveBodies, runningBodies } from './slots-in-use.ts'

/** What must be so when an attempt starts. */
export function atStart(world: WatchedWorld, row: Row, body: Body): void {
  const { context, value } = world.pool.actor.getSnapshot()
  const { key } = body
  const running = runningBodies(world)
  if (running > context.maxParallelJobs)
    world.breaks(
      'slots',
      `${key} started as number ${running}, but there are ${context.maxParallelJobs} slots.`,
    )
  if (value.dispatch === 'paused') world.breaks('pause', `${key} started while the pool is paused.`)
  if (value.dispatch === 'throttled' && liveBodies(world) > 1)
    world.breaks('pause', `${key} started beside others while the pool is throttled.`)
  if (row.isUnwanted) world.breaks('cancelled-stays', `${key} started after its job was cancelled.`)
  if (row.outcome !== undefined) world.breaks('one-outcome', `${key} started after its job had ended.`)
  // An attempt whose start was recorded may have been lost before it began.
  if (world.disk !== undefined ? body.attempt <= row.lastAttempt : body.attempt !== row.starts)
    world.breaks('attempts', `${key} is start number ${row.starts} of its job.`)
  const { maxRetries, maxLost } = row.actor.context.policy
  if (row.starts > 1 + maxRetries + Math.min(row.losses, maxLost))
    world.breaks('attempts', `${key} started, but only ${maxRetries} retries are allowed.`)
  checkResources(world, row, body)
  const reason = world.orchestrator?.actor.getSnapshot().context.reason
  if (reason !== undefined && body.attempt === 1)
    world.breaks('settling', `${key} started, though the run is ending: ${reason}.`)
  if (world.now < row.notBefore)
    world.breaks('deadlines', `${key} started ${row.notBefore - world.now} ms before its time.`)
  const missing = missingDependency(world, row)
  if (missing !== undefined) world.breaks('dependencies', `${key} started, but ${missing}.`)
  // What a store has refused is told again bit by bit, whichever job comes first.
  if (!world.agesJobs && !world.isRefused) checkOrder(world, row, body)
}

function missingDependency(
  world: WatchedWorld,
  { node, dependencies, runsOnFailure }: Row,
): string | undefined {
  const { rows } = world
  for (const id of dependencies) {
    const status = rows.all.get(id)?.outcome?.status
    if (status !== 'completed' && !(runsOnFailure && status !== undefined))
      return `its dependency ${id} is ${status ?? 'at work'}`
  }
  if (node === undefined) return undefined
  const growth = rows.growths.get(node)
  if (growth === undefined) return 'nobody was told that its node has grown'
  const { parent } = growth
  if (parent !== undefined) {
    const outcome = rows.byNode.get(parent)?.outcome
    const isOver = outcome?.status === 'completed' || outcome?.status === 'failed'
    if (!isOver && !rows.completedNodes.has(parent)) return `its parent ${parent} is at work`
  }
  for (const name of growth.dependencies) {
    const dependency = world.nodeNamed(name)
    if (dependency === undefined || !rows.completedNodes.has(dependency.id))
      return `the node ${name} it depends on has not completed`
  }
  return undefined
}

function checkOrder(world: WatchedWorld, row: Row, body: Body): void {
  row.isWaiting = false
  for (const other of world.rows.live) {
    if (other === row || stateOfRow(other) !== READY || !goesBefore(other, row)) continue
    // What a store takes at once has happened one after the other.
    if (world.disk !== undefined && !other.isWaiting) continue
    if (!sharesResources(other, row) && lacksResources(world, other, row)) continue
    const { priority, score } = other.actor
    world.breaks(
      'order',
      `${body.key} started before ${other.id}, which is ready too, of priority ${PRIORITIES[priority]} and score ${score}.`,
    )
    return
  }
}
