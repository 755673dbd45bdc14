import { Fifo } from '../../domain/fifo.ts'
import type { JobActor } from '../job/job-actor.ts'
import type { Announcer } from './announcer.ts'

/** Whose submissions are told. */
interface IntroducingPool {
  readonly announcer: Announcer
  /** Absent in memory. */
  readonly journal: object | undefined
  /** Runs `work`, which may step many jobs, and acts only after it. */
  together<Result>(work: () => Result): Result
}

/**
 * Tells of submissions one after another.
 *
 * What somebody submits who hears of one comes after it: told at once, it would be told on a stack that grows with each.
 */
export class Introductions {
  readonly #pool: IntroducingPool
  readonly #waiting = new Fifo<() => void>()
  #isTelling = false

  constructor(pool: IntroducingPool) {
    this.#pool = pool
  }

  /** Whether somebody hears of a submission before its job is connected: with a store, all hear of it after the commit. */
  get areHeard(): boolean {
    return this.#pool.journal === undefined && this.#pool.announcer.hasListeners('job.submitted')
  }

  /** Tells of jobs that were admitted together, and then has them connected; behind others that are being told of. */
  add(jobs: readonly JobActor[], at: number, connect: () => void): void {
    this.#waiting.push(() => {
      for (const job of jobs) this.tell(job, at)
      connect()
    })
    if (!this.#isTelling) this.#pool.together(() => this.#tellAll())
  }

  tell(job: JobActor, at: number): void {
    const { announcer } = this.#pool
    if (announcer.hasListeners('job.submitted')) announcer.tellOf(job, 'job.submitted', at, {})
  }

  #tellAll(): void {
    this.#isTelling = true
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next()
    } finally {
      this.#isTelling = false
    }
  }
}
