import { checkInteger, checkName, checkPositive } from '../../domain/check.ts'
import { EspalierError } from '../../domain/errors.ts'
import type { Execute, JobId, JobPolicy, JobSpec } from '../../domain/job.ts'
import { bandOf } from '../../domain/priority.ts'
import { checkBackoff } from '../../domain/retry.ts'
import type { Executor } from '../../ports/executor.ts'
import { type Dependency, JobActor, type JobExtras, type JobRow } from '../job/job-actor.ts'
import { originOf } from '../job/job-origin.ts'
import { checkDependencyList, checkExecutable, checkFields, checkKnownFields } from '../job/job-spec-check.ts'
import { idOf } from '../job/links.ts'
import { DurableJob } from '../record/durable-job.ts'
import { type DurableSpec, durableSpec, executeOf, PlainSpecs } from '../record/durable-spec.ts'
import { checkDependencies } from '../scheduling/dependencies.ts'
import { connect } from './dependency-links.ts'
import type { ExecutorSet } from './executors.ts'
import type { IdRange, Naming } from './job-table.ts'
import type { Supervisor } from './supervisor.ts'

const NORMAL = bandOf('normal')
/** How long an executor may take to end an attempt by force, and confirm it, once the kill grace is over. */
const FORCED_END_MS = 5_000
const NO_EXTRAS: JobExtras = Object.freeze({})
const NO_IDS: readonly JobId[] = Object.freeze([])
const NO_BATCH = new Map<JobId, JobActor>()
const NO_FACTS: NodeFacts = Object.freeze({})

/** A spec whose handler, if it was named, has been found. */
type KnownSpec = JobSpec & { readonly execute: Execute }

/** A spec whose own fields are right; its dependencies are yet to be checked. */
interface CheckedSpec extends JobRow {
  readonly spec: KnownSpec
  /** As it is stored; absent in memory. */
  readonly durable: DurableSpec | undefined
  readonly id: JobId
  readonly naming: Naming
  readonly policy: JobPolicy
  /** A list of its own: who hears of the submission may write into the one that was given. */
  readonly waitsFor: NonNullable<JobSpec['dependencies']>
  /** The ids in it that are yet to be checked: whoever holds a job of this pool need not be told whether it exists. */
  readonly dependencies: readonly JobId[]
}

/** What the job of a node says, besides what any job may say. */
export type NodeJobSpec = { readonly [Field in keyof JobSpec]?: JobSpec[Field] | undefined } & {
  readonly id: JobId
  readonly execute: Execute
  /** The name of the handler that `execute` is. */
  readonly handler: string
  /** The workflow's name. */
  readonly scope: string
  /** The handler's argument. */
  readonly input: unknown
  /** Has the job's arguments, and is told of its life. */
  readonly node: JobExtras
  /** The range whose next id it has; absent for an id of another kind. */
  readonly ids: IdRange | undefined
}

/** What is known of a job besides its spec, when it is a node's. */
type NodeFacts = Partial<Pick<NodeJobSpec, 'node' | 'ids' | 'handler' | 'scope' | 'input'>>

/** Turns specs into jobs: all of them, or none when any is wrong. */
export class Submissions {
  readonly #supervisor: Supervisor
  readonly #executors: ExecutorSet
  /** Of the jobs whose executor ends attempts by force. */
  readonly #forcedPolicy: JobPolicy
  readonly #plain = new PlainSpecs()
  #sequence = 0

  constructor(supervisor: Supervisor, executors: ExecutorSet) {
    this.#supervisor = supervisor
    this.#executors = executors
    const { policy } = supervisor.settings
    this.#forcedPolicy = { ...policy, killGraceMs: policy.killGraceMs + FORCED_END_MS }
  }

  /** @throws {EspalierError} `ESP_UNKNOWN_EXECUTOR`. */
  checkExecutor(name: string): void {
    this.#executors.get(name)
  }

