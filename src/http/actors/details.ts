import type { AnyActorRef } from 'xstate'
import { EspalierError } from '../../domain/errors.ts'
import type { JobStatus } from '../../domain/job.ts'
import { PRIORITIES, type Priority } from '../../domain/priority.ts'
import { JOB_STATES } from '../../protocol/journal.ts'
import type { ActorDetail, CappedValue, JobDetail, WaitReason } from '../../protocol/messages.ts'
import type { Dependency, JobActor } from '../../runtime/job/job-actor.ts'
import { stateOf } from '../../runtime/job/job-states.ts'
import type { Supervisor } from '../../runtime/pool/supervisor.ts'
import { activeStates } from '../notes/active-states.ts'
import { kindOf, rawError } from '../notes/raw-facts.ts'
import { eventsForJob } from './accepted-events.ts'
import { toCapped } from './capped-value.ts'

/** How many neighbours of a job are listed. */
const NEIGHBOURS_MAX = 1_000
/** Of more jobs that are ready the place of one is not worth the time. */
const COUNTED_MAX = 10_000
/** How many dependencies that are outstanding are named. */
const OUTSTANDING_MAX = 100

/** @throws {EspalierError} `ESP_UNKNOWN_JOB`. */
export function jobDetail(
  supervisor: Supervisor,
  startedAt: number,
  jobId: string,
  isFull: boolean,
): JobDetail {
  const job = supervisor.jobs.get(jobId)
  if (job === undefined) throw new EspalierError('ESP_UNKNOWN_JOB', { jobId })
  const { settled, context, links } = job
  const since = (at: number) => Math.round(1000 * (at - startedAt))
  const state = JOB_STATES[stateOf(job.stateValue)] as string
  const started = settled?.startedAt ?? context.startedAt
  const value = (given: unknown): CappedValue => toCapped(given, isFull)
  const waits = waitOf(supervisor, job)
  const dependencies = links?.dependencies ?? []
  const dependants = links?.dependants ?? []
  return {
    id: job.id,
    state,
    status: job.status,
    kind: kindOf(job.execute),
    priority: PRIORITIES[job.priority] as Priority,
    score: job.score,
    attempts: settled?.attempts ?? context.attempt,
    queuedAt: since(context.queuedAt),
    ...(job.nodeId === undefined ? {} : { nodeId: job.nodeId }),
    ...(job.treeId === undefined ? {} : { treeId: job.treeId }),
    ...(started === undefined ? {} : { startedAt: since(started) }),
    ...(settled === undefined ? {} : { endedAt: since(settled.endedAt) }),
    actor: actorDetail(job as unknown as AnyActorRef, job.id, eventsForJob(job), isFull),
    ...(job.body === undefined ? {} : { body: actorDetail(job.body, 'body', [], isFull) }),
    ...(waits === undefined ? {} : { waits }),
    args: value(job.args),
    metadata: value(context.origin?.metadata),
    policy: value(context.policy),
    ...(settled?.status === 'completed' ? { value: value(settled.value) } : {}),
    ...(settled?.error === undefined
      ? {}
      : { error: settled.error.message, failure: failureOf(settled.error) }),
    ...(settled?.reason === undefined ? {} : { reason: settled.reason }),
    ...(settled?.cancelledBy === undefined ? {} : { cancelledBy: settled.cancelledBy }),
    ...(settled?.causedBy === undefined ? {} : { causedBy: settled.causedBy }),
    dependencies: dependencies.slice(0, NEIGHBOURS_MAX).map((each) => neighbour(supervisor, each)),
    dependants: dependants.slice(0, NEIGHBOURS_MAX).map((each) => neighbour(supervisor, each)),
    dependenciesTotal: dependencies.length,
    dependantsTotal: dependants.length,
  }
}

/**
 * @param id - What the page calls the actor.
 * @param accepts - What a page may send it now.
 */
export function actorDetail(
  actor: AnyActorRef,
  id: string,
  accepts: readonly string[],
  isFull: boolean,
): ActorDetail {
  const snapshot = actor.getSnapshot()
  const { value, status, tags, context, machine } = snapshot
  return {
    id,
    machine: machine?.id ?? '',
    value,
    status,
    tags: [...((tags ?? []) as Iterable<string>)],
    context: toCapped(context, isFull),
    accepts,
    active: activeStates(snapshot),
  }
}

function failureOf(error: Error): NonNullable<JobDetail['failure']> {
  const { name, message, code, stack } = rawError(error)
  return { name, message, ...(code === '' ? {} : { code }), ...(stack === '' ? {} : { stack }) }
}

function neighbour(supervisor: Supervisor, dependency: Dependency): { id: string; status?: JobStatus } {
  if (typeof dependency !== 'string') return { id: dependency.id, status: dependency.status }
  const status = supervisor.jobs.tombstone(dependency)
  return { id: dependency, ...(status === undefined ? {} : { status }) }
}

/** Why a job is not running. */
function waitOf(supervisor: Supervisor, job: JobActor): WaitReason | undefined {
  const value = job.stateValue
  if (typeof value !== 'object' || !('queued' in value)) return undefined
  if (value.queued === 'delayed') return { for: 'instant', at: job.context.deadlineAt ?? 0 }
  if (value.queued === 'blocked') {
    const outstanding = (job.links?.dependencies ?? []).filter(
      (dependency): dependency is JobActor =>
        typeof dependency !== 'string' && dependency.settled === undefined,
    )
    const ids = outstanding.slice(0, OUTSTANDING_MAX).map(({ id }) => id)
    return { for: 'dependencies', outstanding: job.links?.outstanding ?? 0, ids }
  }
  const { dispatch } = supervisor.actor.getSnapshot().value
  if (dispatch !== 'open') return { for: 'pool', dispatch }
  const ready = supervisor.counts.ready
  return ready > COUNTED_MAX
    ? { for: 'slot', ready }
    : { for: 'slot', ready, position: positionOf(supervisor, job) }
}

function positionOf(supervisor: Supervisor, job: JobActor): number {
  let position = 1
  for (const other of supervisor.ready) {
    if (other === job) break
    position++
  }
  return position
}
