import type { JobEvent } from '../../../machines/index.ts'
import { EspalierError } from '../../domain/errors.ts'
import type { JobUsage, OutputStream } from '../../domain/job.ts'
import { toError } from '../../domain/thrown.ts'
import type { Attempt, AttemptSink } from '../../ports/executor.ts'
import type { AttemptListener, RunningAttempt } from '../job/attempt.ts'
import type { JobActor } from '../job/job-actor.ts'
import { EXECUTING, stateOf } from '../job/job-states.ts'
import type { Loop } from './loop.ts'

type Running = RunningAttempt<JobActor>

/** Turns what executors and attempts report into events of the job: the first word on an attempt's end counts. */
export class AttemptReports implements AttemptSink, AttemptListener {
  readonly #loop: Loop

  constructor(loop: Loop) {
    this.#loop = loop
  }

  completed(reported: Attempt, value: unknown, usage?: JobUsage): void {
    const attempt = reported as Running
    if (attempt.hasEnded) return
    const at = this.#end(attempt)
    this.#report(attempt.job, { type: 'attempt.completed', at, attempt: attempt.attempt, value, usage })
  }

  failed(attempt: Attempt, thrown: unknown, usage?: JobUsage): void {
    this.#fail(attempt as Running, toError(thrown), 'error', usage)
  }

  lost(reported: Attempt, how = 'what ran it went away without a result', usage?: JobUsage): void {
    const attempt = reported as Running
    const { attempt: number, jobId } = attempt
    this.#fail(attempt, new EspalierError('ESP_ATTEMPT_LOST', { jobId, attempt: number, how }), 'lost', usage)
  }

  rejected(attempt: Attempt, thrown: unknown, usage?: JobUsage): void {
    this.#fail(attempt as Running, toError(thrown), 'rejected', usage)
  }

  output(reported: Attempt, stream: OutputStream, chunk: string): boolean {
    const attempt = reported as Running
    const cap = attempt.output(stream)
    if (attempt.hasEnded || cap.isTruncated) return false
    const passing = cap.take(chunk)
    const written = { attempt: attempt.attempt, stream, chunk: passing, truncated: cap.isTruncated }
    const { announcer, recorder } = this.#loop
    recorder?.printed(attempt.job, written, this.#loop.now())
    if (announcer.hasListeners('job.output'))
      announcer.tellOf(attempt.job, 'job.output', this.#loop.now(), written)
    return !written.truncated
  }

  progressed(reported: RunningAttempt, fraction: number, note: string | undefined, truncated: boolean): void {
    const { job, attempt } = reported as Running
    const { announcer } = this.#loop
    job.extras.observer?.progressed(job, fraction, note)
    this.#loop.recorder?.progressed(job, fraction, this.#loop.now())
    if (!announcer.hasListeners('job.progress')) return
    announcer.tellOf(job, 'job.progress', this.#loop.now(), { attempt, fraction, note, truncated })
  }

  logged(reported: RunningAttempt, line: string, truncated: boolean): void {
    const { job, attempt } = reported as Running
    const { announcer, recorder } = this.#loop
    recorder?.logged(job, attempt, line, this.#loop.now())
    if (!announcer.hasListeners('job.log')) return
    announcer.tellOf(job, 'job.log', this.#loop.now(), { attempt, line, truncated })
  }

  #fail(
    attempt: Running,
    error: Error,
    reason: 'error' | 'lost' | 'rejected',
    usage: JobUsage | undefined,
  ): void {
    if (attempt.hasEnded) return
    const random = this.#loop.settings.random.next()
    // It was asked to end for no fault of its own.
    const isLeft =
      reason === 'error' && this.#loop.leaving?.hasBegun && stateOf(attempt.job.stateValue) === EXECUTING
    const at = this.#end(attempt)
    const { attempt: number } = attempt
    this.#report(attempt.job, {
      type: 'attempt.failed',
      at,
      attempt: number,
      error,
      reason: isLeft ? 'lost' : reason,
      random,
      usage,
    })
  }

  /** Notes the end that the executor confirms; the slot of a zombie is free only now. */
  #end(attempt: Running): number {
    const at = this.#loop.now()
    attempt.end(at)
    if (this.#loop.slots.isZombie(attempt)) this.#loop.freeSlot(attempt, at)
    return at
  }

  /** An actor that has ended drops what it is sent: that a result came too late is recorded here. */
  #report(job: JobActor, event: JobEvent): void {
    if (job.isActive) {
      job.take(event)
      return
    }
    this.#loop.ignored(job, event)
    this.#loop.act()
  }
}
