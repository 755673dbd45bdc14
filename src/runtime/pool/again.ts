import type { Execute, JobSpec } from '../../domain/job.ts'
import { present } from '../../domain/present.ts'
import { PRIORITIES } from '../../domain/priority.ts'
import { resourcesOf } from '../../domain/resources.ts'
import type { JobActor } from '../job/job-actor.ts'
import { idOf } from '../job/links.ts'
import { DurableJob } from '../record/durable-job.ts'

/**
 * What a job that has ended is submitted with again: all that it was, but its id, its `dedupeKey`, its callback, its delay, and
 * `cache`, since it is to run. Its priority is the one that it had in the end.
 */
export function specAgain(job: JobActor): JobSpec {
  const { timeoutMs, maxRetries, backoff } = job.context.policy
  return {
    ...(job instanceof DurableJob ? storedPart(job) : heldPart(job)),
    ...present({ priority: PRIORITIES[job.priority], score: job.score, timeoutMs, maxRetries, backoff }),
    ...present(job.context.origin ?? {}),
  }
}

/** One of an earlier process has no more than its store has. */
function storedPart({ submitted }: DurableJob): JobSpec {
  const { execute, args, executor, memoryLimitBytes, resources, dependencies, onDependencyFailure } =
    submitted
  return {
    execute: 'handler' in execute ? execute.handler : (execute as Execute),
    ...present({ args, executor, memoryLimitBytes, resources, dependencies, onDependencyFailure }),
  }
}

function heldPart({ execute, args, extras, links }: JobActor): JobSpec {
  const { executor, memoryLimitBytes, demand, runsOnDependencyFailure } = extras
  return {
    execute,
    ...present({
      args,
      executor: executor?.name,
      memoryLimitBytes,
      resources: demand && resourcesOf(demand),
      dependencies: links?.dependencies.map(idOf),
      onDependencyFailure: runsOnDependencyFailure ? ('run' as const) : undefined,
    }),
  }
}
