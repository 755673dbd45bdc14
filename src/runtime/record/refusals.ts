import type { JobEvent } from '../../../machines/index.ts'
import type { Clock } from '../../ports/clock.ts'

/** How long a pool rests after a refusal before it tries its store again, in ms; twice as long after each further one. */
const REST_MS = 1_000
const REST_MS_MAX = 30_000

/** What came from outside and could not be committed. */
export type Fact<Job> = readonly [job: Job, event: JobEvent]

/** A pool as its refusals see it. */
export interface RefusedPool<Job> {
  /** Tells jobs what they were told before, and grants what may be granted. */
  tell(facts: readonly Fact<Job>[]): void
  /** Whether a job has a step that waits for its commit. */
  hasSteps(): boolean
}

/**
 * What a pool does while its store refuses to commit: it rests, then tries with one fact, or one grant.
 *
 * A fact that the store takes brings twice as many with the next commit, until none is left. So a store that refuses
 * for hours costs one small transaction now and then, however much waits for it.
 */
export class Refusals<Job> {
  readonly #clock: Clock
  readonly #pool: RefusedPool<Job>
  #held: Fact<Job>[] = []
  /** 0 while the store takes commits. */
  #restMs = 0
  /** Ends the rest; absent when there is none. */
  #endRest: (() => void) | undefined
  /** How many facts the next commit is tried with. */
  #batch = 1

  constructor(clock: Clock, pool: RefusedPool<Job>) {
    this.#clock = clock
    this.#pool = pool
  }

  /** Whether the store has refused a commit, and has taken none since. */
  get isRefused(): boolean {
    return this.#restMs > 0
  }

  /** Whether a slot may be granted: while the store refuses, one at a time, and none during a rest. */
  get mayGrant(): boolean {
    return (
      this.#restMs === 0 || !(this.#endRest !== undefined || this.#held.length > 0 || this.#pool.hasSteps())
    )
  }

  /** Keeps a fact for later, instead of stepping a job for it. */
  hold(job: Job, event: JobEvent): void {
    this.#held.push([job, event])
  }

  /** The store has refused a commit with these facts in it. */
  refused(facts: readonly Fact<Job>[]): void {
    if (this.#endRest !== undefined) {
      this.#held.push(...facts)
      return
    }
    this.#held = [...facts, ...this.#held]
    this.#restMs = Math.min(this.#restMs === 0 ? REST_MS : this.#restMs * 2, REST_MS_MAX)
    this.#batch = 1
    this.#endRest = this.#clock.wakeAt(this.#clock.now() + this.#restMs, () => this.#tryAgain())
  }

  /** The store has taken a commit. */
  taken(): void {
    if (this.#restMs === 0) return
    this.#endRest?.()
    this.#batch *= 2
    if (this.#held.length === 0) this.#end()
    else this.#tryAgain()
  }

  /** Tries no more: the pool has ended. */
  stop(): void {
    this.#endRest?.()
    this.#end()
  }

  #tryAgain(): void {
    this.#endRest = undefined
    // What changes nothing any more asks for no commit, and tells nothing about the store.
    do {
      this.#pool.tell(this.#held.splice(0, this.#batch))
    } while (this.#held.length > 0 && !this.#pool.hasSteps())
    if (!this.#pool.hasSteps()) this.#end()
  }

  #end(): void {
    this.#restMs = 0
    this.#endRest = undefined
  }
}
