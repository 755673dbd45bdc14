import { EspalierError } from '../../domain/errors.ts'
import type { JobResult } from '../../domain/job.ts'
import { RunningAttempt } from '../job/attempt.ts'
import type { JobActor } from '../job/job-actor.ts'
import { EXECUTING, stateOf } from '../job/job-states.ts'
import { endedLinks, linksOf } from '../job/links.ts'
import { Owed } from '../job/owed.ts'
import type { DurableJob } from '../record/durable-job.ts'
import { findReusable } from '../record/reuse.ts'
import { stopAttempt } from './end-attempt.ts'
import type { Loop } from './loop.ts'

/** Carries out what the job chart asks for; each effect ends in exactly one event. */
export class JobEffects {
  readonly #loop: Loop

  constructor(loop: Loop) {
    this.#loop = loop
  }

  carryOut(job: JobActor, type: string, params: unknown): void {
    switch (type) {
      case 'requestSlot':
        this.#loop.enqueue(job)
        return
      case 'startAttempt':
        this.#start(job, params as { attempt: number; at: number })
        return
      case 'stopAttempt':
        this.#stop(job, params as { attempt: number; by: string; reason: string })
        return
      case 'abandonAttempt':
        this.#abandon(job)
        return
      case 'wakeAt':
        this.#loop.deadlines.wish(job, (params as { at: number }).at)
        return
      case 'notify':
        this.#retrying(job, params as { attempt: number; at: number })
        return
      case 'settle': {
        const { links } = job
        this.conclude(job)
        this.tellDependants(job, links)
        return
      }
      default:
        throw new Error(`The job chart asks for an effect "${type}" that the runtime does not know.`)
    }
  }

  #start(job: JobActor, { attempt: number, at }: { attempt: number; at: number }): void {
    const { slots, announcer, reports } = this.#loop
    if (stateOf(job.stateValue) !== EXECUTING) {
      this.#confirmUnstarted(job, number)
      return
    }
    if (job.current !== undefined) {
      job.earlier ??= []
      job.earlier.push(job.current)
    }
    const attempt = new RunningAttempt(job, number, at, slots.claim(), reports)
    slots.hold(attempt)
    job.current = attempt
    if (job.owed === Owed.NOTHING) this.#loop.recorder?.started(job, attempt.slot, at)
    if (announcer.hasListeners('job.started')) announcer.tellOf(job, 'job.started', at, { attempt: number })
    job.extras.observer?.started(job)
    try {
      if (job.extras.cache === undefined || !this.#reuse(attempt, job.extras.cache))
        job.executor.start(attempt, reports)
    } catch (thrown) {
      // After the end was reported, it is no word of the executor but a fault of the pool: not to be lost.
      if (attempt.hasEnded) throw thrown
      reports.failed(attempt, thrown)
    }
    if (job.executor.body !== undefined) this.#loop.recorder?.embodied(job, number, this.#loop.now())
  }

  /** Completes an attempt with the value of a job of the same content, if the store has one. */
  #reuse(attempt: RunningAttempt<JobActor>, name: string): boolean {
    const { settings, reports } = this.#loop
    const found = settings.store && findReusable(attempt.job as DurableJob, name, settings.store)
    if (found === undefined) return false
    reports.completed(attempt, found.value, { reusedFrom: found.reusedFrom })
    return true
  }

  /** A subscriber that heard of the start has cancelled it before it was carried out: nothing is left to end. */
  #confirmUnstarted(job: JobActor, attempt: number): void {
    this.#loop.recorder?.unstarted(job)
    const error = new EspalierError('ESP_JOB_CANCELLED', { jobId: job.id, reason: 'before its start' })
    const at = this.#loop.now()
    job.take({ type: 'attempt.failed', at, attempt, error, reason: 'error', random: 0 })
  }

  #stop(job: JobActor, { attempt, by, reason }: { attempt: number; by: string; reason: string }): void {
    const { current } = job
    if (current === undefined || current.hasEnded || current.attempt !== attempt) return
    const { timeoutMs } = job.context.policy
    const error =
      by === 'timeout'
        ? new EspalierError('ESP_ATTEMPT_TIMEOUT', { jobId: job.id, attempt, timeoutMs })
        : new EspalierError('ESP_JOB_CANCELLED', { jobId: job.id, reason })
    stopAttempt(current, error, this.#loop.settings)
  }

  #abandon(job: JobActor): void {
    const { current } = job
    if (current === undefined || current.hasEnded) return
    const { settings, announcer, recorder } = this.#loop
    recorder?.abandoned(job, !settings.releaseZombies, this.#loop.now())
    settings.logger.warn(
      `Attempt ${current.attempt} of job "${job.id}" ignores its signal: it goes on as a zombie` +
        (settings.releaseZombies ? '.' : ', and keeps its slot until it ends.'),
    )
    if (!announcer.hasListeners('job.zombie')) return
    announcer.tellOf(job, 'job.zombie', this.#loop.now(), { attempt: current.attempt })
  }

  #retrying(job: JobActor, { attempt, at: retryAt }: { attempt: number; at: number }): void {
    const { meter, announcer } = this.#loop
    meter.retries++
    job.extras.observer?.retrying(job)
    if (!announcer.hasListeners('job.retrying')) return
    announcer.tellOf(job, 'job.retrying', this.#loop.now(), { attempt, retryAt })
  }

  /** Lets others hear of a job's end. */
  conclude(job: JobActor): void {
    const { deadlines, jobs, meter, announcer, callbacks } = this.#loop
    const { settled: result } = job
    if (result === undefined) throw new Error(`Job "${job.id}" has settled without a result.`)
    const { status, endedAt: at } = result
    deadlines.remove(job)
    job.settle(result)
    jobs.ended(job, status, at)
    meter.jobEnded(result)
    const type = `job.${status}` as const
    if (announcer.hasListeners(type)) announcer.tellOf(job, type, at, { result })
    const { observer, callback } = job.extras
    observer?.settled(job, result)
    if (callback !== undefined) callbacks.run(callback, result)
    job.links = endedLinks(job.links?.dependencies)
  }

  /** What follows from a job's end for those that wait for it. */
  tellDependants(job: JobActor, links: JobActor['links']): void {
    if (links === undefined) return
    const { status, endedAt: at } = job.settled as JobResult
    for (const dependant of links.dependants) {
      if (!dependant.isActive) continue
      const waiting = linksOf(dependant)
      waiting.outstanding--
      if (status === 'completed' || dependant.extras.runsOnDependencyFailure === true) {
        if (waiting.outstanding === 0) dependant.take({ type: 'dependencies.met', at })
      } else {
        dependant.take({ type: 'job.cancel', at, by: 'dependency', reason: 'dependency', causedBy: job.id })
      }
    }
  }
}
