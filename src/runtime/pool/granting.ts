import type { PoolActor } from '../charts/charts.ts'
import type { JobActor } from '../job/job-actor.ts'
import type { ReadyQueue } from '../scheduling/ready-queue.ts'
import type { ResourceLines } from '../scheduling/resource-lines.ts'
import type { JobCounts } from './job-counts.ts'
import type { PoolSettings } from './options.ts'

/** How long slots are granted without letting the event loop turn, in ms: timers and sockets get their share. */
const TURN_MS = 20

/** Whose slots are granted, and to whom. */
interface GrantingPool {
  readonly settings: PoolSettings
  readonly actor: PoolActor
  readonly ready: ReadyQueue<JobActor>
  /** The ready jobs that want resources; all others are in `ready`. */
  readonly lines: ResourceLines<JobActor>
  readonly counts: JobCounts
  readonly slots: { readonly busy: number }
  readonly limit: number
  now(): number
}

/** Grants free slots to ready jobs, one at a time. */
export class Granting {
  readonly #pool: GrantingPool
  /** The job whose grant waits in its mailbox, since it is at a step: its slot is not taken before that is over. */
  #granted: JobActor | undefined
  /** When the first slot of this turn of the event loop was granted. */
  #since: number | undefined

  constructor(pool: GrantingPool) {
    this.#pool = pool
  }

  /** Puts a job that wants a slot into the ready queue. */
  enqueue(job: JobActor): void {
    const { settings, ready, lines } = this.#pool
    const at = settings.promoteAfterMs > 0 ? this.#pool.now() : 0
    const { demand } = job
    if (demand === undefined) ready.add(job, at)
    else lines.add(job, demand, at)
  }

  /** Grants one slot. @returns `false` when there is none to grant, no job to take it, or no time left in this turn. */
  grant(): boolean {
    const { counts, ready, lines, slots, limit } = this.#pool
    if (counts.ready === 0) {
      ready.clear()
      if (!lines.isEmpty) lines.clear()
      return false
    }
    if (this.#granted !== undefined || slots.busy >= limit || !this.#mayStart) return false
    const at = this.#pool.now()
    this.#since ??= at
    if (at - this.#since > TURN_MS) return false
    const job = lines.isEmpty ? ready.take(at) : lines.take(ready, at)
    if (job === undefined) return false
    job.take({ type: 'slot.granted', at })
    if (job.isReady) this.#granted = job
    return true
  }

  /** A job has left the state it was in. */
  stepped(job: JobActor): void {
    if (job === this.#granted) this.#granted = undefined
  }

  /** The event loop has turned. */
  turned(): void {
    this.#since = undefined
  }

  get #mayStart(): boolean {
    const pool = this.#pool.actor.getSnapshot()
    return pool.hasTag('dispatching') || (pool.hasTag('trickling') && this.#pool.counts.running === 0)
  }
}
