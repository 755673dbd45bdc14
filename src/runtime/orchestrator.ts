import type { OrchestratorEvent } from '../../machines/index.ts'
import { checkName } from '../domain/check.ts'
import { EspalierError, isEspalierError } from '../domain/errors.ts'
import { Fifo } from '../domain/fifo.ts'
import type { JobResult } from '../domain/job.ts'
import { toError } from '../domain/thrown.ts'
import {
  type Budget,
  DEFAULT_LIMITS,
  type Decision,
  type DecisionRecord,
  type NodePatch,
  type NodeSpec,
  type Tree,
  type TreeLimits,
  type TreeNode,
} from '../domain/tree.ts'
import { checkWorkflow, type RunOutcome, type Workflow } from '../domain/workflow.ts'
import { type EffectTaker, type OrchestratorActor, startOrchestratorActor } from './charts.ts'
import type { Sleeper } from './deadlines.ts'
import { cutGrowth, readDecision } from './decisions.ts'
import { EventHub } from './event-hub.ts'
import { Expansion, type Question, type Questioner } from './expansion.ts'
import type { JobActor, JobObserver } from './job.ts'
import { PoolCore } from './job-pool.ts'
import { checkSignal } from './options.ts'
import { Planting } from './planting.ts'
import { Request } from './request.ts'
import type { RunEventOf, RunEventType, RunStreamEvent } from './run-events.ts'
import { checkLimits, validInput } from './run-settings.ts'
import type { Supervisor } from './supervisor.ts'
import { type NodeRecord, TreeStore } from './tree-store.ts'

/** What an orchestrator is made with. */
export interface OrchestratorOptions {
  /** Runs the tree's jobs; it may run others too, and stays open after the run. */
  readonly pool: PoolCore
  /** Checked against the workflow's schema. */
  readonly input?: unknown
  /** Names the run, and begins its jobs' ids. Default: a fresh id. */
  readonly runId?: string
  /** Cancels the run when it aborts. */
  readonly signal?: AbortSignal
}

type Effect = readonly [type: string, params: unknown]

/**
 * Grows the tree of one run: submits its nodes as jobs, and asks the workflow's `expand` after each completion and
 * failure how the tree goes on, at once and independently of all others.
 */
export class Orchestrator implements JobObserver, EffectTaker, Sleeper, Questioner<NodeRecord> {
  readonly runId: string
  readonly actor: OrchestratorActor
  heapIndex = -1
  wakeAt: number | undefined = undefined
  readonly #workflow: Workflow
  readonly #limits: TreeLimits
  readonly #supervisor: Supervisor
  readonly #givenInput: unknown
  readonly #signal: AbortSignal | undefined
  readonly #store = new TreeStore()
  readonly #planting: Planting
  readonly #expansion: Expansion<NodeRecord>
  readonly #events: EventHub<RunStreamEvent>
  readonly #effects = new Fifo<Effect>()
  readonly #ended: Promise<RunOutcome>
  #resolveEnded: (outcome: RunOutcome) => void = () => {}
  #input: unknown
  #roots: readonly NodeSpec[] = []
  #hasStarted = false
  #isReporting = false
  #isCut = false
  #startedAt = 0
  #decisions = 0
  #value: unknown
  #error: Error | undefined

