import type { Execute, JobId, JobSpec, ModuleHandler } from '../../domain/job.ts'
import type { Workflow } from '../../domain/workflow.ts'
import type { JobPoolOptions } from '../../runtime/pool/options.ts'
import type { HandlerModels } from './outcomes.ts'
import type { Invariant } from './world-view.ts'

/** Jobs without a tree, for what needs no workflow. `execute` is not run unless `handlers` says so. */
export interface JobSet {
  readonly name?: string
  readonly jobs: readonly (Omit<JobSpec, 'execute'> & { readonly id: JobId; readonly execute?: Execute })[]
}

/** What is put to the test. */
// biome-ignore lint/suspicious/noExplicitAny: a workflow of any input type can be tested.
export type Subject = Workflow<any> | JobSet

/** A pool's options, without those that a world provides. */
export type WorldPoolOptions = Omit<
  JobPoolOptions,
  'executorType' | 'executors' | 'host' | 'clock' | 'random' | 'ids' | 'inspect' | 'logger' | 'signal'
>

export interface WorldOptions {
  /** The run's input. */
  readonly input?: unknown
  readonly pool?: WorldPoolOptions
  readonly handlers?: HandlerModels
  /** Keeps everything in a simulated store, which outlives a crash. Default: only when `crash` is among the faults. */
  readonly isDurable?: boolean
  /** Checked at each quiet point, beside the built-in ones. */
  readonly invariants?: readonly Invariant[]
}

/** What stands for a handler: the world's executors know it by its name. */
export const markerOf = (name: string): ModuleHandler => ({ module: 'espalier:simulated', export: name })

/** What each handler does in the real world. */
export function handlersOf(subject: Subject): Readonly<Record<string, Execute | undefined>> {
  if (!('jobs' in subject)) return subject.handlers
  return Object.fromEntries(subject.jobs.map(({ id, execute }) => [id, execute]))
}
