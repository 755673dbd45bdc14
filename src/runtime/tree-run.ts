import type { OrchestratorEvent } from '../../machines/index.ts'
import type { Decision, DecisionRecord } from '../domain/decision.ts'
import { EspalierError, isEspalierError } from '../domain/errors.ts'
import { Fifo } from '../domain/fifo.ts'
import type { JobResult } from '../domain/job.ts'
import { jsonText } from '../domain/json-text.ts'
import { type Budget, resolveLimits, type TreeLimits } from '../domain/limits.ts'
import type { NodeId, NodeSpec } from '../domain/node-spec.ts'
import { toError } from '../domain/thrown.ts'
import { errorFromJson, errorToJson, type TraceEvent } from '../domain/trace.ts'
import type { Tree } from '../domain/tree.ts'
import type { RunMetrics, RunOutcome, Workflow } from '../domain/workflow.ts'
import type { JobRecord, NodeRecord as NodeRow, RunRecord } from '../ports/run-store.ts'
import { type EffectTaker, type OrchestratorActor, startOrchestratorActor } from './charts.ts'
import type { Sleeper } from './deadlines.ts'
import { readDecision } from './decisions.ts'
import { EventHub } from './event-hub.ts'
import { Expansion, type Question, type Questioner } from './expansion.ts'
import { Growth, type GrowthSite, NOTHING } from './growth.ts'
import type { JobActor } from './job.ts'
import type { RecordedRun } from './journal.ts'
import { NodeRecord, type NodeWatcher } from './node-record.ts'
import { Planting } from './planting.ts'
import { recoverJobs } from './recovery.ts'
import { Request } from './request.ts'
import type { RunEventType, RunStreamEvent } from './run-events.ts'
import type { Submissions } from './submission.ts'
import type { Supervisor } from './supervisor.ts'
import { TreeStore } from './tree-store.ts'

type OrchestratorSnapshot = ReturnType<OrchestratorActor['getSnapshot']>

/** Where a run comes from. */
export interface RunOrigin {
  /** Its record, when it is taken up again. */
  readonly stored?: RunRecord | undefined
  /** The module that its workflow came from. */
  readonly source?: string | undefined
}

type Effect = readonly [type: string, params: unknown]

/**
 * A run from within: carries out what its chart asks for, hears what its jobs report, and takes what `expand` answers.
 *
 * Its methods are for those who call back; a run's user has the `Orchestrator`.
 */
