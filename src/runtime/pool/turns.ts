import { type EspalierError, isEspalierError } from '../../domain/errors.ts'
import type { JobActor } from '../job/job-actor.ts'
import type { DurableJob } from '../record/durable-job.ts'
import type { Journal } from '../record/journal.ts'
import { type Fact, Refusals } from '../record/refusals.ts'
import { IdleFlush } from './idle-flush.ts'
import type { PoolSettings } from './options.ts'
import { type DerivedState, takeBack } from './take-back.ts'

/** Whose turns they are: what follows from the jobs' states is taken back with them. */
interface TurningPool extends DerivedState {
  readonly settings: PoolSettings
  /** Absent in memory, where each step is its own commit. */
  readonly journal: Journal<DurableJob> | undefined
  /** Runs `work`, which may step many jobs, and acts only after it. */
  together<Result>(work: () => Result): Result
}

/** The turns of the event loop: what a pool does in one is committed together at its end, or taken back. */
export class Turns {
  readonly #pool: TurningPool
  readonly #turned: () => void
  readonly #end = (): void => {
    this.#isOpen = false
    this.commit()
    this.#turned()
  }
  /** Absent in memory. */
  readonly #refusals: Refusals<DurableJob> | undefined
  readonly #idle: IdleFlush | undefined
  /** Why the store has refused, while it has taken nothing since. */
  #refusal: string | undefined = undefined
  #isOpen = false
  #hasStopped = false

  /** @param turned - Called at the end of each turn that was opened, after its commit. */
  constructor(pool: TurningPool, turned: () => void) {
    this.#pool = pool
    this.#turned = turned
    const { journal, settings } = pool
    const refused = { hasSteps: () => journal?.hasSteps === true, tell: this.#tell }
    this.#refusals = journal && new Refusals(settings.clock, refused)
    this.#idle = journal && new IdleFlush(journal, settings.clock, this.#tellRefused)
  }

  /** Whether the store has refused a commit, and has taken none since. */
  get isRefused(): boolean {
    return this.#refusals?.isRefused === true
  }

  /** Whether a slot may be granted, as far as the store is concerned. */
  get mayGrant(): boolean {
    return this.#refusals?.mayGrant !== false
  }

  /** Something has happened that waits for the end of the turn. */
  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    this.#pool.settings.clock.soon(this.#end)
  }

  /** Commits what this turn has staged, and lets everybody hear of it. */
  commit(): void {
    const { journal } = this.#pool
    if (journal === undefined || this.#hasStopped) return
    this.#pool.together(() => {
      try {
        if (!journal.commit()) return
        this.#refusals?.taken()
        this.#idle?.committed()
        this.#tellTaken()
      } catch (error) {
        if (!isEspalierError(error, 'ESP_STORE_REFUSED')) throw error
        this.#tellRefused(error)
        this.#refusals?.refused(takeBack(this.#pool, journal, error))
      }
    })
  }

  /** Commits no more, and tries nothing again: the store is another's. */
  stop(): void {
    this.#idle?.stop()
    this.#hasStopped = true
    this.#refusals?.stop()
  }

  /** Tells a job that its deadline is reached; while the store refuses, that waits with all else. */
  deadlineOf(job: JobActor, at: number): void {
    const event = { type: 'deadline.reached', at } as const
    if (this.isRefused) this.#refusals?.hold(job as DurableJob, event)
    else job.take(event)
  }

  /** Once, however often it is tried again. */
  readonly #tellRefused = ({ message }: EspalierError): void => {
    if (message === this.#refusal) return
    this.#refusal = message
    this.#pool.settings.logger.error(message)
  }

  #tellTaken(): void {
    if (this.#refusal === undefined || this.isRefused) return
    this.#refusal = undefined
    this.#pool.settings.logger.info('The store takes commits again.')
  }

  readonly #tell = (facts: readonly Fact<DurableJob>[]): void => {
    this.#pool.together(() => {
      for (const [job, event] of facts) {
        const isLate = event.type === 'deadline.reached'
        job.take(isLate ? { ...event, at: this.#pool.now() } : event)
      }
    })
  }
}