  /** @throws {EspalierError} `ESP_INVALID_WORKFLOW`, or `ESP_INVALID_OPTION` for its limits. */
  // biome-ignore lint/suspicious/noExplicitAny: a workflow of any input type can be run.
  constructor(workflow: Workflow<any>, { pool, input, runId, signal }: OrchestratorOptions) {
    checkWorkflow(workflow)
    if (!(pool instanceof PoolCore)) {
      throw new EspalierError('ESP_INVALID_OPTION', { option: 'pool', expected: 'a JobPool', got: pool })
    }
    checkSignal(signal)
    const { supervisor, submissions } = PoolCore.partsOf(pool)
    this.#workflow = workflow
    this.#limits = checkLimits({ ...DEFAULT_LIMITS, ...workflow.limits })
    this.#supervisor = supervisor
    this.#givenInput = input
    this.#signal = signal
    this.runId =
      runId === undefined ? supervisor.settings.ids.next() : checkName('runId', runId, RUN_ID_LENGTH_MAX)
    this.#planting = new Planting(this.runId, workflow, this.#store, submissions, this)
    this.#expansion = new Expansion(this.#limits, supervisor.deadlines, () => supervisor.now(), this)
    const { logger } = supervisor.settings
    this.#events = new EventHub((thrown, type) => logger.error(`A listener of "${type}" threw.`, thrown))
    this.#ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
    this.actor = startOrchestratorActor(this, supervisor.reportSubscriber, {
      id: this.runId,
      parent: supervisor.actor,
      input: { maxRunMs: this.#limits.maxRunMs ?? 0 },
    })
  }

  /** The tree as it is now. */
  get tree(): Tree {
    return this.#store.tree
  }

  /**
   * Runs the workflow to its end.
   *
   * @returns How the run ended; it does not reject for what happens in the run.
   * @throws {EspalierError} Before anything has started: `ESP_INVALID_INPUT`, `ESP_UNKNOWN_HANDLER` for a root,
   * `ESP_RUN_STARTED` when called again, and what the workflow's `root` throws.
   */
  async run(): Promise<RunOutcome> {
    if (this.#hasStarted) throw new EspalierError('ESP_RUN_STARTED', { runId: this.runId })
    this.#hasStarted = true
    this.#input = await validInput(this.#workflow, this.#givenInput)
    const roots = this.#workflow.root(this.#input)
    this.#roots = Array.isArray(roots) ? roots : [roots as NodeSpec]
    for (const spec of this.#roots) this.#planting.checkSpec(spec)
    const cancel = () => this.cancel()
    if (this.#signal?.aborted) cancel()
    else this.#signal?.addEventListener('abort', cancel, { once: true })
    this.#startedAt = this.#supervisor.now()
    this.#tell({ type: 'run.start', at: this.#startedAt })
    const outcome = await this.#ended
    this.#signal?.removeEventListener('abort', cancel)
    return outcome
  }

  /** Ends the run: what is queued or running is cancelled. A run that has ended is not affected. */
  cancel(): void {
    this.#tell({ type: 'run.cancel', at: this.#supervisor.now() })
  }

  /**
   * Calls `listener` for each event of a type, or of every type with `'*'`. One that throws is logged.
   *
   * @returns A function that stops listening.
   */
  on(type: '*', listener: (event: RunStreamEvent) => unknown): () => void
  on<Type extends RunEventType>(type: Type, listener: (event: RunEventOf<Type>) => unknown): () => void
  on(type: string, listener: (event: never) => unknown): () => void {
    return this.#events.on(type, listener as (event: RunStreamEvent) => unknown)
  }

  // Effects of the chart: written down while it steps, carried out after.

  takeEffect(type: string, params: unknown): void {
    this.#effects.push([type, params])
    this.#report()
  }

  /** Effects are carried out at once, also while another is: what stops the growth must not wait for what plants. */
  #tell(event: OrchestratorEvent): void {
    if (this.actor.getSnapshot().status !== 'active') return
    this.actor.send(event)
    for (let effect = this.#effects.shift(); effect !== undefined; effect = this.#effects.shift()) {
      this.#carryOut(effect)
    }
  }

  #carryOut([type, params]: Effect): void {
    switch (type) {
      case 'plantRoot':
        this.#plantRoots()
        return
      case 'stopGrowth':
        this.#stopGrowth((params as { stopRunning: boolean }).stopRunning)
        return
      case 'wakeAt':
        this.#wakeAt((params as { at: number }).at)
        return
      case 'settle':
        this.#settle()
        return
      default:
        throw new Error(`The orchestrator chart asks for an effect "${type}" that the runtime does not know.`)
    }
  }

  wake(at: number): void {
    this.#tell({ type: 'deadline.reached', at })
  }

  #wakeAt(at: number): void {
    if (at > 0) this.#supervisor.deadlines.set(this, at)
    else this.#supervisor.deadlines.remove(this)
  }

  #plantRoots(): void {
    this.#emit('run.started', {})
    const room = { depth: -1, children: 0, nodes: 0, hasKey: () => false }
    const limits = { ...this.#limits, maxChildrenPerNode: Number.POSITIVE_INFINITY }
    const { specs, cut } = cutGrowth(this.#roots, room, limits)
    this.#isCut = cut.some(({ by }) => by === 'maxNodes')
    this.#supervisor.together(() => {
      // Whoever heard of the start may have cancelled the run.
      if (this.#isGrowing) this.#plantOrFail(specs)
    })
    this.#report()
  }

  #plantOrFail(specs: readonly NodeSpec[]): void {
    try {
      this.#plant(specs, undefined)
    } catch (thrown) {
      this.#error = toError(thrown)
      this.#tell({ type: 'tree.failed', at: this.#supervisor.now() })
    }
  }

