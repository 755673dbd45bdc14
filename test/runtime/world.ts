import type { HandlerContext, Job, JobSpec } from 'espalier'
import fc from 'fast-check'
import { expect } from 'vitest'
import { createPool, expectConsistent, type HeldAttempt } from './harness.ts'

const MAX_RETRIES = 2
const TIMEOUT_MS = 100
const KILL_GRACE_MS = 20
const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const

/** How a handler behaves; `obedient` ones end when their signal is aborted, `deaf` ones when told. */
type Body = 'returns' | 'throws' | 'held' | 'obedient' | 'deaf'

interface Plan {
  readonly body: Body
  readonly band: number
  readonly score: number
  readonly delayMs: number
  /** How far back its dependencies are. */
  readonly dependencies: readonly number[]
  readonly runs: boolean
}

const plan: fc.Arbitrary<Plan> = fc.record({
  body: fc.constantFrom<Body>('returns', 'throws', 'held', 'held', 'obedient', 'deaf'),
  band: fc.nat(3),
  score: fc.integer({ min: -1, max: 1 }),
  delayMs: fc.constantFrom(0, 0, 0, 15),
  dependencies: fc.array(fc.nat(8), { maxLength: 2 }),
  runs: fc.boolean(),
})

type Operation =
  | { readonly do: 'submit'; readonly plan: Plan }
  | { readonly do: 'batch'; readonly plans: readonly Plan[] }
  | { readonly do: 'cancel' | 'complete' | 'fail' | 'forge'; readonly pick: number }
  | { readonly do: 'pause' | 'resume' }
  | { readonly do: 'limit'; readonly limit: number }
  | { readonly do: 'pass'; readonly ms: number }

const just = <Name extends string>(name: Name) => fc.record({ do: fc.constant(name) })
const picked = <Name extends string>(name: Name) => fc.record({ do: fc.constant(name), pick: fc.nat() })
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('submit' as const), plan }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('batch' as const), plans: fc.array(plan, { maxLength: 5 }) }),
  },
  { weight: 2, arbitrary: picked('cancel') },
  { weight: 5, arbitrary: picked('complete') },
  { weight: 3, arbitrary: picked('fail') },
  { weight: 1, arbitrary: picked('forge') },
  { weight: 1, arbitrary: fc.oneof(just('pause'), just('resume'), just('resume')) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('limit' as const), limit: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.nat(60) }) },
)

interface Record {
  readonly job: Job
  readonly dependencies: readonly string[]
  readonly runs: boolean
  readonly attempts: number[]
  outcome: unknown
  wasCancelled: boolean
}

/** A pool under random operations, and what its promises say about it, kept apart. */
export class World {
  readonly #created
  readonly #records = new Map<string, Record>()
  readonly #open = new Map<string, HeldAttempt[]>()
  /** Attempts whose handlers have begun and not ended, whatever their jobs are. */
  #executing = 0
  /** The highest limit that what runs now may have been started under. */
  #allowed = 2
  #broken: string | undefined
  #count = 0

