import { DELAYED, EXECUTING, STOPPING } from '../runtime/job.ts'
import { stateOfRow } from './rows.ts'
import type { WatchedWorld } from './world-view.ts'

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
    if (state === DELAYED) found.push({ at, kind: 'rest', owner: row.id })
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
  return found.sort((a, b) => a.at - b.at)
}