export class TreeRun
  implements EffectTaker, Sleeper, Questioner<NodeRecord>, NodeWatcher, GrowthSite, RecordedRun
{
  readonly runId: string
  readonly actor: OrchestratorActor
  readonly workflow: Workflow
  readonly events: EventHub<RunStreamEvent>
  /** The validated input. */
  input: unknown
  heapIndex = -1
  wakeAt: number | undefined = undefined
  readonly #limits: TreeLimits
  readonly #supervisor: Supervisor
  readonly #submissions: Submissions
  /** How the run was recorded when its process ended; absent for a new one. */
  readonly #stored: RunRecord | undefined
  /** The module that the workflow came from. */
  readonly #source: string | undefined
  readonly #store = new TreeStore()
  readonly #planting: Planting
  readonly #growth: Growth
  readonly #expansion: Expansion<NodeRecord>
  readonly #effects = new Fifo<Effect>()
  readonly #ended = Promise.withResolvers<RunOutcome>()
  #roots: readonly NodeSpec[] = []
  #isReporting = false
  #isCut = false
  #endedAt = 0
  #startedAt = 0
  #decisions = 0
  #value: unknown
  #error: Error | undefined

  constructor(
    runId: string,
    workflow: Workflow,
    executor: string | undefined,
    supervisor: Supervisor,
    submissions: Submissions,
    origin: RunOrigin = {},
  ) {
    const { stored, source } = origin
    this.runId = runId
    this.#submissions = submissions
    this.#stored = stored
    this.#source = source ?? stored?.source
    this.workflow = workflow
    const limits = resolveLimits(workflow.limits)
    this.#limits = limits
    this.#supervisor = supervisor
    this.#planting = new Planting(runId, workflow, executor, this.#store, submissions, this)
    this.#growth = new Growth(limits, this.#store, this.#planting, this)
    this.#expansion = new Expansion(limits, supervisor.deadlines, () => supervisor.now(), this)
    const { logger } = supervisor.settings
    this.events = new EventHub((thrown, type) => logger.error(`A listener of "${type}" threw.`, thrown))
    this.actor = startOrchestratorActor(this, supervisor.reportSubscriber, {
      id: runId,
      parent: supervisor.actor,
      input: { maxRunMs: limits.maxRunMs ?? 0 },
      ...(stored && { snapshot: JSON.parse(stored.snapshot) }),
    })
  }

  get tree(): Tree {
    return this.#store.tree
  }

  /** How the run ended. */
  get ended(): Promise<RunOutcome> {
    return this.#ended.promise
  }

  /** @throws {EspalierError} What is wrong with a root by itself. */
  checkRoots(roots: readonly NodeSpec[]): void {
    for (const spec of roots) {
      if (typeof spec?.handler !== 'string') {
        const expected = 'nodes with a `handler` as `root`'
        throw new EspalierError('ESP_INVALID_WORKFLOW', { expected, got: spec })
      }
      this.#planting.checkSpec(spec)
    }
  }

  /** @throws {EspalierError} `ESP_NOT_STORABLE` when the run is to be stored, and its input cannot be. */
  start(roots: readonly NodeSpec[]): void {
    this.#roots = roots
    this.#startedAt = this.#supervisor.now()
    if (this.#journal !== undefined) jsonText(this.input, `The input of run "${this.runId}"`)
    this.#note({
      type: 'run.created',
      workflow: this.workflow.name,
      input: this.input,
      limits: this.#limits,
    })
    this.#tell({ type: 'run.start', at: this.#startedAt })
  }

  cancel(): void {
    this.#tell({ type: 'run.cancel', at: this.#supervisor.now() })
  }

  // Effects of the chart: written down while it steps, carried out after.

  takeEffect(type: string, params: unknown): void {
    this.#effects.push([type, params])
    this.#report()
  }

  /** Effects are carried out at once, also while another is: what stops the growth must not wait for what plants. */
  #tell(event: OrchestratorEvent): void {
    const before = this.actor.getSnapshot()
    if (before.status !== 'active') return
    this.actor.send(event)
    if (this.#journal !== undefined) this.#noteStep(before, event)
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
    this.#supervisor.together(() => {
      // Whoever heard of the start may have cancelled the run.
      if (!this.#isGrowing) return
      try {
        this.#keepCut(this.#growth.start(this.#roots))
      } catch (thrown) {
        this.#error = toError(thrown)
        this.#tell({ type: 'tree.failed', at: this.#supervisor.now() })
      }
    })
    this.#report()
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
    this.#planting.close()
    this.#endedAt = this.#supervisor.now()
    const outcome = this.#outcome()
    this.#emit('run.ended', { outcome })
    this.#afterCommit(() => {
      this.events.close()
      this.#ended.resolve(outcome)
    })
  }

  #outcome(): RunOutcome {
    const { status, reason } = this.actor.getSnapshot().output ?? { status: 'failed', reason: 'failed' }
    const store = this.#store
    let picture: Tree | undefined
    return {
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
  }

  // What jobs of the tree report.

  started(record: NodeRecord): void {
    this.changed(record)
  }

  retrying(record: NodeRecord): void {
    this.changed(record)
  }

  progressed({ id: nodeId }: NodeRecord, fraction: number, note: string | undefined): void {
    this.#emit('node.progress', { nodeId, fraction, note })
  }

  settled(record: NodeRecord, result: JobResult): void {
    this.#planting.live--
    this.changed(record)
    if (result.status === 'cancelled') this.#cancelled(record, result)
    // A failure is asked about when all that it cancels has been cancelled, so that a revision finds it.
    else if (result.status === 'failed') this.#supervisor.whenQuiet(() => this.#askAbout(record))
    else this.#askAbout(record)
    this.#report()
  }

  /** A root that somebody else cancelled takes the run with it: there is nothing left to grow from. */
  #cancelled({ depth }: NodeRecord, { cancelledBy }: JobResult): void {
    if (!this.#isGrowing) return
    const isRootLost = depth === 0 && cancelledBy === 'user'
    if (cancelledBy === 'shutdown' || isRootLost) this.cancel()
  }

  // Decisions.

  #askAbout(record: NodeRecord): void {
    if (!this.#isGrowing || record.isPruned || record.isLive) return
    if (this.workflow.expand === undefined) this.#decide(record, undefined, undefined)
    else this.#expansion.ask(record)
  }

  ask(record: NodeRecord, question: Question<NodeRecord>): unknown {
    return this.workflow.expand?.(new Request(this, record, question))
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
    let decision: Decision = STOP
    let done = NOTHING
    let error = fault
    try {
      decision = readDecision(record.id, answer)
      if (decision.type === 'satisfy' && this.#journal !== undefined) {
        jsonText(decision.value, `The value that satisfies run "${this.runId}"`)
      }
      if (decision.score !== undefined) record.judge(decision.score)
      done = this.#growth.carryOut(record, decision)
    } catch (thrown) {
      // A pool that takes no more jobs ends the growth, whatever was decided.
      if (isEspalierError(thrown, 'ESP_POOL_CLOSED')) this.cancel()
      error = toError(thrown)
      this.#supervisor.settings.logger.warn(error.message)
      decision = STOP
    }
    const { type, why, score } = decision
    const { nodeIds, cut } = done
    this.#keepCut(done)
    record.decide({ type, why, score, nodeIds, cut, error, at: this.#supervisor.now() })
    if (this.#journal !== undefined) this.#noteDecision(record, decision)
    if (this.#isHeard('node.decided')) {
      const { node } = record
      this.#emit('node.decided', { node, decision: node.decision })
    }
    if (decision.type === 'satisfy') this.#satisfied(decision.value)
    else if (record.status === 'failed' && record.children.length === 0) this.#branchFailed(record)
    this.#report()
  }

  /** Keeps in mind whether the tree may hold no more nodes. */
  #keepCut({ cut }: Pick<typeof NOTHING, 'cut'>): void {
    if (cut.length > 0) this.#isCut ||= cut.some(({ by }) => by === 'maxNodes')
  }

  #satisfied(value: unknown): void {
    if (!this.#isGrowing) return
    this.#value = value
    const stopRunning = this.workflow.onSatisfied === 'cancel'
    this.#tell({ type: 'tree.satisfied', at: this.#supervisor.now(), stopRunning })
  }

  #branchFailed({ depth, result }: NodeRecord): void {
    if (!this.#isGrowing || !(depth === 0 || this.workflow.failFast === true)) return
    this.#error = result?.error
    this.#tell({ type: 'tree.failed', at: this.#supervisor.now() })
  }

  // What decisions do.

  added(records: readonly NodeRecord[]): void {
    if (this.#journal !== undefined) {
      for (const { id: nodeId, parent, spec } of records) {
        this.#note({ type: 'node.grown', nodeId, ...(parent && { parentId: parent.id }), spec }, nodeId)
      }
    }
    if (!this.#isHeard('node.added')) return
    for (const { node } of records) this.#emit('node.added', { node })
  }

  changed(record: NodeRecord): void {
    if (this.#isHeard('node.changed')) this.#emit('node.changed', { node: record.node })
  }

  pruned({ id }: NodeRecord): void {
    this.#journal?.changed(this, placeOf(id))
  }

  cancelPruned(job: JobActor): void {
    this.#supervisor.cancel(job, 'tree', 'pruned')
  }

  dropQuestions(reason: Error, isDropped: (record: NodeRecord) => boolean): void {
    this.#expansion.drop(reason, isDropped)
  }

  budgetOf({ depth, children, revisions }: NodeRecord): Budget {
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

  #metrics(): RunMetrics {
    const endedAt = this.#endedAt
    const startedAt = this.#startedAt === 0 ? endedAt : this.#startedAt
    const records = this.#store.records()
    let revisions = 0
    const counts = { completed: 0, failed: 0, cancelled: 0 }
    for (const record of records) {
      revisions += record.revisions
      const { status } = record
      if (status === 'completed' || status === 'failed') counts[status]++
      else counts.cancelled++
    }
    const durationMs = endedAt - startedAt
    const decisions = this.#decisions
    return { startedAt, endedAt, durationMs, nodes: records.length, ...counts, revisions, decisions }
  }

  #emit(type: RunEventType, facts: object): void {
    if (!this.#isHeard(type)) return
    const event = { type, at: this.#supervisor.now(), runId: this.runId, ...facts } as RunStreamEvent
    this.#afterCommit(() => {
      this.#supervisor.recorder?.ran(this, event)
      this.events.emit(event)
    })
  }

  #isHeard(type: RunEventType): boolean {
    return this.#supervisor.recorder !== undefined || this.events.hasListeners(type)
  }

  // The record.

  get #journal(): Supervisor['journal'] {
    return this.#supervisor.journal
  }

  /** The run as its store keeps it. */
  get record(): RunRecord {
    const { status, output, context } = this.actor.getSnapshot()
    const error = output?.status === 'failed' ? this.#error : undefined
    return {
      id: this.runId,
      workflow: this.workflow.name,
      source: this.#source,
      input: jsonText(this.input, 'The input'),
      limits: JSON.stringify(this.#limits),
      status: output?.status ?? 'running',
      reason: context.reason,
      createdAt: this.#startedAt,
      endedAt: status === 'done' ? this.#endedAt : undefined,
      snapshot: JSON.stringify(this.actor.getPersistedSnapshot()),
      value: jsonText(this.#value, 'The value'),
      error: error && JSON.stringify(errorToJson(error)),
      decisions: this.#decisions,
      forkedFrom: this.#stored?.forkedFrom,
    }
  }

  /** A node as its store keeps it. */
  nodeRecord(place: number): NodeRow {
    const record = this.#store.records()[place] as NodeRecord
    const { id, parent, spec, score, jobs, revisions, isPruned, decision } = record
    return {
      runId: this.runId,
      id,
      place,
      parentId: parent?.id,
      spec: JSON.stringify(spec),
      score,
      jobs,
      revisions,
      isPruned,
      decision:
        decision && JSON.stringify({ ...decision, error: decision.error && errorToJson(decision.error) }),
    }
  }

  /** What the store does not take ends the run here, and nowhere else: it can be resumed where the store has it. */
  refused(error: Error): void {
    this.#expansion.drop(error)
    this.#ended.reject(error)
  }

  #note(event: TraceEvent, nodeId?: NodeId): void {
    this.#journal?.told('run', this.runId, this.#supervisor.now(), event)
    this.#journal?.changed(this, nodeId === undefined ? undefined : placeOf(nodeId))
  }

  /** Counts follow from nodes and jobs: a report of them is recorded only when it ends the run. */
  #noteStep(before: OrchestratorSnapshot, { at, ...event }: OrchestratorEvent): void {
    const after = this.actor.getSnapshot()
    const isCount = event.type === 'tree.changed' && after.status === before.status
    if (after === before || isCount) return
    this.#journal?.told('run', this.runId, at, event)
    this.#journal?.changed(this)
  }

  #noteDecision(record: NodeRecord, decision: Decision): void {
    const { at, error, ...made } = record.decision as DecisionRecord
    const value = decision.type === 'satisfy' ? { value: decision.value } : {}
    const stored = { ...made, ...(error && { error: errorToJson(error) }), ...value }
    this.#note({ type: 'node.decided', nodeId: record.id, decision: stored }, record.id)
    if (decision.type !== 'revise') return
    for (const nodeId of made.nodeIds) {
      const revised = this.#store.find(nodeId) as NodeRecord
      this.#note({ type: 'node.revised', nodeId, spec: revised.spec }, nodeId)
    }
  }

  /** At once in memory, or when nothing waits for a commit. */
  #afterCommit(callback: () => void): void {
    if (this.#journal?.isOpen) this.#journal.afterCommit(callback)
    else callback()
  }

  // Taking up a run that is in the store.

  /**
   * Takes the run up where the store has it: what was decided stands, what was being decided is asked again.
   *
   * @throws {EspalierError} `ESP_UNKNOWN_HANDLER` when a handler that is still needed is gone; nothing has started then.
   */
  resume(): void {
    const { store } = this.#journal as NonNullable<Supervisor['journal']>
    const run = this.#stored as RunRecord
    this.input = parsed(run.input)
    this.#startedAt = run.createdAt
    this.#endedAt = run.endedAt ?? 0
    this.#value = parsed(run.value)
    this.#decisions = run.decisions
    this.#error = run.error === undefined ? undefined : errorFromJson(JSON.parse(run.error))
    const rows = store.nodes(this.runId)
    for (const row of rows) this.#store.add(this.#takeUp(row))
    const nodeOf = ({ submitted }: JobRecord) => this.#store.find(submitted.nodeId)
    const { handlers } = this.workflow
    const jobs = recoverJobs(
      store.jobs(this.runId),
      { handlers, nodeOf, ids: this.#planting.ids },
      this.#supervisor,
      this.#submissions,
    )
    // In the order of submission: what stays is a node's last one.
    for (const job of jobs) (job.extras.observer as NodeRecord).job = job
    for (const row of rows) this.#restore(row)
    if (run.status !== 'running') {
      this.#planting.close()
      this.#ended.resolve(this.#outcome())
      return
    }
    this.#wakeAt(this.actor.getSnapshot().context.deadlineAt)
    for (const record of this.#store.records()) {
      const isOpen =
        record.decision === undefined && (record.status === 'completed' || record.status === 'failed')
      if (isOpen) this.#askAbout(record)
    }
    this.#report()
  }

  #takeUp({ id, parentId, spec }: NodeRow): NodeRecord {
    const parent = parentId === undefined ? undefined : this.#store.find(parentId)
    const record = new NodeRecord(id, parent, JSON.parse(spec), this)
    parent?.grow([id])
    return record
  }

  #restore(row: NodeRow): void {
    const record = this.#store.records()[row.place] as NodeRecord
    const { job } = record
    const stored = row.decision === undefined ? undefined : JSON.parse(row.decision)
    // What made the node run again was decided about an earlier end of it.
    const isPast = stored?.type === 'revise' && stored.nodeIds.includes(row.id) && job?.known !== undefined
    const decision =
      stored === undefined || isPast
        ? undefined
        : { ...stored, error: stored.error && errorFromJson(stored.error) }
    const { dependencies } = record.spec
    if (dependencies !== undefined)
      record.dependencies = dependencies.map((name) => this.#store.find(name) as NodeRecord)
    for (const dependency of record.dependencies) {
      dependency.dependants ??= []
      dependency.dependants.push(record)
    }
    record.restore(row, decision)
    if (record.isLive) this.#planting.live++
    if (decision !== undefined) this.#keepCut(decision)
  }
}

const placeOf = (nodeId: NodeId): number => Number(nodeId.slice(1))

const parsed = (text: string | undefined): unknown => (text === undefined ? undefined : JSON.parse(text))

const STOP: Decision = Object.freeze({ type: 'stop', why: undefined, score: undefined })
