import { EspalierError } from '../domain/errors.ts'
import type { Execute, JobId, JobSpec } from '../domain/job.ts'
import type { NodeId, NodePatch, NodeSpec, Strategy, TreeNode } from '../domain/tree.ts'
import type { Workflow } from '../domain/workflow.ts'
import type { JobActor, JobObserver } from './job.ts'
import type { Submissions } from './submission.ts'
import type { NodeRecord, TreeStore } from './tree-store.ts'

/** Turns node specs into nodes and their jobs. */
export class Planting {
  /** How many of the tree's jobs have not ended. */
  live = 0
  readonly #runId: string
  readonly #workflow: Workflow
  readonly #strategy: Strategy
  readonly #store: TreeStore
  readonly #submissions: Submissions
  readonly #observer: JobObserver

  constructor(
    runId: string,
    workflow: Workflow,
    store: TreeStore,
    submissions: Submissions,
    observer: JobObserver,
  ) {
    this.#runId = runId
    this.#workflow = workflow
    this.#strategy = workflow.strategy ?? 'best-first'
    this.#store = store
    this.#submissions = submissions
    this.#observer = observer
  }

  /** @throws {EspalierError} `ESP_UNKNOWN_HANDLER`, `ESP_INVALID_WORKFLOW` for what is no node at all. */
  checkSpec(spec: NodeSpec): void {
    if (typeof spec !== 'object' || spec === null) {
      throw new EspalierError('ESP_INVALID_WORKFLOW', {
        expected: 'nodes with a `handler` as `root`',
        got: spec,
      })
    }
    this.#handlerOf(spec)
  }

  /**
   * Grows nodes below `parent`, or roots: all of them, or none.
   *
   * @throws {EspalierError} `ESP_UNKNOWN_HANDLER`, `ESP_DEPENDENCY_…`, and what `submitJobs` throws.
   */
  plant(specs: readonly NodeSpec[], parent: NodeRecord | undefined): NodeRecord[] {
    const records = this.#draft(specs, parent)
    this.#submit(records)
    for (const record of records) {
      this.#store.add(record)
      for (const dependency of record.dependencies) {
        dependency.dependants ??= []
        dependency.dependants.push(record)
      }
    }
    if (parent !== undefined) {
      const children = Object.freeze([...parent.node.children, ...records.map(({ node }) => node.id)])
      this.#store.change(parent, { children })
    }
    return records
  }

  /** Runs a node again with its spec changed, and with it the nodes that its failure had cancelled. */
  revise(record: NodeRecord, patch: NodePatch): NodeRecord[] {
    const { key, dependencies } = record.spec
    const spec = { ...record.spec, ...patch, key, dependencies } as NodeSpec
    this.checkSpec(spec)
    const { spec: oldSpec, node: oldNode } = record
    const { handler, input, label = handler } = spec
    const { score = oldNode.score } = patch
    record.spec = spec
    this.#store.change(record, { handler, input, label, score, revisions: oldNode.revisions + 1 })
    const again = [record, ...cancelledBy(record)]
    try {
      this.#submit(again)
    } catch (thrown) {
      record.spec = oldSpec
      this.#store.change(record, oldNode)
      throw thrown
    }
    for (const each of again) {
      const jobId = this.#jobIdOf(each.node.id, each.jobs - 1)
      this.#store.change(each, { jobId, status: 'queued', result: undefined, decision: undefined })
    }
    return again
  }

