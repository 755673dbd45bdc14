import { EspalierError } from '../../domain/errors.ts'
import type { Execute, JobId } from '../../domain/job.ts'
import { checkNode, type JobSettings, type NodePatch, type NodeSpec } from '../../domain/node-spec.ts'
import type { Strategy } from '../../domain/tree.ts'
import type { Workflow } from '../../domain/workflow.ts'
import type { JobActor, JobEntry } from '../job/job-actor.ts'
import type { IdRange } from '../pool/job-table.ts'
import { NEVER } from '../pool/recovery.ts'
import type { NodeJobSpec, Submissions } from '../pool/submission.ts'
import { NodeRecord, type NodeWatcher } from './node-record.ts'
import type { TreeStore } from './tree-store.ts'

/** A handler of the workflow, and what the workflow says of the nodes that name it. */
interface Handler {
  readonly execute: Execute
  readonly defaults: JobSettings
}

/** Turns node specs into nodes and their jobs. */
export class Planting {
  /** How many of the tree's jobs have not ended. */
  live = 0
  /** Of the first job of each node; absent when the pool has had a run of this id before, and in a fork, which has gaps. */
  readonly ids: IdRange | undefined
  readonly #runId: string
  /** What the handlers belong to. */
  readonly #scope: string
  readonly #handlers: ReadonlyMap<string, Handler>
  readonly #strategy: Strategy
  readonly #store: TreeStore
  readonly #submissions: Submissions
  readonly #watcher: NodeWatcher
  /** Jobs are submitted to be cancelled: what their nodes name need not be there. */
  readonly #startsNothing: boolean