  constructor(releaseZombies: boolean) {
    this.#created = createPool({
      maxParallelJobs: 2,
      maxRetries: MAX_RETRIES,
      timeoutMs: TIMEOUT_MS,
      killGraceMs: KILL_GRACE_MS,
      releaseZombies,
      backoff: { type: 'exponential', delayMs: 10 },
    })
    this.#created.pool.on('*', (event) => {
      if (event.type !== 'job.completed' && event.type !== 'job.failed' && event.type !== 'job.cancelled')
        return
      const record = this.#records.get(event.jobId)
      // A job that ends inside its submission has no record yet.
      if (record?.outcome !== undefined) this.#broken ??= `Job ${event.jobId} ended twice.`
      if (record !== undefined) record.outcome = event.result
    })
  }

  async step(operation: Operation): Promise<void> {
    const { pool, clock } = this.#created
    switch (operation.do) {
      case 'submit':
        this.#submit([operation.plan], false)
        break
      case 'batch':
        this.#submit(operation.plans, true)
        break
      case 'cancel': {
        const record = this.#pick(operation.pick)
        if (record === undefined) break
        const hadEnded = isEnded(record)
        expect(record.job.cancel()).toBe(!hadEnded)
        record.wasCancelled = !hadEnded || record.wasCancelled
        break
      }
      case 'complete':
        this.#end(operation.pick, (attempt) => attempt.resolve('value'))
        break
      case 'fail':
        this.#end(operation.pick, (attempt) => attempt.reject(new Error('failed')))
        break
      case 'forge': {
        const job = this.#pick(operation.pick)?.job
        const at = clock.now()
        job?.send({ type: 'attempt.completed', at, attempt: 99, value: 'forged' })
        job?.send({ type: 'deadline.reached', at: 1 })
        if (job?.status === 'running') job.send({ type: 'slot.granted', at })
        break
      }
      case 'pause':
        pool.pause()
        break
      case 'resume':
        pool.resume()
        break
      case 'limit':
        pool.setMaxParallelJobs(operation.limit)
        break
      case 'pass':
        await clock.advance(operation.ms)
        break
    }
    this.#check()
    await clock.settle()
    this.#check()
  }

  /** Lets everything come to its end, and expects that it does. */
  async finish(): Promise<void> {
    const { pool, clock } = this.#created
    pool.resume()
    for (let round = 0; pool.getStatus().queued + pool.getStatus().running > 0; round++) {
      expect(round).toBeLessThan(1_000)
      for (const attempts of this.#open.values())
        for (const attempt of attempts.splice(0)) attempt.resolve('late')
      await clock.advance(50)
      this.#check()
    }
    for (const attempts of this.#open.values())
      for (const attempt of attempts.splice(0)) attempt.resolve('late')
    await clock.settle()
    this.#check()
    expect(this.#executing).toBe(0)
    expect(pool.getStatus()).toMatchObject({ running: 0, queued: 0, zombies: 0 })
    for (const { job, outcome } of this.#records.values()) {
      expect(isEnded({ job })).toBe(true)
      expect(await job.result()).toBe(outcome)
    }
    await pool.shutdown()
    expect(clock.wishes).toBe(0)
  }

  #submit(plans: readonly Plan[], asBatch: boolean): void {
    const { pool } = this.#created
    const known = [...this.#records.keys()]
    const specs = plans.map((each): JobSpec => {
      const id = `j${this.#count++}`
      const candidates = [...known]
      known.push(id)
      const dependencies = each.dependencies.flatMap((back) => candidates.at(-1 - back) ?? [])
      return {
        id,
        dependencies,
        execute: (context: HandlerContext) => this.#run(each.body, context),
        priority: PRIORITIES[each.band] as 'low',
        score: each.score,
        delayMs: each.delayMs,
        onDependencyFailure: each.runs ? 'run' : 'cancel',
      }
    })
    // Backwards, a batch refers to jobs that come after.
    const jobs = asBatch
      ? pool.submitJobs(specs.toReversed()).reverse()
      : specs.map((spec) => pool.submitJob(spec))
    for (const [index, job] of jobs.entries()) {
      const spec = specs[index] as JobSpec
      this.#records.set(job.id, {
        job,
        dependencies: spec.dependencies as string[],
        runs: spec.onDependencyFailure === 'run',
        attempts: this.#attempts(job.id),
        outcome: job.getSnapshot().output,
        wasCancelled: false,
      })
    }
  }

  readonly #attemptsById = new Map<string, number[]>()
  #attempts(id: string): number[] {
    const attempts = this.#attemptsById.get(id) ?? []
    this.#attemptsById.set(id, attempts)
    return attempts
  }

  #run(body: Body, context: HandlerContext): unknown {
    const { jobId, attempt } = context
    const attempts = this.#attempts(jobId)
    attempts.push(attempt)
    const record = this.#records.get(jobId)
    if (record?.wasCancelled === true)
      this.#broken ??= `Attempt ${attempt} of ${jobId} started after its cancel.`
    if (attempt !== attempts.length) this.#broken ??= `Attempt ${attempt} of ${jobId} is out of turn.`
    if (attempts.length > 1 + MAX_RETRIES) this.#broken ??= `${jobId} had too many attempts.`
    if (record !== undefined) this.#checkDependencies(jobId, record)
    if (body === 'returns') return 'value'
    if (body === 'throws') throw new Error('thrown')
    this.#executing++
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => () => {
        this.#executing--
        settle()
      }
      let isOpen = true
      const once = (settle: () => void) => {
        if (!isOpen) return
        isOpen = false
        end(settle)()
      }
      const held: HeldAttempt = {
        context,
        args: [],
        resolve: (value) => once(() => resolve(value)),
        reject: (thrown) => once(() => reject(thrown)),
      }
      if (body === 'obedient')
        context.signal.addEventListener('abort', () => held.reject(context.signal.reason))
      const open = this.#open.get(jobId) ?? []
      this.#open.set(jobId, open)
      open.push(held)
    })
  }

  #checkDependencies(jobId: string, { dependencies, runs }: Record): void {
    for (const id of dependencies) {
      const status = this.#records.get(id)?.job.status
      const isMet = status === 'completed' || (runs && (status === 'failed' || status === 'cancelled'))
      if (!isMet) this.#broken ??= `${jobId} started though its dependency ${id} is ${status}.`
    }
  }

  #end(pick: number, end: (attempt: HeldAttempt) => void): void {
    const open = [...this.#open.values()].flat()
    const attempt = open[pick % Math.max(1, open.length)]
    if (attempt === undefined) return
    const ofJob = this.#open.get(attempt.context.jobId) as HeldAttempt[]
    ofJob.splice(ofJob.indexOf(attempt), 1)
    end(attempt)
  }

  #pick(pick: number): Record | undefined {
    const records = [...this.#records.values()]
    return records[pick % Math.max(1, records.length)]
  }

  #check(): void {
    const { pool } = this.#created
    expect(this.#broken).toBeUndefined()
    expectConsistent(pool)
    const status = pool.getStatus()
    // What was started under a higher limit may go on; nothing is added to it.
    this.#allowed = Math.max(status.maxParallelJobs, Math.min(this.#allowed, status.running))
    expect(status.running).toBeLessThanOrEqual(this.#allowed)
    const rows = [...this.#records.values()].map(({ job }) => job.status)
    const counted = Object.fromEntries(
      (['queued', 'running', 'completed', 'failed', 'cancelled'] as const).map((name) => [
        name,
        rows.filter((row) => row === name).length,
      ]),
    )
    expect(status).toMatchObject(counted)
    for (const { job, outcome } of this.#records.values()) {
      expect(job.getSnapshot().output).toBe(outcome)
    }
  }
}

const isEnded = ({ job }: { readonly job: Job }): boolean => !['queued', 'running'].includes(job.status)