  #draft(specs: readonly NodeSpec[], parent: NodeRecord | undefined): NodeRecord[] {
    const first = this.#store.size
    const byKey = new Map<string, NodeRecord>()
    const records: NodeRecord[] = []
    specs.forEach((given, index) => {
      this.checkSpec(given)
      const spec = { ...given }
      const record: NodeRecord = {
        node: this.#nodeOf(spec, this.#store.idAt(first + index), parent?.node),
        spec,
        dependencies: NO_RECORDS,
        dependants: undefined,
        job: undefined,
        isLive: false,
        jobs: 0,
        isPruned: false,
      }
      records.push(record)
      if (spec.key !== undefined) byKey.set(spec.key, record)
    })
    // Siblings may depend on each other in any order: all are there before any dependency is looked up.
    for (const record of records) {
      if (record.spec.dependencies === undefined) continue
      record.dependencies = record.spec.dependencies.map((name) => {
        const dependency = byKey.get(name) ?? this.#store.find(name)
        if (dependency !== undefined) return dependency
        throw new EspalierError('ESP_DEPENDENCY_UNKNOWN', { jobId: record.node.id, dependency: name })
      })
    }
    return records
  }

  #nodeOf(spec: NodeSpec, id: NodeId, parent: TreeNode | undefined): TreeNode {
    return {
      id,
      parentId: parent?.id,
      depth: parent === undefined ? 0 : parent.depth + 1,
      children: NO_CHILDREN,
      handler: spec.handler,
      label: spec.label ?? spec.handler,
      key: spec.key,
      input: spec.input,
      jobId: this.#jobIdOf(id, 0),
      status: 'queued',
      result: undefined,
      score: spec.score ?? parent?.score,
      decision: undefined,
      revisions: 0,
    }
  }

  #submit(records: readonly NodeRecord[]): void {
    const batch = new Set(records)
    const specs = records.map((record) => this.#jobSpecOf(record, batch))
    const jobs = this.#submissions.submitAll(specs, this.#observer)
    records.forEach((record, index) => {
      record.job = jobs[index]
      record.isLive = true
      record.jobs++
    })
    this.live += jobs.length
  }

  #jobSpecOf(record: NodeRecord, batch: ReadonlySet<NodeRecord>): JobSpec {
    const { node, spec } = record
    const { priority, executor, timeoutMs, maxRetries } = spec
    return {
      // The very string the node has: what looks an id up often should not have to hash it anew.
      id: record.jobs === 0 ? node.jobId : this.#jobIdOf(node.id, record.jobs),
      nodeId: node.id,
      treeId: this.#runId,
      execute: this.#handlerOf(spec),
      args: [spec.input],
      score: orderScore(this.#strategy, node),
      dependencies: this.#waitsFor(record, batch),
      ...(priority === undefined ? {} : { priority }),
      ...(executor === undefined ? {} : { executor }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(maxRetries === undefined ? {} : { maxRetries }),
    }
  }

  /** Its parent, unless that failed and was grown from all the same, and its own dependencies. */
  #waitsFor({ node, dependencies }: NodeRecord, batch: ReadonlySet<NodeRecord>): (JobId | JobActor)[] {
    const waitsFor: (JobId | JobActor)[] = []
    const parent = node.parentId === undefined ? undefined : this.#store.get(node.parentId)
    if (parent?.job !== undefined && parent.node.status === 'completed') waitsFor.push(parent.job)
    for (const dependency of dependencies) {
      const { job } = dependency
      const isAhead = job === undefined || batch.has(dependency)
      waitsFor.push(isAhead ? this.#jobIdOf(dependency.node.id, dependency.jobs) : job)
    }
    return waitsFor
  }

  #jobIdOf(nodeId: NodeId, jobs: number): string {
    return jobs === 0 ? `${this.#runId}.${nodeId}` : `${this.#runId}.${nodeId}.${jobs}`
  }

  #handlerOf({ handler }: NodeSpec): Execute {
    const { handlers } = this.#workflow
    const found = Object.hasOwn(handlers, handler) ? handlers[handler] : undefined
    if (found !== undefined) return found
    throw new EspalierError('ESP_UNKNOWN_HANDLER', { handler, known: Object.keys(handlers) })
  }
}

const NO_RECORDS: readonly NodeRecord[] = Object.freeze([])
const NO_CHILDREN: readonly NodeId[] = Object.freeze([])

/** The nodes that were cancelled because a node had failed, directly or through each other. */
function cancelledBy(record: NodeRecord): Set<NodeRecord> {
  const found = new Set<NodeRecord>()
  const open = [record]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const dependant of next.dependants ?? []) {
      const { status, result } = dependant.node
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
function orderScore(strategy: Strategy, { depth, score = 0 }: TreeNode): number {
  if (strategy === 'best-first') return score
  // Squeezed into less than one level of depth.
  const withinLevel = score / (2 * (1 + Math.abs(score)))
  return (strategy === 'depth-first' ? depth : -depth) + withinLevel
}
