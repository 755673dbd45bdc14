import { createHash } from 'node:crypto'
import type { JobId } from '../../domain/job.ts'
import { storedJson } from '../../domain/stored-json.ts'
import type { RunStore } from '../../ports/run-store.ts'
import type { JobActor } from '../job/job-actor.ts'
import type { DurableJob } from './durable-job.ts'

/** A value that a job of the same content has completed with, and which job. */
export interface Reusable {
  readonly value: unknown
  readonly reusedFrom: JobId
}

/**
 * Looks for the value of a job that is about to start: one of the same content has completed with it, in any run.
 *
 * The content is what runs, its version, its arguments, and the values of what it depends on, in their order: so the same
 * step is found again in another run, where its dependencies have other ids.
 */
export function findReusable(job: DurableJob, name: string, store: RunStore): Reusable | undefined {
  const key = `${name}:${hashOf([job.args, valuesOf(job)])}`
  job.cacheKey = key
  const found = store.cached(key)
  if (found === undefined) return undefined
  const { jobId: reusedFrom, value } = found
  return { value: storedJson(value, 'value', 'job', reusedFrom), reusedFrom }
}

function valuesOf({ links }: JobActor): unknown[] {
  return (links?.dependencies ?? []).map((dependency) =>
    typeof dependency === 'string' ? null : [dependency.settled?.status, dependency.settled?.value],
  )
}

function hashOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content, inOrder)).digest('base64url')
}

/** The same object with its keys in another order is the same content. */
function inOrder(_: string, value: unknown): unknown {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? Object.fromEntries(Object.entries(value).sort(byKey)) : value
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)