  constructor(
    runId: string,
    workflow: Workflow,
    executor: string | undefined,
    store: TreeStore,
    submissions: Submissions,
    watcher: NodeWatcher,
    { isFork, startsNothing }: { readonly isFork: boolean; readonly startsNothing: boolean },
  ) {
    this.#runId = runId
    this.#scope = workflow.name
    this.#handlers = new Map(
      Object.entries(workflow.handlers).map(([name, execute]) => {
        const settings = executor === undefined ? NO_SETTINGS : { executor }
        return [name, { execute, defaults: { ...settings, ...workflow.defaults?.[name] } }]
      }),
    )
    this.#strategy = workflow.strategy ?? 'best-first'
    this.#store = store
    this.#submissions = submissions
    this.ids = isFork ? undefined : submissions.openRange(`${runId}.n`)
    this.#watcher = watcher
    this.#startsNothing = startsNothing
  }

  /** @throws {EspalierError} `ESP_UNKNOWN_HANDLER`, and what {@link checkNode} throws. */
  checkSpec(spec: NodeSpec): void {
    checkNode(spec)
    this.#handlerOf(spec)
  }

  /**
   * Grows nodes below `parent`, or roots: all of them, or none.
   *
   * @throws {EspalierError} `ESP_UNKNOWN_HANDLER`, `ESP_DEPENDENCY_…`, and what `submitJobs` throws.
   */
  plant(specs: readonly NodeSpec[], parent: NodeRecord | undefined): readonly NodeRecord[] {
    const records = this.#draft(specs, parent)
    const isLinked = specs.some(({ dependencies }) => dependencies !== undefined)
    if (isLinked) this.#link(records)
    const batch = isLinked ? new Set(records) : NO_BATCH
    this.#submit(records, batch)
    for (const record of records) {
      this.#store.add(record)
      record.tellDependencies()
    }
    return records
  }

  /** Runs a node again with its spec changed, and with it the nodes that its failure had cancelled. */
  revise(record: NodeRecord, patch: NodePatch): readonly NodeRecord[] {
    const { spec: oldSpec, score: oldScore } = record
    const spec = { ...oldSpec, ...patch }
    this.checkSpec(spec)
    const again = [record, ...cancelledBy(record)]
    // Before the job is submitted: its arguments are read from the record.
    record.change(spec, patch.score ?? oldScore)
    try {
      this.#submit(again, new Set(again))
    } catch (thrown) {
      record.change(oldSpec, oldScore)
      throw thrown
    }
    record.revised()
    for (const each of again) each.undecide()
    return again
  }

  /** Submits jobs of nodes that have too few: those that had not ended where the run was forked. */
  replant(records: readonly NodeRecord[]): void {
    this.#submit(records, new Set(records))
  }

  /** No more will be planted. */
  close(): void {
    if (this.ids !== undefined) this.ids.isOpen = false
  }

  #draft(specs: readonly NodeSpec[], parent: NodeRecord | undefined): NodeRecord[] {
    const first = this.#store.size
    return specs.map((given, index) => {
      this.checkSpec(given)
      return new NodeRecord(this.#store.idAt(first + index), parent, { ...given }, this.#watcher)
    })
  }

  /** Siblings may depend on each other in any order: all are there before any dependency is looked up. */
  #link(records: readonly NodeRecord[]): void {
    const byKey = new Map(records.map((record) => [record.spec.key, record]))
    for (const record of records) {
      if (record.spec.dependencies === undefined) continue
      record.dependencies = record.spec.dependencies.map((name) => {
        const dependency = byKey.get(name) ?? this.#store.find(name)
        if (dependency !== undefined) return dependency
        throw new EspalierError('ESP_DEPENDENCY_UNKNOWN', { jobId: record.id, dependency: name })
      })
    }
  }

  /** @param batch - Those of them that others of them may wait for. */
  #submit(records: readonly NodeRecord[], batch: ReadonlySet<NodeRecord>): void {
    const jobs = this.#submissions.submitNodes(records.map((record) => this.#jobSpecOf(record, batch)))
    records.forEach((record, index) => {
      record.submitted(jobs[index] as JobActor)
    })
    this.live += jobs.length
  }

  #jobSpecOf(record: NodeRecord, batch: ReadonlySet<NodeRecord>): NodeJobSpec {
    const { spec, score } = record
    const { execute, defaults } = this.#startsNothing ? NOTHING : this.#handlerOf(spec)
    const settings: JobSettings = this.#startsNothing ? NO_SETTINGS : spec
    return {
      id: this.jobIdOf(record, record.jobs),
      ids: record.jobs === 0 ? this.ids : undefined,
      node: record,
      nodeId: record.id,
      treeId: this.#runId,
      execute,
      handler: spec.handler,
      scope: this.#scope,
      input: spec.input,
      score: orderScore(this.#strategy, record.depth, score),
      dependencies: this.#waitsFor(record, batch),
      priority: settings.priority ?? defaults.priority,
      executor: settings.executor ?? defaults.executor,
      timeoutMs: settings.timeoutMs ?? defaults.timeoutMs,
      maxRetries: settings.maxRetries ?? defaults.maxRetries,
      backoff: settings.backoff ?? defaults.backoff,
      resources: settings.resources ?? defaults.resources,
      memoryLimitBytes: settings.memoryLimitBytes ?? defaults.memoryLimitBytes,
      cache: settings.cache ?? defaults.cache,
      version: settings.version ?? defaults.version,
    }
  }

  /** Its parent, unless that failed and was grown from all the same, and its own dependencies. */
  #waitsFor({ parent, dependencies }: NodeRecord, batch: ReadonlySet<NodeRecord>): (JobId | JobActor)[] {
    const isWaiting = parent?.job !== undefined && parent.status === 'completed'
    const waitsFor: (JobId | JobActor)[] = isWaiting ? [(parent.job as JobEntry).actor] : []
    for (const dependency of dependencies) {
      const { job } = dependency
      const isAhead = job === undefined || batch.has(dependency)
      waitsFor.push(isAhead ? this.jobIdOf(dependency, dependency.jobs) : job.actor)
    }
    return waitsFor
  }

  /** The id of a node's job, by how many it had before. */
  jobIdOf({ id }: NodeRecord, jobs: number): JobId {
    return jobs === 0 ? `${this.#runId}.${id}` : `${this.#runId}.${id}.${jobs}`
  }

  /** The node that a job of the run belongs to, by the job's id. */
  readonly nodeOf = (jobId: JobId): NodeRecord | undefined => {
    const name = jobId.slice(this.#runId.length + 1)
    const end = name.indexOf('.')
    return this.#store.find(end < 0 ? name : name.slice(0, end))
  }

  #handlerOf({ handler }: NodeSpec): Handler {
    const found = this.#handlers.get(handler)
    if (found !== undefined) return found
    const known = [...this.#handlers.keys()]
    throw new EspalierError('ESP_UNKNOWN_HANDLER', { of: 'the workflow', handler, known })
  }
}

const NO_SETTINGS: JobSettings = Object.freeze({})
const NOTHING: Handler = { execute: NEVER, defaults: NO_SETTINGS }
const NO_BATCH: ReadonlySet<NodeRecord> = new Set()

/** The nodes that were cancelled because a node had failed, directly or through each other. */
function cancelledBy(record: NodeRecord): Set<NodeRecord> {
  const found = new Set<NodeRecord>()
  const open = [record]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const dependant of next.dependants ?? []) {
      const { status, result } = dependant
      const isCancelled =
        status === 'cancelled' && result?.cancelledBy === 'dependency' && !dependant.isPruned
      if (!isCancelled || found.has(dependant)) continue
      found.add(dependant)
      open.push(dependant)
    }
  }
  return found
}

/** What the pool orders a node's job by; the node's own score decides between nodes of one depth. */
function orderScore(strategy: Strategy, depth: number, score = 0): number {
  if (strategy === 'best-first') return score
  // Squeezed into less than one level of depth.
  const withinLevel = score / (2 * (1 + Math.abs(score)))
  return (strategy === 'depth-first' ? depth : -depth) + withinLevel
}
