import type { JobEvent } from '../../../machines/index.ts'
import type { OutputStream } from '../../domain/job.ts'
import type { Tree } from '../../domain/tree.ts'
import type { Workflow } from '../../domain/workflow.ts'
import type { OrchestratorActor } from '../charts/charts.ts'
import type { RunStreamEvent } from '../events/run-events.ts'
import type { Dependency, JobActor, JobEntry } from '../job/job-actor.ts'

/** What an attempt has written to a stream. */
export interface Written {
  readonly attempt: number
  readonly stream: OutputStream
  readonly chunk: string
  /** Whether it is the last that is kept: what follows is dropped. */
  readonly truncated: boolean
}

/** A run of a pool: its orchestrator. */
export interface RecordedRun {
  readonly runId: string
  readonly workflow: Workflow
  readonly actor: OrchestratorActor
  readonly tree: Tree
}

/**
 * Writes down what happens in a pool, as it is committed: a pool has one at most.
 *
 * It is called in the middle of a step, so it only notes what it is given, and neither throws nor sends events. Of what a job
 * owes (see `Owed`) it is not told. In a pool with a store it looks only at what is known of a job: the rest may be refused.
 */
export interface Recorder {
  /** @param hasChosenId - Whether the id is not the one that follows from the job's sequence. */
  submitted(job: JobActor, hasChosenId: boolean): void
  dependsOn(job: JobActor, dependencies: readonly Dependency[]): void
  /**
   * A step of a job's chart is about to become its snapshot.
   *
   * @param to - The state it leads to, as an index into `JOB_STATES`; the one before when only the context changes.
   */
  stepped(job: JobActor, event: JobEvent, to: number): void
  /** An event reached a job and changed nothing. */
  ignored(job: JobActor, event: JobEvent, at: number): void
  /** The job's attempt has been given a slot, and starts. */
  started(job: JobActor, slot: number, at: number): void
  /** The job's attempt has been given a slot, and never starts: somebody who heard of it has cancelled the job. */
  unstarted(job: JobActor): void
  /** Its executor has been given the attempt, and runs it as an actor: `job.body`, unless that has ended already. */
  embodied(job: JobActor, attempt: number, at: number): void
  /**
   * An attempt that ignores its signal runs on, though its job has settled.
   *
   * @param hasSlot - Whether it keeps its slot until it ends.
   */
  abandoned(job: JobActor, hasSlot: boolean, at: number): void
  /** What was abandoned has ended. */
  abandonedEnded(job: JobActor, at: number): void
  /** A queued job is about to get another priority, an index into `PRIORITIES`. */
  prioritised(job: JobActor, priority: number, at: number): void
  /** @param fraction - From 0 to 1. */
  progressed(job: JobActor, fraction: number, at: number): void
  logged(job: JobActor, attempt: number, line: string, at: number): void
  printed(job: JobActor, written: Written, at: number): void
  /** The pool no longer knows a job that has ended. */
  forgotten(job: JobEntry): void
  poolChanged(type: string, at: number): void
  /** Jobs are there that a store had from before: what they have been through belongs to what is written down. */
  tookUp(): void
  /** Something happened in a run of this pool. */
  ran(run: RecordedRun, event: RunStreamEvent): void
}
