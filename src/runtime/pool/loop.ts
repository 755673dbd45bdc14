import type { JobEvent } from '../../../machines/index.ts'
import type { CancelSource } from '../../domain/job.ts'
import type { AttemptSink } from '../../ports/executor.ts'
import type { AttemptListener, RunningAttempt } from '../job/attempt.ts'
import type { JobActor } from '../job/job-actor.ts'
import type { Deadlines, Sleeper } from '../scheduling/deadlines.ts'
import type { Slots } from '../scheduling/slots.ts'
import type { Announcer } from './announcer.ts'
import type { CallbackRunner } from './callbacks.ts'
import type { JobTable } from './job-table.ts'
import type { Leaving } from './leaving.ts'
import type { Meter } from './metrics.ts'
import type { PoolSettings } from './options.ts'
import type { Recorder } from './recorder.ts'

/** The loop of a pool, as those see it who carry out effects and take reports for it: the supervisor. */
export interface Loop extends Sleeper {
  readonly settings: PoolSettings
  readonly jobs: JobTable
  readonly slots: Slots<RunningAttempt<JobActor>>
  readonly deadlines: Deadlines
  readonly announcer: Announcer
  readonly reports: AttemptSink & AttemptListener
  readonly meter: Meter
  readonly callbacks: CallbackRunner
  /** Absent in memory, where nobody could go on with what is left. */
  readonly leaving: Leaving | undefined
  /** Present while somebody wants to see what happens. */
  readonly recorder: Recorder | undefined
  /** How many slots there are. */
  readonly limit: number
  now(): number
  act(): void
  /** Commits what this turn has staged, and lets everybody hear of it. */
  commitTurn(): void
  cancel(job: JobActor, by: CancelSource, reason: string): boolean
  /** Puts a job that wants a slot into the ready queue. */
  enqueue(job: JobActor): void
  /** Frees the slot of an attempt whose job has gone on without it. */
  freeSlot(attempt: RunningAttempt<JobActor>, at: number): void
  /** Records an event that changed nothing. */
  ignored(job: JobActor, event: JobEvent): void
}
