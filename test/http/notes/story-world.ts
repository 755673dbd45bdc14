import { type Job, JobPool, type JobPoolOptions, type JobSpec, type RunStore } from 'espalier'
import { SimulatedClock } from 'espalier/testing'
import type { InspectionEvent } from 'xstate'
import { JOB_STATES, type JobResult } from '../../../src/domain/job.ts'
import { Feed } from '../../../src/http/feed/feed.ts'
import { microsOf } from '../../../src/http/notes/micros.ts'
import type { EventName } from '../../../src/protocol/index.ts'
import type { JobActor } from '../../../src/runtime/job/job-actor.ts'
import { stateOf } from '../../../src/runtime/job/job-states.ts'
import { PoolCore } from '../../../src/runtime/pool/job-pool.ts'
import { SeededRandom } from '../../../src/testing/model/random.ts'
import { FaultyStore, full } from '../../durable/world.ts'
import { RecordingLogger } from '../../runtime/harness.ts'

const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const
/** How a job goes about it; what is held ends when the story says so. */
const BODIES = [
  'returns',
  'returns',
  'returns',
  'later',
  'throws',
  'fails',
  'held',
  'obedient',
  'speaks',
  'submits',
  'unstorable',
] as const
const JOBS_MAX = 150
const OPERATIONS = 120

/** The steps of a job's chart, as a recording has them. */
const STEPS: ReadonlySet<string> = new Set<EventName>([
  'dependencies.met',
  'slot.granted',
  'deadline.reached',
  'job.cancel',
  'attempt.completed',
  'attempt.failed',
])

/** Each look at it takes 1 to 3 µs, so that nothing happens at the same time as anything else. */
class LivelyClock extends SimulatedClock {
  #looks = 0

  override now(): number {
    this.#looks += 1 + (this.#looks % 3)
    return super.now() + this.#looks / 1000
  }
}

/** What a job has been through, as the pool told it. */
export interface Told {
  readonly sequence: number
  readonly id: string
  /** What happened to it; where its time is known for certain, with that. */
  readonly events: string[]
  state: string
  priority: number
  result: JobResult | undefined
}

export interface StoryOptions {
  readonly store?: RunStore
  /** Whether the clock goes on while the pool works. */
  readonly isLively: boolean
  /** Whether a page looks on. */
  readonly isWatched: boolean
  /** Whether recordings are asked for again and again, or once at the end. */
  readonly isAsked: boolean
}

/** A pool to which much happens, and what it told of it. */
export class StoryWorld {
  readonly pool: JobPool
  readonly feed: Feed
  readonly clock: SimulatedClock
  readonly told = new Map<number, Told>()
  readonly logger = new RecordingLogger()
  readonly releasesZombies: boolean
  readonly isStored: boolean
  /** By sequence, the last: an event that changes nothing leaves it. */
  readonly #snapshots = new Map<number, unknown>()
  readonly #random: SeededRandom
  readonly #faulty: FaultyStore | undefined
  readonly #isAsked: boolean
  readonly #jobs: Job[] = []
  readonly #held: (() => void)[] = []
  /** Called when all else is quiet: compares what is recorded with what is. */
  readonly #look: (world: StoryWorld) => Promise<void>
  #isRefusing = false
  #count = 0
  #depth = 0

