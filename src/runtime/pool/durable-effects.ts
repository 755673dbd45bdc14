import type { JobActor } from '../job/job-actor.ts'
import type { DurableJob } from '../record/durable-job.ts'
import type { Journal } from '../record/journal.ts'
import type { JobEffects } from './job-effects.ts'

/**
 * Carries out the effects of jobs in two parts, before and after their commit.
 *
 * What only follows from a step, such as a place in the queue or the next step of a dependant, belongs to the step's own
 * commit. What others hear of, or what starts something, waits for it.
 */
export class DurableEffects {
  readonly #effects: JobEffects
  readonly #journal: Journal<DurableJob>

  constructor(effects: JobEffects, journal: Journal<DurableJob>) {
    this.#effects = effects
    this.#journal = journal
  }

  carryOut(job: JobActor, type: string, params: unknown): void {
    if (type === 'requestSlot' || type === 'wakeAt') this.#effects.carryOut(job, type, params)
    else this.#hold(job as DurableJob, type, params)
  }

  #hold(job: DurableJob, type: string, params: unknown): void {
    if (type !== 'settle') {
      this.#journal.afterCommit(() => this.#effects.carryOut(job, type, params))
      return
    }
    this.#effects.tellDependants(job, job.links)
    this.#journal.afterCommit(() => this.#effects.conclude(job))
  }
}
