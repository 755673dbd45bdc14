import type { AnyActorRef, AnyMachineSnapshot } from 'xstate'
import type { PoolActor } from '../../runtime/charts/charts.ts'
import type { JobActor } from '../../runtime/job/job-actor.ts'

/** What a page may send the pool: what a person may decide, not what only the runtime can know. */
const POOL_EVENTS = ['pool.pause', 'pool.resume']

/** The types of events that a page may send the pool now. */
export function eventsForPool(actor: PoolActor): string[] {
  return acceptedEvents(actor as unknown as AnyActorRef).filter((type) => POOL_EVENTS.includes(type))
}

/** The types of events that a page may send a job now: to cancel it, and what its body waits for. */
export function eventsForJob(job: JobActor): string[] {
  if (!job.isActive) return []
  return ['job.cancel', ...(job.body === undefined ? [] : acceptedEvents(job.body))]
}

/** Types of events that a machine's current states have transitions for; guards are not asked, as they need the event. */
function acceptedEvents(actor: AnyActorRef): string[] {
  const snapshot = actor.getSnapshot() as Partial<AnyMachineSnapshot>
  if (snapshot.status !== 'active') return []
  const accepted = new Set<string>()
  for (const node of snapshot._nodes ?? []) {
    for (const [type, transitions] of node.transitions) {
      const changes = transitions.some(({ target, actions }) => target !== undefined || actions.length > 0)
      if (changes && !type.startsWith('xstate.')) accepted.add(type)
    }
  }
  return [...accepted].sort()
}
