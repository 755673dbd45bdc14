import { EspalierError } from '../../domain/errors.ts'
import { PRIORITIES } from '../../domain/priority.ts'
import { runOf } from '../../domain/trace.ts'
import type { Command, CommandResult, JobSelection, SkippedJobs } from '../../protocol/messages.ts'
import type { JobActor } from '../../runtime/job/job-actor.ts'
import { specAgain } from '../../runtime/pool/again.ts'
import { PoolCore } from '../../runtime/pool/job-pool.ts'
import { DurableJob } from '../../runtime/record/durable-job.ts'
import type { Feed } from '../feed/feed.ts'
import { eventsForJob, eventsForPool } from './accepted-events.ts'

/** Ids that a result lists. */
const IDS_LISTED_MAX = 1_000
const SKIPPED_LISTED_MAX = 20
/** Jobs that are changed before the event loop turns, so that a command on many does not hold up the pool. */
const JOBS_PER_TURN = 1_000

/** Why a command cannot be done to a job; `undefined` when it can. */
type Refuse = (job: JobActor) => string | undefined

/** Carries out what a page asks for. */
export class Commands {
  readonly #pool: PoolCore
  readonly #feed: Feed

  constructor(pool: PoolCore, feed: Feed) {
    this.#pool = pool
    this.#feed = feed
  }

  /** @throws {EspalierError} For a command that cannot be carried out at all. */
  async carryOut(command: Command): Promise<CommandResult> {
    switch (command.type) {
      case 'pool.pause':
        this.#pool.pause()
        return DONE
      case 'pool.resume':
        this.#pool.resume()
        return DONE
      case 'pool.limit':
        this.#pool.setMaxParallelJobs(command.maxParallelJobs)
        return DONE
      case 'jobs.cancel': {
        const { jobs, reason, isPreview = false } = command
        return this.#each(jobs, isPreview, hasEnded, (job) => {
          job.cancel(reason)
          return job.id
        })
      }
      case 'jobs.retry':
        return this.#each(command.jobs, command.isPreview ?? false, cannotRetry, (job) => this.#retry(job))
      case 'jobs.prioritise': {
        const { jobs, priority, isPreview = false } = command
        const band = PRIORITIES.indexOf(priority)
        const cannot: Refuse = (job) =>
          isNotQueued(job) ?? (job.priority === band ? `it is ${priority} already` : undefined)
        return this.#each(jobs, isPreview, cannot, (job) => {
          this.#pool.prioritiseJob(job.id, priority)
          return job.id
        })
      }
      case 'actor.send':
        return this.#send(command.actor, command.event)
    }
  }

  async #each(
    selection: JobSelection,
    isPreview: boolean,
    refuse: Refuse,
    act: (job: JobActor) => string,
  ): Promise<CommandResult> {
    const ids =
      'ids' in selection ? selection.ids : await this.#feed.ask({ type: 'ids', filter: selection.filter })
    const { jobs } = PoolCore.partsOf(this.#pool).supervisor
    const done: string[] = []
    const skipped = new Map<string, { count: number; ids: string[] }>()
    let doneCount = 0
    for (const [index, id] of ids.entries()) {
      if (index % JOBS_PER_TURN === JOBS_PER_TURN - 1) await new Promise((resolve) => setImmediate(resolve))
      const job = jobs.get(id)
      let why = job === undefined ? 'it is not known, or not any more' : refuse(job)
      if (job !== undefined && why === undefined) {
        try {
          const changed = isPreview ? id : act(job)
          doneCount++
          if (done.length < IDS_LISTED_MAX) done.push(changed)
        } catch (error) {
          why = (error as Error).message
        }
      }
      if (why !== undefined) skip(skipped, why, id)
    }
    const lines: SkippedJobs[] = Array.from(skipped, ([why, { count, ids: listed }]) => ({
      why,
      count,
      ids: listed,
    }))
    return { isPreview, done: doneCount, ids: done, skipped: lines }
  }

  #retry(job: JobActor): string {
    return PoolCore.partsOf(this.#pool).submissions.submit(specAgain(job)).id
  }

  #send(actor: string, event: { readonly type: string; readonly [field: string]: unknown }): CommandResult {
    const { supervisor } = PoolCore.partsOf(this.#pool)
    const job = supervisor.jobs.get(actor)
    if (actor !== 'pool' && job === undefined) throw new EspalierError('ESP_UNKNOWN_JOB', { jobId: actor })
    const known = job === undefined ? eventsForPool(supervisor.actor) : eventsForJob(job)
    if (!known.includes(event.type)) {
      throw new EspalierError('ESP_EVENT_REFUSED', { actor, event: event.type, known })
    }
    if (event.type === 'job.cancel') job?.cancel()
    else if (job !== undefined) job.body?.send(event)
    else if (event.type === 'pool.pause') this.#pool.pause()
    else this.#pool.resume()
    return { ...DONE, ids: [actor] }
  }
}

const DONE: CommandResult = { isPreview: false, done: 1, ids: [], skipped: [] }

const hasEnded: Refuse = (job) => (job.settled === undefined ? undefined : 'it has ended')

const isNotQueued: Refuse = (job) => (job.status === 'queued' ? undefined : 'it is not queued any more')

const cannotRetry: Refuse = (job) => {
  if (job.settled === undefined) return 'it has not ended'
  // Of a run that nobody has taken up, no job knows its node.
  const isOfTree =
    job.extras.observer !== undefined || (job instanceof DurableJob && runOf(job.submitted) !== undefined)
  return isOfTree ? 'it belongs to a tree, whose workflow decides what runs again' : undefined
}

function skip(skipped: Map<string, { count: number; ids: string[] }>, why: string, id: string): void {
  const line = skipped.get(why) ?? { count: 0, ids: [] }
  skipped.set(why, line)
  line.count++
  if (line.ids.length < SKIPPED_LISTED_MAX) line.ids.push(id)
}
