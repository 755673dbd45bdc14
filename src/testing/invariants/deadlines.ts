import { DELAYED, EXECUTING, STOPPING } from '../../runtime/job/job-states.ts'
import { stateOfRow } from '../model/rows.ts'
import type { WatchedWorld } from '../model/world-view.ts'
import { isUntold } from './untold.ts'

/** What waits for an instant. */
export interface Deadline {
  /** Epoch ms. */
  readonly at: number
  /** `rest`: a start delay or a backoff; `limit`: how long an attempt, an `expand` or the run may take. */
  readonly kind: 'rest' | 'limit' | 'grace' | 'drain'
  readonly owner: string
}

/** All that the runtime waits for, earliest first, as its charts have it. */
export function deadlinesOf(world: WatchedWorld): readonly Deadline[] {
  const found: Deadline[] = []
  for (const row of world.rows.live) {
    const at = row.actor.context.deadlineAt
    const state = stateOfRow(row)
    if (at === undefined) continue
    // Nobody can prevent a deadline by ending earlier who has ended, though the store did not take it.
    if (state === DELAYED || isUntold(world, row)) found.push({ at, kind: 'rest', owner: row.id })
    else if (state === EXECUTING) found.push({ at, kind: 'limit', owner: row.id })
    else if (state === STOPPING) found.push({ at, kind: 'grace', owner: row.id })
  }
  for (const { node, askedAt } of world.questions.values())
    found.push({ at: askedAt + world.limits.expandTimeoutMs, kind: 'limit', owner: `expand ${node}` })
  const run = world.orchestrator?.actor.getSnapshot()
  if (run?.status === 'active' && run.context.deadlineAt > 0)
    found.push({ at: run.context.deadlineAt, kind: 'limit', owner: 'run' })
  const pool = world.pool.actor.getSnapshot()
  if (pool.value.lifecycle === 'draining' && pool.context.deadlineAt > world.now)
    found.push({ at: pool.context.deadlineAt, kind: 'drain', owner: 'pool' })
  found.sort((a, b) => a.at - b.at)
  // The pool tries a store that has refused again; its charts know nothing of it.
  const wakeAt = world.isRefused ? world.clock.nextWakeAt : undefined
  if (wakeAt !== undefined && !(found[0] !== undefined && found[0].at <= wakeAt))
    found.unshift({ at: wakeAt, kind: 'rest', owner: 'store' })
  return found
}

/** Why nobody would come at a deadline; absent when somebody will. */
export function faultOfDeadline(world: WatchedWorld, deadlineAt: number | undefined): string | undefined {
  if (deadlineAt === undefined) return 'it has no deadline'
  // While the store refuses, a deadline that has passed waits for the pool's next try.
  if (world.isRefused) return undefined
  const wakeAt = world.clock.nextWakeAt
  // Time may have passed while the process stood still: then the wake is due, but is still to come.
  if (wakeAt !== undefined && wakeAt <= Math.max(deadlineAt, world.now)) return undefined
  return 'nobody will be woken at its deadline'
}