  #stopGrowth(stopRunning: boolean): void {
    const reason = this.actor.getSnapshot().context.reason ?? 'cancelled'
    this.#expansion.drop(new EspalierError('ESP_JOB_CANCELLED', { jobId: this.runId, reason }))
    this.#supervisor.together(() => {
      for (const { job, isLive } of this.#store.records()) {
        if (job === undefined || !isLive) continue
        if (stopRunning || job.status === 'queued') this.#supervisor.cancel(job, 'tree', reason)
      }
    })
    this.#report()
  }

  #settle(): void {
    const { status, reason } = this.actor.getSnapshot().output ?? { status: 'failed', reason: 'failed' }
    const store = this.#store
    let picture: Tree | undefined
    const outcome: RunOutcome = {
      runId: this.runId,
      status,
      reason,
      value: reason === 'satisfied' ? this.#value : undefined,
      error: status === 'failed' ? this.#error : undefined,
      // Made when it is looked at: of a large tree it takes a while, and many only want the value.
      get tree() {
        picture ??= store.picture()
        return picture
      },
      metrics: this.#metrics(),
    }
    this.#emit('run.ended', { outcome })
    this.#events.close()
    this.#resolveEnded(outcome)
  }

  // What jobs of the tree report.

  started(job: JobActor): void {
    const record = this.#recordOf(job)
    if (record !== undefined) this.#changed(this.#store.setStatus(record, 'running'))
  }

  progressed(job: JobActor, fraction: number, note: string | undefined): void {
    const record = this.#recordOf(job)
    if (record !== undefined) this.#emit('node.progress', { nodeId: record.node.id, fraction, note })
  }

  settled(job: JobActor, result: JobResult): void {
    const record = this.#recordOf(job)
    if (record === undefined) return
    record.isLive = false
    this.#planting.live--
    const status = record.isPruned && result.status === 'cancelled' ? 'pruned' : result.status
    Object.freeze(result)
    this.#changed(this.#store.change(record, { status, result, decision: undefined }))
    if (result.status === 'cancelled') this.#cancelled(record, result)
    else if (result.status === 'failed') this.#supervisor.whenQuiet(() => this.#askAbout(record))
    else this.#askAbout(record)
    this.#report()
  }

  /** A root that somebody else cancelled takes the run with it: there is nothing left to grow from. */
  #cancelled({ node }: NodeRecord, { cancelledBy }: JobResult): void {
    if (!this.#isGrowing) return
    const isRootLost = node.depth === 0 && cancelledBy === 'user'
    if (cancelledBy === 'shutdown' || isRootLost) this.cancel()
  }

  #recordOf(job: JobActor): NodeRecord | undefined {
    const record = job.nodeId === undefined ? undefined : this.#store.get(job.nodeId)
    return record?.isLive === true && record.job === job ? record : undefined
  }

  // Decisions.

  /** A failure is asked about when all that it cancels has been cancelled, so that a revision finds it. */
  #askAbout(record: NodeRecord): void {
    if (!this.#isGrowing || record.isPruned || record.isLive) return
    if (this.#workflow.expand === undefined) this.#decide(record, undefined, undefined)
    else this.#expansion.ask(record)
  }

  ask(record: NodeRecord, question: Question<NodeRecord>): unknown {
    const request = new Request(record.node, this.tree, this.#budgetOf(record.node), this.#input, question)
    return this.#workflow.expand?.(request)
  }

  answered(record: NodeRecord, answer: unknown): void {
    if (this.#isGrowing) this.#decisions++
    this.#decide(record, answer, undefined)
  }

  unanswered(record: NodeRecord, error: EspalierError): void {
    this.#supervisor.settings.logger.warn(error.message)
    this.#decide(record, undefined, error)
  }

  /** What a decision sets going starts only after the decision has been recorded and told. */
  #decide(record: NodeRecord, answer: unknown, fault: Error | undefined): void {
    if (this.#isGrowing) this.#supervisor.together(() => this.#decideNow(record, answer, fault))
  }

  #decideNow(record: NodeRecord, answer: unknown, fault: Error | undefined): void {
    let decision: Decision = { type: 'stop', why: undefined, score: undefined }
    let done: Carried = NOTHING
    let error = fault
    try {
      decision = readDecision(record.node.id, answer)
      if (decision.score !== undefined) this.#store.change(record, { score: decision.score })
      done = this.#carryOutDecision(record, decision)
    } catch (thrown) {
      // A pool that takes no more jobs ends the growth, whatever was decided.
      if (isEspalierError(thrown, 'ESP_POOL_CLOSED')) this.cancel()
      error = toError(thrown)
      this.#supervisor.settings.logger.warn(error.message)
      decision = { type: 'stop', why: undefined, score: undefined }
    }
    const { type, why, score } = decision
    const at = this.#supervisor.now()
    const made: DecisionRecord = { type, why, score, nodeIds: done.nodeIds, cut: done.cut, error, at }
    this.#isCut ||= done.cut.some(({ by }) => by === 'maxNodes')
    const node = this.#store.change(record, { decision: made })
    this.#emit('node.decided', { node, decision: made })
    if (decision.type === 'satisfy') this.#satisfied(decision.value)
    else if (node.status === 'failed' && node.children.length === 0) this.#branchFailed(node)
    this.#report()
  }

  #carryOutDecision(record: NodeRecord, decision: Decision): Carried {
    switch (decision.type) {
      case 'grow': {
        const { depth, children } = record.node
        const { size } = this.#store
        const hasKey = (key: string) => this.#store.hasKey(key)
        const room = { depth, children: children.length, nodes: size, hasKey }
        const { specs, cut } = cutGrowth(decision.nodes, room, this.#limits)
        const planted = specs.length > 0 ? this.#plant(specs, record) : []
        return { nodeIds: planted.map(({ node }) => node.id), cut }
      }
      case 'revise':
        return this.#revise(record, decision.patch)
      case 'prune':
        return this.#prune(decision.ids)
      case 'stop':
      case 'satisfy':
        return NOTHING
    }
  }

  #plant(specs: readonly NodeSpec[], parent: NodeRecord | undefined): NodeRecord[] {
    const planted = this.#planting.plant(specs, parent)
    if (this.#events.hasListeners('node.added'))
      for (const { node } of planted) this.#emit('node.added', { node })
    if (parent !== undefined) this.#changed(parent.node)
    return planted
  }

  #revise(record: NodeRecord, patch: NodePatch): Carried {
    if (record.node.revisions >= this.#limits.maxRevisions) {
      return { nodeIds: [], cut: [{ by: 'maxRevisions', count: 1 }] }
    }
    const replanted = this.#planting.revise(record, patch)
    for (const { node } of replanted) this.#changed(node)
    return { nodeIds: replanted.map(({ node }) => node.id), cut: [] }
  }

  #prune(ids: readonly string[]): Carried {
    const pruned: string[] = []
    let unknown = 0
    let ended = 0
    const dropped = new Set<NodeRecord>()
    for (const id of ids) {
      const root = this.#store.find(id)
      if (root === undefined) {
        unknown++
        continue
      }
      // Named twice, or below one that was named before.
      if (dropped.has(root)) continue
      const branch = [...this.#store.below(root)].filter((record) => !record.isPruned)
      const stopped = branch.filter(({ isLive }) => isLive)
      if (stopped.length === 0) ended++
      for (const record of branch) {
        record.isPruned = true
        dropped.add(record)
      }
      for (const { node, job } of stopped) {
        pruned.push(node.id)
        this.#supervisor.cancel(job as JobActor, 'tree', 'pruned')
      }
    }
    this.#expansion.drop(
      new EspalierError('ESP_JOB_CANCELLED', { jobId: this.runId, reason: 'pruned' }),
      (record) => dropped.has(record),
    )
    const cut = [
      { by: 'unknownNode' as const, count: unknown },
      { by: 'ended' as const, count: ended },
    ].filter(({ count }) => count > 0)
    return { nodeIds: pruned, cut }
  }

  #satisfied(value: unknown): void {
    if (!this.#isGrowing) return
    this.#value = value
    const stopRunning = this.#workflow.onSatisfied === 'cancel'
    this.#tell({ type: 'tree.satisfied', at: this.#supervisor.now(), stopRunning })
  }

  #branchFailed({ depth, result }: TreeNode): void {
    if (!this.#isGrowing || !(depth === 0 || this.#workflow.failFast === true)) return
    this.#error = result?.error
    this.#tell({ type: 'tree.failed', at: this.#supervisor.now() })
  }

  // Telling others.

  get #isGrowing(): boolean {
    return this.actor.getSnapshot().hasTag('growing')
  }

  /** Gives the chart the tree's counts, once for all changes of this turn. */
  #report(): void {
    if (this.#isReporting) return
    this.#isReporting = true
    this.#supervisor.settings.clock.soon(() => {
      this.#isReporting = false
      const tree = {
        nodes: this.#store.size,
        jobs: this.#planting.live,
        decisions: this.#expansion.size,
        isCut: this.#isCut,
      }
      this.#tell({ type: 'tree.changed', at: this.#supervisor.now(), tree })
    })
  }

  #budgetOf({ depth, children, revisions }: TreeNode): Budget {
    const { maxNodes, maxChildrenPerNode, maxDepth, maxRevisions, maxRunMs } = this.#limits
    const leftMs =
      maxRunMs === undefined ? Number.POSITIVE_INFINITY : this.#startedAt + maxRunMs - this.#supervisor.now()
    return {
      nodes: Math.max(0, maxNodes - this.#store.size),
      children: Math.max(0, maxChildrenPerNode - children.length),
      depth: Math.max(0, maxDepth - depth),
      revisions: Math.max(0, maxRevisions - revisions),
      runMs: Math.max(0, leftMs),
    }
  }

  #metrics(): RunOutcome['metrics'] {
    const endedAt = this.#supervisor.now()
    const startedAt = this.#startedAt === 0 ? endedAt : this.#startedAt
    let revisions = 0
    const counts = { completed: 0, failed: 0, cancelled: 0 }
    for (const { node } of this.#store.records()) {
      revisions += node.revisions
      if (node.status === 'completed' || node.status === 'failed') counts[node.status]++
      else counts.cancelled++
    }
    const durationMs = endedAt - startedAt
    return {
      startedAt,
      endedAt,
      durationMs,
      nodes: this.#store.size,
      ...counts,
      revisions,
      decisions: this.#decisions,
    }
  }

  #changed(node: TreeNode): void {
    this.#emit('node.changed', { node })
  }

  #emit(type: RunEventType, facts: object): void {
    if (!this.#events.hasListeners(type)) return
    this.#events.emit({ type, at: this.#supervisor.now(), runId: this.runId, ...facts } as RunStreamEvent)
  }
}

/** It begins the ids of the run's jobs, which may be 200 characters long. */
const RUN_ID_LENGTH_MAX = 150

/** What of a decision was carried out, and what not. */
type Carried = Pick<DecisionRecord, 'nodeIds' | 'cut'>

const NOTHING: Carried = { nodeIds: [], cut: [] }
