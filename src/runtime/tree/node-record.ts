import type { DecisionRecord } from '../../domain/decision.ts'
import type { JobResult } from '../../domain/job.ts'
import type { NodeId, NodeSpec } from '../../domain/node-spec.ts'
import { storedObject } from '../../domain/stored-json.ts'
import { errorFromJson } from '../../domain/trace.ts'
import type { NodeStatus, TreeNode } from '../../domain/tree.ts'
import type { NodeRecord as NodeRow } from '../../ports/run-store.ts'
import type { JobActor, JobEntry, JobExtras, JobObserver } from '../job/job-actor.ts'

/** Who is told what the jobs of a tree report. */
export interface NodeWatcher {
  started(record: NodeRecord): void
  progressed(record: NodeRecord, fraction: number, note: string | undefined): void
  retrying(record: NodeRecord): void
  settled(record: NodeRecord, result: JobResult): void
}

/** What of a node is stored besides its spec and its jobs. */
type StoredNode = Pick<NodeRow, 'score' | 'revisions' | 'isPruned' | 'decision'>

/**
 * A node as the runtime works with it, and what its jobs have besides: their arguments and their observer.
 *
 * What others see of it is {@link NodeRecord.node}, a picture that is made when somebody looks: most changes of most
 * nodes are never looked at.
 */
export class NodeRecord implements JobExtras, JobObserver {
  readonly id: NodeId
  readonly parent: NodeRecord | undefined
  readonly depth: number
  /** The nodes it waits for, its parent not included. */
  dependencies: readonly NodeRecord[] = NO_RECORDS
  /** The nodes that wait for it, its children not included; absent while there are none. */
  dependants: NodeRecord[] | undefined = undefined
  /** Its latest job; absent until it is submitted. */
  job: JobEntry | undefined = undefined
  /** Whether that job has not ended. */
  isLive = false
  /** How many jobs the node has had. */
  jobs = 0
  isPruned = false
  readonly #watcher: NodeWatcher
  #spec: NodeSpec
  #status: NodeStatus = 'queued'
  #score: number | undefined
  #decision: DecisionRecord | undefined = undefined
  #children: readonly NodeId[] = NO_CHILDREN
  #revisions = 0
  #picture: TreeNode | undefined = undefined

  constructor(id: NodeId, parent: NodeRecord | undefined, spec: NodeSpec, watcher: NodeWatcher) {
    this.id = id
    this.parent = parent
    this.depth = parent === undefined ? 0 : parent.depth + 1
    this.#watcher = watcher
    this.#spec = spec
    this.#score = spec.score ?? parent?.score
  }

  /** The node as it is now: frozen, and the same object until it changes. */
  get node(): TreeNode {
    if (this.#picture !== undefined) return this.#picture
    const { handler, label = handler, key, input } = this.#spec
    // What is shown must stay what it was, whoever holds it.
    const { result } = this
    if (result !== undefined) Object.freeze(result)
    this.#picture = Object.freeze({
      id: this.id,
      parentId: this.parent?.id,
      depth: this.depth,
      children: Object.freeze(this.#children),
      handler,
      label,
      key,
      input,
      jobId: (this.job as JobEntry).id,
      status: this.#status,
      result,
      score: this.#score,
      decision: this.decision,
      revisions: this.#revisions,
    })
    return this.#picture
  }

  /** What the node runs, with all revisions applied. */
  get spec(): NodeSpec {
    return this.#spec
  }

  get status(): NodeStatus {
    return this.#status
  }

  /** How its latest job ended; absent until then. */
  get result(): JobResult | undefined {
    return this.isLive ? undefined : this.job?.known
  }

  get score(): number | undefined {
    return this.#score
  }

  get children(): readonly NodeId[] {
    return this.#children
  }

  /** What was decided after its last end; while it runs again, what made it do so. */
  get decision(): DecisionRecord | undefined {
    const { lastDecision } = this
    const isPast = !this.isLive && lastDecision?.type === 'revise' && lastDecision.nodeIds.includes(this.id)
    return isPast ? undefined : lastDecision
  }

  /** Stays when what it has had run again ends. */
  get lastDecision(): DecisionRecord | undefined {
    return this.#decision
  }

  get revisions(): number {
    return this.#revisions
  }

  /** What its jobs are called with. */
  get args(): readonly unknown[] {
    return [this.#spec.input]
  }

  get observer(): JobObserver {
    return this
  }

  /** Takes a job that has been submitted for it, its first one or another. */
  submitted(job: JobActor): void {
    this.job = job
    this.isLive = true
    this.jobs++
    this.#status = 'queued'
    this.#picture = undefined
  }

  /** Has the nodes it waits for know that it does. */
  tellDependencies(): void {
    for (const dependency of this.dependencies) {
      dependency.dependants ??= []
      dependency.dependants.push(this)
    }
  }

  /** Takes up what a store remembers of the node; its jobs are yet to come. */
  restore({ score, revisions, isPruned, decision }: StoredNode): void {
    this.#score = score
    this.#revisions = revisions
    this.#decision = decision === undefined ? undefined : decisionOf(decision, this.id)
    this.isPruned = isPruned
  }

  /** Takes up a job that a store remembers, the next one of the node. */
  adopt(job: JobEntry): void {
    const { status } = job
    this.job = job
    this.jobs++
    this.isLive = status === 'queued' || status === 'running'
    this.#status = this.isPruned && status === 'cancelled' ? 'pruned' : status
  }

  change(spec: NodeSpec, score: number | undefined): void {
    this.#spec = spec
    this.#score = score
    this.#picture = undefined
  }

  revised(): void {
    this.#revisions++
    this.#picture = undefined
  }

  grow(children: readonly NodeId[]): void {
    this.#children = this.#children.length === 0 ? children : [...this.#children, ...children]
    this.#picture = undefined
  }

  judge(score: number | undefined): void {
    this.#score = score
    this.#picture = undefined
  }

  /** It runs again, for another node's sake: what was decided about it is no longer so. */
  undecide(): void {
    this.#decision = undefined
    this.#picture = undefined
  }

  decide(decision: DecisionRecord): void {
    this.#decision = decision
    this.#picture = undefined
  }

  // What its jobs report; of earlier ones nothing is heard any more.

  started(job: JobActor): void {
    if (job !== this.job || !this.isLive) return
    this.#status = 'running'
    this.#picture = undefined
    this.#watcher.started(this)
  }

  progressed(job: JobActor, fraction: number, note: string | undefined): void {
    if (job === this.job && this.isLive) this.#watcher.progressed(this, fraction, note)
  }

  retrying(job: JobActor): void {
    if (job !== this.job || !this.isLive) return
    this.#status = 'queued'
    this.#picture = undefined
    this.#watcher.retrying(this)
  }

  settled(job: JobActor, result: JobResult): void {
    if (job !== this.job || !this.isLive) return
    this.isLive = false
    this.#status = this.isPruned && result.status === 'cancelled' ? 'pruned' : result.status
    this.#picture = undefined
    this.#watcher.settled(this, result)
  }
}

/** Most have no error, and are not copied. */
function decisionOf(text: string, nodeId: NodeId): DecisionRecord {
  const stored = storedObject(text, 'decision', 'node', nodeId)
  return stored.error === undefined ? stored : { ...stored, error: errorFromJson(stored.error) }
}

const NO_RECORDS: readonly NodeRecord[] = Object.freeze([])
const NO_CHILDREN: readonly NodeId[] = Object.freeze([])