  /** See {@link JobTable.openRange}. */
  openRange(prefix: string): IdRange | undefined {
    return this.#supervisor.jobs.openRange(prefix)
  }

  /** @throws {EspalierError} See `JobPool.submitJob`. */
  submit(spec: JobSpec): JobActor {
    this.refuseIfClosed()
    checkKnownFields(spec)
    const checked = this.#check(spec)
    const twin = this.#supervisor.jobs.byDedupeKey(spec.dedupeKey)
    if (twin !== undefined) return twin
    const { id } = checked
    if (spec.id !== undefined && this.#isKnown(id))
      throw new EspalierError('ESP_DUPLICATE_JOB', { jobId: id })
    if (checked.dependencies.length > 0) checkDependencies([checked], this.#isKnown)
    const at = this.#supervisor.now()
    const job = this.#create(checked, at)
    this.#supervisor.admit(job, checked.naming, at)
    if (this.#supervisor.introductions.areHeard) this.#introduce(job, checked, at)
    else this.#connect(job, checked, NO_BATCH, at)
    return job
  }

  #introduce(job: JobActor, checked: CheckedSpec, at: number): void {
    this.#supervisor.introductions.add([job], at, () => this.#connect(job, checked, NO_BATCH, at))
  }

  #connect(job: JobActor, checked: CheckedSpec, batch: ReadonlyMap<JobId, JobActor>, at: number): void {
    connect(this.#supervisor, job, this.#resolve(checked, batch), at)
  }

  /** @throws {EspalierError} See `JobPool.submitJobs`. */
  submitAll(specs: readonly JobSpec[]): JobActor[] {
    this.refuseIfClosed()
    if (!Array.isArray(specs)) {
      throw new EspalierError('ESP_INVALID_OPTION', {
        option: 'jobs',
        expected: 'an array of jobs',
        got: specs,
      })
    }
    return this.#submitBatch(
      specs.map((spec) => {
        checkKnownFields(spec)
        return this.#check(spec)
      }),
    )
  }

  /** @throws {EspalierError} See `JobPool.submitJobs`. */
  submitNodes(specs: readonly NodeJobSpec[]): JobActor[] {
    this.refuseIfClosed()
    return this.#submitBatch(specs.map((spec) => this.#check(spec as JobSpec, spec)))
  }

  #submitBatch(batch: readonly CheckedSpec[]): JobActor[] {
    this.#checkBatch(batch)
    return this.#supervisor.together(() => this.#admitBatch(batch))
  }

