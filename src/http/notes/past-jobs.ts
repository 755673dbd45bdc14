import { EVENT_CODES, type EventName } from '../../protocol/journal.ts'
import type { Dependency, JobActor } from '../../runtime/job/job-actor.ts'
import { CANCELLED, DELAYED, FAILED, STOPPING, stateOf } from '../../runtime/job/job-states.ts'
import type { Supervisor } from '../../runtime/pool/supervisor.ts'
import { rawError } from './raw-facts.ts'
import type { RawJournal } from './raw-journal.ts'

interface Past {
  readonly at: number
  note(): void
}

/**
 * Writes down what the jobs that a pool still knows have been through, as far as they remember it: when they were
 * submitted, started and ended. Of earlier attempts and of forgotten jobs nothing is left. Since when the pool is paused, is
 * throttled or drains is not known: that it is so is told as of now.
 */
export function recordPast(supervisor: Supervisor, raw: RawJournal): { startedAt: number; missing: number } {
  const events: Past[] = []
  let startedAt = supervisor.now()
  let known = 0
  const lanes = lanesOf(supervisor.jobs.values())
  for (const job of supervisor.jobs.values()) {
    startedAt = Math.min(startedAt, job.context.queuedAt)
    known++
    // The recorder hears of it when its store has taken it.
    if (!job.isAccepted) continue
    raw.replayed(job, job.id !== supervisor.jobs.idOf(job.sequence), lanes.get(job))
    raw.dependsOn(job, asJobs(supervisor, job.links?.dependencies ?? []))
    const event = rareEventOf(job, raw)
    if (event !== undefined) events.push(event)
  }
  events.sort((a, b) => a.at - b.at)
  for (const { note } of events) note()
  const { slots, settings } = supervisor
  for (const { job } of slots.zombies) raw.abandoned(job, !settings.releaseZombies, supervisor.now())
  for (const job of supervisor.jobs.values())
    if (job.body !== undefined) raw.embodied(job, job.knownContext.attempt, supervisor.now())
  for (const event of changesOf(supervisor)) raw.poolChanged(event, supervisor.now())
  return { startedAt, missing: supervisor.counts.total - known }
}

/** Dependencies as jobs, of which ended ones have only the ids, where the pool still knows them. */
function asJobs({ jobs }: Supervisor, dependencies: readonly Dependency[]): readonly Dependency[] {
  return dependencies.map((given) => (typeof given === 'string' ? (jobs.get(given) ?? given) : given))
}

/** The lanes of attempts whose slots nobody knows any more, those of an earlier process: each the lowest that was free. */
function lanesOf(jobs: Iterable<JobActor>): ReadonlyMap<JobActor, number> {
  const ran: { readonly job: JobActor; readonly startedAt: number; readonly endedAt: number }[] = []
  for (const job of jobs) {
    const { startedAt, endedAt } = job.known ?? {}
    if (startedAt !== undefined && endedAt !== undefined && job.lastSlot < 0)
      ran.push({ job, startedAt, endedAt })
  }
  const lanes = new Map<JobActor, number>()
  const freeAt: number[] = []
  for (const { job, startedAt, endedAt } of ran.sort((a, b) => a.startedAt - b.startedAt)) {
    const free = freeAt.findIndex((at) => at <= startedAt)
    const lane = free < 0 ? freeAt.length : free
    freeAt[lane] = endedAt
    lanes.set(job, lane)
  }
  return lanes
}

/** What has become of a pool that was open: none where it still is. */
function changesOf({ actor }: Supervisor): EventName[] {
  const { lifecycle, dispatch } = actor.getSnapshot().value
  return [
    ...(lifecycle === 'accepting' ? [] : [`pool.${lifecycle}` as const]),
    ...(dispatch === 'open' ? [] : [`pool.${dispatch}` as const]),
  ]
}

/** What it has been through that not all jobs are. */
function rareEventOf(job: JobActor, raw: RawJournal): Past | undefined {
  const { sequence, known: settled, knownContext: context } = job
  const state = stateOf(job.knownState)
  const at = settled?.endedAt ?? context.startedAt ?? context.queuedAt
  switch (state) {
    case DELAYED:
    case STOPPING:
      return { at, note: () => raw.replayedEvent(at, sequence, EVENT_CODES['deadline.reached'], state) }
    case FAILED:
    case CANCELLED:
      return { at, note: () => noteEnd(job, raw, state) }
    default:
      return undefined
  }
}

function noteEnd({ sequence, known: settled }: JobActor, raw: RawJournal, state: number): void {
  if (settled === undefined) return
  const { endedAt: at, attempts: attempt, error, reason = 'user', cancelledBy: by = 'user' } = settled
  if (state === FAILED && error !== undefined)
    raw.item({ type: 'failed', job: sequence, at, state, attempt, error: rawError(error) })
  else raw.item({ type: 'cancelled', job: sequence, at, state, by, reason, causedBy: undefined })
}