  constructor(seed: number, options: StoryOptions, look: (world: StoryWorld) => Promise<void>) {
    const random = new SeededRandom(seed)
    this.#random = random
    this.#look = look
    this.#isAsked = options.isAsked
    this.isStored = options.store !== undefined
    this.clock = options.isLively ? new LivelyClock() : new SimulatedClock()
    this.#faulty = options.store && new FaultyStore(options.store)
    if (this.#faulty !== undefined)
      this.#faulty.onCommit = () => {
        if (this.#isRefusing) throw full()
      }
    this.releasesZombies = random.chance(0.5)
    const settings: JobPoolOptions = {
      clock: this.clock,
      logger: this.logger,
      random,
      ids: { next: () => `pool${++this.#count}-` },
      handlers: this.#handlers(),
      maxParallelJobs: 1 + random.below(4),
      keep: random.chance(0.5) ? random.below(6) : 10_000,
      maxRetries: 2,
      backoff: { type: 'exponential', delayMs: random.pick([0, 10]) },
      timeoutMs: 100,
      killGraceMs: 20,
      releaseZombies: this.releasesZombies,
      ...(random.chance(0.5) && { ageing: { afterMs: 30 } }),
      inspect: (event: InspectionEvent) => this.#inspect(event),
      ...(this.#faulty && { store: this.#faulty.process().store }),
    }
    this.pool = new JobPool(settings)
    this.feed = new Feed(this.pool, { title: 'story', historyBytesMax: 1e9, documents: {} })
    if (options.isWatched) this.feed.join({ pump() {}, status() {}, renewed() {}, ended() {} })
    this.#listen()
  }

  /** How many jobs are in each state. */
  get counts(): number[] {
    return Array.from(PoolCore.partsOf(this.pool).supervisor.counts.byState)
  }

  async run(): Promise<void> {
    for (let count = 0; count < OPERATIONS; count++) {
      this.#act()
      if (this.#random.chance(0.5)) await this.clock.settle()
      if (this.#random.chance(0.3)) await this.clock.advance(this.#random.pick([1, 7, 25, 120]))
      if (this.#isAsked && this.#random.chance(0.06)) {
        await this.clock.settle()
        await this.#look(this)
      }
    }
    await this.#finish()
    await this.#look(this)
  }

  async close(): Promise<void> {
    await this.feed.close()
    const closed = this.pool.shutdown()
    await this.clock.advance(60_000)
    await closed
  }

  async #finish(): Promise<void> {
    this.#depth = Number.POSITIVE_INFINITY
    this.#isRefusing = false
    this.pool.resume()
    const rest = () => {
      const { queued, running, zombies } = this.pool.getStatus()
      return queued + running + zombies
    }
    for (let round = 0; rest() > 0; round++) {
      if (round === 1_000) throw new Error(`${rest()} jobs do not end.`)
      for (const end of this.#held.splice(0)) end()
      await this.clock.advance(500)
    }
    await this.clock.settle()
  }

  // What is done to the pool.

  #act(): void {
    const random = this.#random
    const deed = random.below(20)
    if (deed < 5) this.#submit(1)
    else if (deed < 7) this.#submit(2 + random.below(5))
    else if (deed < 10) this.#held.splice(random.below(this.#held.length || 1), 1)[0]?.()
    else if (deed < 12) this.#any?.cancel(random.pick(['user', 'unwanted']))
    else if (deed === 12) this.#prioritise()
    else if (deed === 13) this.pool.pause()
    else if (deed < 16) this.pool.resume()
    else if (deed === 16) this.pool.setMaxParallelJobs(1 + random.below(4))
    else if (deed === 17) this.#any?.send({ type: random.pick(['unknown', 'slot.granted']) } as never)
    else if (deed === 18) this.#isRefusing = random.chance(0.3)
    else if (this.#isAsked) void this.feed.cut()
  }

  /** Something that a listener does, or a body. */
  #actWithin(probability: number): void {
    if (this.#depth > 2 || !this.#random.chance(probability)) return
    this.#depth++
    this.#act()
    this.#depth--
  }

  #submit(count: number): void {
    if (this.#jobs.length + count > JOBS_MAX) return
    const specs = Array.from({ length: count }, () => this.#spec())
    // Forward and back, but in no circle.
    if (count > 1 && this.#random.chance(0.5)) {
      const [first, last] = [specs[0] as JobSpec, specs.at(-1) as JobSpec]
      const [one, other] = this.#random.chance(0.5) ? [first, last] : [last, first]
      Object.assign(one, { id: one.id ?? `chosen-${++this.#count}` })
      Object.assign(other, { dependencies: [...(other.dependencies ?? []), one.id as string] })
    }
    const jobs =
      count === 1 ? [this.pool.submitJob(specs[0] as JobSpec)] : this.pool.submitJobs(specs as JobSpec[])
    this.#jobs.push(...jobs)
  }

  #spec(): JobSpec {
    const random = this.#random
    const number = ++this.#count
    const id = random.pick([
      {},
      {},
      {},
      {},
      { id: `chosen-${number}` },
      { id: `tree.n${number}`, nodeId: `n${number}`, treeId: 'tree' },
      { nodeId: 'named', treeId: 'tree' },
    ])
    const dependencies = random.chance(0.2)
      ? [this.#any, this.#any].filter((job) => job !== undefined && this.pool.job(job.id) === job)
      : []
    return {
      execute: random.pick(BODIES),
      ...id,
      ...(random.chance(0.3) && { priority: random.pick(PRIORITIES) }),
      ...(random.chance(0.2) && { score: random.below(5) / 4 }),
      ...(random.chance(0.15) && { delayMs: random.pick([5, 40]) }),
      ...(dependencies.length > 0 && { dependencies: [...new Set(dependencies)] as Job[] }),
      ...(random.chance(0.3) && { onDependencyFailure: 'run' as const }),
    }
  }

  #prioritise(): void {
    const { id } = this.#any ?? {}
    if (id === undefined || this.pool.job(id)?.status !== 'queued') return
    const priority = this.#random.below(4)
    const job = this.pool.job(id) as unknown as JobActor
    if (!this.pool.prioritiseJob(id, PRIORITIES[priority] as (typeof PRIORITIES)[number])) return
    const told = this.told.get(job.sequence)
    if (told === undefined || told.priority === priority) return
    told.priority = priority
    told.events.push(`job.prioritised ${priority}`)
  }

  get #any(): Job | undefined {
    // Mostly one of the latest: the others have ended.
    const back = this.#random.below(this.#random.chance(0.7) ? 8 : this.#jobs.length || 1)
    return this.#jobs[Math.max(0, this.#jobs.length - 1 - back)]
  }

  #handlers() {
    const hold = (signal?: AbortSignal) =>
      new Promise((resolve, reject) => {
        this.#held.push(this.#random.chance(0.6) ? () => resolve(1) : () => reject(new Error('held')))
        signal?.addEventListener('abort', () => reject(signal.reason))
      })
    return {
      returns: () => 1,
      later: async () => {
        for (let turn = this.#random.below(4); turn > 0; turn--) await Promise.resolve()
        return 2
      },
      throws: () => {
        throw new TypeError('thrown')
      },
      fails: async () => {
        throw new Error('failed')
      },
      held: () => hold(),
      obedient: ({ signal }: { readonly signal: AbortSignal }) => hold(signal),
      speaks: async ({
        log,
        progress,
      }: {
        readonly log: (line: string) => void
        readonly progress: (fraction: number) => void
      }) => {
        log('line')
        await Promise.resolve()
        progress(0.5)
      },
      submits: () => {
        this.#actWithin(0.7)
        return 3
      },
      unstorable: () => () => {},
    }
  }

  // What the pool tells.

  #listen(): void {
    const { pool } = this
    pool.on('job.submitted', ({ jobId }) => {
      this.#hearOf(pool.job(jobId) as unknown as JobActor)
      this.#actWithin(0.1)
    })
    pool.on('job.started', ({ jobId, at }) => {
      this.#of(jobId)?.events.push(`attempt.started running.executing${this.#when(at)}`)
      this.#actWithin(0.1)
    })
    pool.on('job.zombie', ({ jobId }) => void this.#of(jobId)?.events.push('attempt.abandoned'))
    pool.on('job.ignored', ({ jobId, event }) => void this.#of(jobId)?.events.push(`job.ignored ${event}`))
    for (const type of ['job.completed', 'job.failed', 'job.cancelled'] as const)
      pool.on(type, ({ jobId, result }) => {
        const told = this.#of(jobId) as Told
        told.result = result
        this.#actWithin(0.2)
      })
  }

  /** Whoever submits a job when it hears of another may use it before anybody is told of it. */
  #hearOf({ sequence, id, priority, context }: JobActor): Told {
    const events = [`job.submitted queued.blocked${this.#when(context.queuedAt)}`]
    const known = this.told.get(sequence)
    const told = known ?? { sequence, id, events, state: 'queued.blocked', priority, result: undefined }
    this.told.set(sequence, told)
    return told
  }

  /** Of those that have an id, the last: one that was refused leaves its id free. */
  #of(jobId: string): Told | undefined {
    const job = this.pool.job(jobId) as unknown as JobActor | undefined
    if (job !== undefined) return this.told.get(job.sequence)
    return [...this.told.values()].findLast(({ id }) => id === jobId)
  }

  #inspect(event: InspectionEvent): void {
    if (event.type !== '@xstate.snapshot') return
    const { sequence } = event.actorRef as unknown as JobActor
    if (sequence === undefined) return
    const told = this.isStored ? this.told.get(sequence) : this.#hearOf(event.actorRef as unknown as JobActor)
    const hasChanged = this.#snapshots.get(sequence) !== event.snapshot
    this.#snapshots.set(sequence, event.snapshot)
    if (told === undefined || !hasChanged || !STEPS.has(event.event.type)) return
    const { value } = event.snapshot as unknown as { readonly value: string }
    const state = JOB_STATES[stateOf(value)] as string
    const { type, at } = event.event as unknown as { readonly type: string; readonly at: number }
    told.state = state
    told.events.push(`${type} ${state}${this.#when(at)}`)
  }

  #when(at: number): string {
    return ` @${microsOf(at)}`
  }
}