  #admitBatch(batch: readonly CheckedSpec[]): JobActor[] {
    const { jobs } = this.#supervisor
    const at = this.#supervisor.now()
    const byId = batch.some(({ dependencies }) => dependencies.length > 0)
      ? new Map<JobId, JobActor>()
      : NO_BATCH
    const admitted = batch.map((checked) => {
      const twin = jobs.byDedupeKey(checked.spec.dedupeKey)
      const job = twin ?? this.#create(checked, at)
      if (byId !== NO_BATCH) byId.set(checked.id, job)
      if (twin === undefined) this.#supervisor.admit(job, checked.naming, at)
      return job
    })
    const isNew = (job: JobActor, index: number) => job.sequence === batch[index]?.sequence
    // Dependencies may point forward: all jobs are there before any is connected.
    const connectAll = () =>
      batch.forEach((checked, index) => {
        const job = admitted[index] as JobActor
        if (isNew(job, index)) this.#connect(job, checked, byId, at)
      })
    const { introductions } = this.#supervisor
    if (introductions.areHeard) introductions.add(admitted.filter(isNew), at, connectAll)
    else connectAll()
    return admitted
  }

  /** @throws {EspalierError} `ESP_POOL_CLOSED`. */
  refuseIfClosed(): void {
    const pool = this.#supervisor.actor.getSnapshot()
    if (pool.hasTag('accepting')) return
    throw new EspalierError('ESP_POOL_CLOSED', { state: pool.value.lifecycle })
  }

  #check(given: JobSpec, { node, ids, handler, scope, input }: NodeFacts = NO_FACTS): CheckedSpec {
    const { settings, journal } = this.#supervisor
    const { execute } = given
    const isNamed = typeof execute === 'string'
    const spec = (
      isNamed ? { ...given, execute: executeOf(execute, settings.handlers, 'the pool') } : given
    ) as KnownSpec
    const sequence = this.#nextSequence()
    const ownId = this.#supervisor.jobs.idOf(sequence)
    const id = spec.id === undefined ? this.#freshId(ownId) : checkName('id', spec.id)
    const priority = spec.priority === undefined ? NORMAL : bandOf(spec.priority)
    if (priority < 0) throw new EspalierError('ESP_UNKNOWN_PRIORITY', { jobId: id, got: spec.priority })
    checkFields(spec)
    const executor = this.#executorOf(spec)
    checkExecutable(id, spec, executor)
    const policy = this.#policyOf(spec, executor)
    const waitsFor = waitsForOf(spec)
    const isUsual = isNamed && policy === settings.policy
    const durable =
      journal &&
      ((isUsual ? this.#plain.of(execute, given) : undefined) ??
        durableSpec(spec, {
          id,
          isNode: handler !== undefined,
          input,
          scope,
          handler: handler ?? (isNamed ? execute : undefined),
          dependencies: waitsFor.map(idOf),
          policy: policy === settings.policy ? undefined : policy,
        }))
    return {
      spec,
      durable,
      id,
      naming: ids ?? (id === ownId ? 'own' : 'chosen'),
      sequence,
      priority,
      extras: this.#extrasOf(
        id,
        spec,
        node,
        executor === this.#executors.first ? undefined : executor,
        durable?.submitted.cache,
      ),
      policy,
      waitsFor,
      dependencies: waitsFor.length === 0 ? NO_IDS : waitsFor.filter((one) => !this.#isOwn(one)).map(idOf),
    }
  }

  /** A user may have chosen an id that looks like one of the pool's. */
  #freshId(id: JobId): JobId {
    const { jobs } = this.#supervisor
    return jobs.isChosen(id) ? `${id}-${this.#supervisor.settings.ids.next()}` : id
  }

  #checkBatch(batch: readonly CheckedSpec[]): void {
    const { jobs } = this.#supervisor
    const ids = new Set<JobId>()
    let isLinked = false
    for (const { id, naming, spec, dependencies } of batch) {
      // The next of a range is new, unless a user has chosen the same.
      const isOfRange = typeof naming === 'object'
      const isNew = isOfRange || jobs.byDedupeKey(spec.dedupeKey) === undefined
      const isKnown = () => (naming === 'own' ? jobs.isKnown(id) : this.#isKnown(id))
      const isTaken = isOfRange ? jobs.isChosen(id) : ids.has(id) || (isNew && isKnown())
      if (isTaken) throw new EspalierError('ESP_DUPLICATE_JOB', { jobId: id })
      if (!isOfRange) ids.add(id)
      isLinked ||= dependencies.length > 0
    }
    if (isLinked) checkDependencies(batch, this.#isKnown)
  }

  #isOwn(given: JobId | { readonly id: JobId }): given is JobActor {
    return given instanceof JobActor && given.supervisor === this.#supervisor
  }

  /** The jobs a spec depends on: of its batch, of the pool, or the id of one that was forgotten. */
  #resolve({ waitsFor }: CheckedSpec, batch: ReadonlyMap<JobId, JobActor>): readonly Dependency[] {
    if (waitsFor.length === 0) return NO_IDS
    return waitsFor.map((given) => {
      if (this.#isOwn(given)) return given
      const id = idOf(given)
      return batch.get(id) ?? this.#supervisor.find(id) ?? id
    })
  }

  readonly #isKnown = (id: JobId): boolean =>
    this.#supervisor.jobs.isKnown(id) || this.#supervisor.find(id) !== undefined

  /** The executor that a stored job names; absent for the pool's own. @throws {EspalierError} `ESP_UNKNOWN_EXECUTOR`. */
  namedExecutor(name: string | undefined): Executor | undefined {
    const executor = name === undefined ? this.#executors.first : this.#executors.get(name)
    return executor === this.#executors.first ? undefined : executor
  }

  /** In a store the order goes on where it was: a job's key, which its own id tells. */
  #nextSequence(): number {
    return this.#supervisor.journal?.nextKey() ?? this.#sequence++
  }

  #executorOf({ executor }: JobSpec): Executor {
    return executor === undefined ? this.#executors.first : this.#executors.get(executor)
  }

  /** The pool's policy itself, unless the job differs from it: a million jobs share one. */
  #policyOf({ timeoutMs, maxRetries, backoff }: JobSpec, executor: Executor): JobPolicy {
    const policy = executor.supports.forcedStop ? this.#forcedPolicy : this.#supervisor.settings.policy
    if (timeoutMs === undefined && maxRetries === undefined && backoff === undefined) return policy
    return {
      ...policy,
      ...(timeoutMs === undefined ? {} : { timeoutMs: checkPositive('timeoutMs', timeoutMs) }),
      ...(maxRetries === undefined ? {} : { maxRetries: checkInteger('maxRetries', maxRetries) }),
      ...(backoff === undefined ? {} : { backoff: checkBackoff(backoff) }),
    }
  }

  /** Of a node's job the node itself, if it says no more. */
  #extrasOf(
    id: JobId,
    spec: JobSpec,
    node: JobExtras | undefined,
    executor: Executor | undefined,
    cache: string | undefined,
  ): JobExtras {
    const { callback, dedupeKey, onDependencyFailure, memoryLimitBytes, transfer, resources } = spec
    const args = spec.args === undefined || spec.args.length === 0 ? undefined : [...spec.args]
    const isPlain =
      args === undefined &&
      callback === undefined &&
      dedupeKey === undefined &&
      onDependencyFailure === undefined &&
      executor === undefined &&
      memoryLimitBytes === undefined &&
      transfer === undefined &&
      resources === undefined &&
      cache === undefined
    if (isPlain) return node ?? NO_EXTRAS
    return {
      args: node === undefined ? args : node.args,
      callback,
      dedupeKey,
      executor,
      observer: node?.observer,
      runsOnDependencyFailure: onDependencyFailure === 'run',
      memoryLimitBytes,
      cache,
      transfer,
      demand: resources === undefined ? undefined : this.#supervisor.settings.limits.demandOf(id, resources),
    }
  }

  #create(checked: CheckedSpec, at: number): JobActor {
    const { spec, id, policy } = checked
    const { delayMs } = spec
    const readyAt = delayMs === undefined || delayMs === 0 ? undefined : at + delayMs
    const input = { jobId: id, origin: originOf(spec), policy, queuedAt: at, readyAt }
    const options = { id, parent: this.#supervisor.actor, input }
    const { journal } = this.#supervisor
    if (journal === undefined || checked.durable === undefined) {
      return new JobActor(this.#supervisor, checked, options)
    }
    const { submitted: stored, length } = checked.durable
    const submitted = readyAt === undefined ? stored : { ...stored, readyAt }
    // Whether an id that somebody chose is free is seen by its row, and pruning asks rows what is needed.
    const isSought = checked.naming !== 'own' || submitted.dependencies !== undefined
    const durable = { submitted, length, firstSeq: 0, isStored: false, isSought }
    return new DurableJob(this.#supervisor, journal, checked, durable, options)
  }
}

function waitsForOf({ dependencies }: JobSpec): CheckedSpec['waitsFor'] {
  if (dependencies === undefined) return NO_IDS
  checkDependencyList(dependencies)
  return dependencies.length === 0 ? NO_IDS : [...dependencies]
}
