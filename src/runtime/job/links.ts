import type { JobId } from '../../domain/job.ts'

/** A job's place in the dependency graph. */
export interface Links<Job> {
  /** The jobs themselves, or the ids of those that ended and were forgotten. */
  readonly dependencies: readonly (Job | JobId)[]
  /** How many dependencies have not ended well. */
  outstanding: number
  dependants: Job[]
}

/** The job's place in the dependency graph, made when it gets one. */
export function linksOf<Job extends { links: Links<Job> | undefined }>(job: Job): Links<Job> {
  job.links ??= { dependencies: [], outstanding: 0, dependants: [] }
  return job.links
}

/** What is left of an ended job's place: whom it waited for, by id, or each job of a chain would hold all before it. */
export function endedLinks(
  dependencies: readonly (JobId | { readonly id: JobId })[] | undefined,
): Links<never> | undefined {
  if (dependencies === undefined || dependencies.length === 0) return undefined
  return { dependencies: dependencies.map(idOf), outstanding: 0, dependants: [] }
}

export const idOf = (dependency: JobId | { readonly id: JobId }): JobId =>
  typeof dependency === 'string' ? dependency : dependency.id
