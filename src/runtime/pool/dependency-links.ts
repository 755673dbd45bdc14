import type { CancelSource, EndedStatus, JobId } from '../../domain/job.ts'
import type { Dependency, JobActor } from '../job/job-actor.ts'
import { idOf, linksOf } from '../job/links.ts'
import type { JobTable } from './job-table.ts'
import type { Recorder } from './recorder.ts'

/** What a pool knows and does for the links between its jobs. */
interface LinkingPool {
  readonly jobs: Pick<JobTable, 'tombstone'>
  readonly recorder: Recorder | undefined
  /** Calls back once others may know what has happened to a job so far. */
  whenKnown(job: JobActor, tell: () => void): void
  cancel(job: JobActor, by: CancelSource, reason: string, causedBy: JobId): boolean
}

/** Connects a job with the jobs it waits for; one that waits for nothing more gets ready. */
export function connect(
  pool: LinkingPool,
  job: JobActor,
  dependencies: readonly Dependency[],
  at: number,
): void {
  if (dependencies.length === 0) {
    job.take({ type: 'dependencies.met', at })
    return
  }
  const fault = link(pool, job, dependencies)
  if (fault !== undefined) pool.cancel(job, 'dependency', 'dependency', fault)
  else if (job.links?.outstanding === 0) job.take({ type: 'dependencies.met', at })
}

/**
 * Notes which jobs a job waits for.
 *
 * @returns One that ended in a way which the job does not bear.
 */
export function link(
  pool: LinkingPool,
  job: JobActor,
  dependencies: readonly Dependency[],
): JobId | undefined {
  const links = { dependencies, outstanding: 0, dependants: job.links?.dependants ?? [] }
  job.links = links
  if (pool.recorder !== undefined || job.isPending)
    pool.whenKnown(job, () => pool.recorder?.dependsOn(job, dependencies))
  let fault: JobId | undefined
  for (const dependency of dependencies) {
    const ended = endOf(pool, dependency)
    if (ended === undefined) {
      linksOf(dependency as JobActor).dependants.push(job)
      links.outstanding++
    } else if (ended !== 'completed' && job.extras.runsOnDependencyFailure !== true) {
      fault ??= idOf(dependency)
    }
  }
  return fault
}

function endOf({ jobs }: LinkingPool, dependency: Dependency): EndedStatus | undefined {
  if (typeof dependency === 'string') return jobs.tombstone(dependency)
  return dependency.settled?.status
}
