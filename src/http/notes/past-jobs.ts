import { EVENT_CODES, JOB_STATES } from '../../protocol/journal.ts'
import type { JobActor } from '../../runtime/job/job.ts'
import { stateOf } from '../../runtime/job/job-states.ts'
import type { Supervisor } from '../../runtime/pool/supervisor.ts'
import { rawError } from './raw-facts.ts'
import type { RawJournal } from './raw-journal.ts'

const READY = JOB_STATES.indexOf('queued.ready')
const DELAYED = JOB_STATES.indexOf('queued.delayed')
const EXECUTING = JOB_STATES.indexOf('running.executing')
const STOPPING = JOB_STATES.indexOf('running.stopping')

interface Past {
  readonly at: number
  note(): void
}

/**
 * Writes down what the jobs that a pool still knows have been through, as far as they remember it: when they were
 * submitted, started and ended. Of earlier attempts and of forgotten jobs nothing is left.
 */
export function recordPast(supervisor: Supervisor, raw: RawJournal): { startedAt: number; missing: number } {
  const events: Past[] = []
  let startedAt = supervisor.now()
  let known = 0
  for (const job of supervisor.jobs.values()) {
    const { queuedAt } = job.context
    startedAt = Math.min(startedAt, queuedAt)
    known++
    raw.submitted(job, job.id !== supervisor.jobs.idOf(job.sequence), queuedAt)
    raw.dependsOn(job, job.links?.dependencies ?? [])
    for (const event of pastOf(job, raw)) events.push(event)
  }
  events.sort((a, b) => a.at - b.at)
  for (const { note } of events) note()
  for (const job of supervisor.jobs.values())
    if (job.body !== undefined) raw.embodied(job, job.context.attempt, supervisor.now())
  return { startedAt, missing: supervisor.counts.total - known }
}

function pastOf(job: JobActor, raw: RawJournal): Past[] {
  const { sequence, settled, context, current, lastSlot } = job
  const { queuedAt } = context
  const state = stateOf(job.stateValue)
  const { startedAt } = settled ?? context
  const past: Past[] = []
  const add = (name: keyof typeof EVENT_CODES, at: number, to: number, detail = 0) =>
    past.push({ at, note: () => raw.replayed(at, sequence, EVENT_CODES[name], to, detail) })
  if (startedAt !== undefined) {
    add('dependencies.met', queuedAt, READY)
    add('slot.granted', startedAt, EXECUTING)
    add('attempt.started', startedAt, EXECUTING, current?.slot ?? Math.max(0, lastSlot))
  } else if (state === READY) add('dependencies.met', queuedAt, READY)
  if (state === DELAYED) add('deadline.reached', startedAt ?? queuedAt, DELAYED)
  if (state === STOPPING) add('deadline.reached', startedAt ?? queuedAt, STOPPING)
  if (settled !== undefined) past.push({ at: settled.endedAt, note: () => noteEnd(job, raw, state) })
  return past
}

function noteEnd({ sequence, settled }: JobActor, raw: RawJournal, state: number): void {
  if (settled === undefined) return
  const { status, endedAt: at, attempts: attempt, error, reason = 'user', cancelledBy } = settled
  if (status === 'failed' && error !== undefined) {
    raw.item({ type: 'failed', job: sequence, at, state, attempt, error: rawError(error) })
  } else if (status === 'cancelled') {
    raw.item({
      type: 'cancelled',
      job: sequence,
      at,
      state,
      by: cancelledBy ?? 'user',
      reason,
      causedBy: undefined,
    })
  } else raw.replayed(at, sequence, EVENT_CODES['attempt.completed'], state, 0)
}
