import type { OrchestratorEvent } from '../../../machines/index.ts'
import { EspalierError } from '../../domain/errors.ts'
import { Fifo } from '../../domain/fifo.ts'
import type { JobResult } from '../../domain/job.ts'
import { resolveLimits, type TreeLimits } from '../../domain/limits.ts'
import type { NodeSpec } from '../../domain/node-spec.ts'
import { storedObject } from '../../domain/stored-json.ts'
import { toError } from '../../domain/thrown.ts'
import type { Tree } from '../../domain/tree.ts'
import type { RunOutcome, Workflow } from '../../domain/workflow.ts'
import type { NodeRecord as NodeRow, RunRecord } from '../../ports/run-store.ts'
import type { EffectTaker } from '../../statechart/index.ts'
import { type OrchestratorActor, startOrchestratorActor } from '../charts/charts.ts'
import { EventHub } from '../events/event-hub.ts'
import { RUN_EVENT_TYPES } from '../events/event-types.ts'
import type { RunEventType, RunStreamEvent } from '../events/run-events.ts'
import type { JobActor } from '../job/job-actor.ts'
import type { LeavingRun } from '../pool/leaving.ts'
import type { Submissions } from '../pool/submission.ts'
import type { Supervisor } from '../pool/supervisor.ts'
import type { Sleeper, Wish } from '../scheduling/deadlines.ts'
import { Deciding, type DecidingRun } from './deciding.ts'
import { Growth, type GrowthSite } from './growth.ts'
import type { NodeRecord, NodeWatcher } from './node-record.ts'
import { Planting } from './planting.ts'
import { factsOf, noFacts } from './run-facts.ts'
import { type JournaledRun, RunJournal } from './run-journal.ts'
import { outcomeOf } from './run-outcome.ts'
import { recoverTree } from './run-recovery.ts'
import { TreeStore } from './tree-store.ts'

/** Where a run comes from. */
export interface RunOrigin {
  /** Its record, when it is taken up again. */
  readonly stored?: RunRecord | undefined
  /** The module that its workflow came from. */
  readonly source?: string | undefined
  /** What its nodes run on, instead of the workflow's `executor`. */
  readonly executor?: string | undefined
}

type Effect = readonly [type: string, params: unknown]

/**
 * A run from within: carries out what its chart asks for, hears what its jobs report, and takes what `expand` answers.
 *
 * Its methods are for those who call back; a run's user has the `Orchestrator`.
 */
export class TreeRun
  implements EffectTaker, Sleeper, NodeWatcher, DecidingRun, GrowthSite, JournaledRun, LeavingRun
{
  readonly runId: string
  readonly actor: OrchestratorActor
  readonly workflow: Workflow
  readonly events: EventHub<RunStreamEvent>
  readonly limits: TreeLimits
  readonly nodes = new TreeStore()
  readonly source: string | undefined
  readonly executor: string | undefined
  readonly forkedFrom: string | undefined
  facts = noFacts()
  wish: Wish | undefined = undefined
  readonly #supervisor: Supervisor
  readonly #submissions: Submissions
  /** How the run was recorded when its process ended; absent for a new one. */
  readonly #stored: RunRecord | undefined
  /** Absent in memory. */
  readonly #journal: RunJournal | undefined
  readonly #planting: Planting
  readonly #deciding: Deciding
  readonly #effects = new Fifo<Effect>()
  readonly #ended = Promise.withResolvers<RunOutcome>()
  #roots: readonly NodeSpec[] = []
  #isReporting = false
  /** Whether it goes on in the store only, where it can be resumed. */
  #isLeft = false
  readonly #stayTold: (() => void) | undefined

  constructor(
    runId: string,
    workflow: Workflow,
    supervisor: Supervisor,
    submissions: Submissions,
    origin: RunOrigin = {},
  ) {
    const { stored, source, executor = stored?.executor } = origin
    this.runId = runId
    this.#submissions = submissions
    this.#stored = stored
    this.executor = executor
    this.source = source ?? stored?.source
    this.forkedFrom = stored?.forkedFrom
    this.workflow = workflow
    const limits = resolveLimits(workflow.limits)
    this.limits = limits
    this.#supervisor = supervisor
    this.#planting = new Planting(
      runId,
      workflow,
      executor ?? workflow.executor,
      this.nodes,
      submissions,
      this,
      { isFork: this.forkedFrom !== undefined, startsNothing: supervisor.purpose === 'cancel' },
    )
    const { logger } = supervisor.settings
    this.events = new EventHub(RUN_EVENT_TYPES, (thrown, type) =>
      logger.error(`A listener of "${type}" threw.`, thrown),
    )
    this.actor = startOrchestratorActor(this, supervisor.reportSubscriber, {
      id: runId,
      parent: supervisor.actor,
      input: { maxRunMs: limits.maxRunMs ?? 0 },
      ...(stored && { snapshot: storedObject(stored.snapshot, 'snapshot', 'run', runId) }),
    })
    const { journal } = supervisor
    this.#journal = journal && new RunJournal(this, journal, () => supervisor.now())
    const growth = new Growth(limits, this.nodes, this.#planting, this)
    this.#deciding = new Deciding(this, growth, supervisor, this.#journal)
    this.#stayTold = supervisor.leaving?.tell(this)
  }

  get tree(): Tree {
    return this.nodes.tree
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

  /** @throws {EspalierError} `ESP_RUN_ACTIVE`; `ESP_NOT_STORABLE` when the run is to be stored, and its input cannot be. */
  start(roots: readonly NodeSpec[]): void {
    this.#refuseIfActive()
    this.#roots = roots
    const at = this.#supervisor.now()
    this.facts.startedAt = at
    this.#journal?.created()
    this.#supervisor.runs.add(this.runId)
    this.#tell({ type: 'run.start', at })
  }

  #refuseIfActive(): void {
    const { runId } = this
    if (this.#supervisor.runs.has(runId)) throw new EspalierError('ESP_RUN_ACTIVE', { runId })
  }

  cancel(): void {
    this.#tell({ type: 'run.cancel', at: this.#supervisor.now() })
  }

  leave(): void {
    this.refused(new EspalierError('ESP_POOL_CLOSED', { state: 'draining' }))
  }

  // Effects of the chart: written down while it steps, carried out after.

  takeEffect(type: string, params: unknown): void {
    this.#effects.push([type, params])
    this.report()
  }

  /** Effects are carried out at once, also while another is: what stops the growth must not wait for what plants. */
  #tell(event: OrchestratorEvent): void {
    const before = this.actor.getSnapshot()
    if (before.status !== 'active' || this.#isLeft) return
    this.actor.send(event)
    if (this.actor.getSnapshot().status === 'done') this.facts.endedAt = event.at
    this.#journal?.stepped(before, event)
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
        this.#supervisor.deadlines.wish(this, (params as { at: number }).at)
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

  #plantRoots(): void {
    this.#emit('run.started', {})
    this.#supervisor.together(() => {
      // Whoever heard of the start may have cancelled the run.
      if (!this.isGrowing) return
      try {
        this.#deciding.start(this.#roots)
      } catch (thrown) {
        this.failed(toError(thrown))
      }
    })
    // At once: that roots were cut stands nowhere else, and is committed with them.
    this.#tellTree()
  }

  #stopGrowth(stopRunning: boolean): void {
    const reason = this.actor.getSnapshot().context.reason ?? 'cancelled'
    this.#deciding.drop(new EspalierError('ESP_JOB_CANCELLED', { jobId: this.runId, reason }))
    this.#supervisor.together(() => {
      for (const { job, isLive } of this.nodes.records()) {
        if (job === undefined || !isLive) continue
        if (stopRunning || job.status === 'queued') this.#supervisor.cancel(job.actor, 'tree', reason)
      }
    })
    this.report()
  }

  #settle(): void {
    this.#planting.close()
    this.#end()
    const outcome = outcomeOf(this.runId, this.actor, this.nodes, this.facts)
    this.#emit('run.ended', { outcome })
    this.#afterCommit(() => {
      this.events.close()
      this.#ended.resolve(outcome)
    })
  }

  /** The run goes on here no more. */
  #end(): void {
    this.#supervisor.runs.delete(this.runId)
    this.#stayTold?.()
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
    else if (result.status === 'failed') this.#supervisor.whenQuiet(() => this.#deciding.askAbout(record))
    else this.#deciding.askAbout(record)
    this.report()
  }

  /** A root that somebody else cancelled takes the run with it: there is nothing left to grow from. */
  #cancelled({ depth }: NodeRecord, { cancelledBy }: JobResult): void {
    if (!this.isGrowing) return
    const isRootLost = depth === 0 && cancelledBy === 'user'
    if (cancelledBy === 'shutdown' || isRootLost) this.cancel()
  }

  // What decisions come to.

  decided(record: NodeRecord): void {
    if (!this.#isHeard('node.decided')) return
    const { node } = record
    this.#emit('node.decided', { node, decision: node.decision })
  }

  satisfied(value: unknown): void {
    this.facts.value = value
    const stopRunning = this.workflow.onSatisfied === 'cancel'
    this.#tell({ type: 'tree.satisfied', at: this.#supervisor.now(), stopRunning })
  }

  failed(error: Error | undefined): void {
    this.facts.error = error
    this.#tell({ type: 'tree.failed', at: this.#supervisor.now(), error })
  }

  // What growing does.

  added(records: readonly NodeRecord[]): void {
    this.#journal?.grown(records)
    if (!this.#isHeard('node.added')) return
    for (const { node } of records) this.#emit('node.added', { node })
  }

  changed(record: NodeRecord): void {
    if (this.#isHeard('node.changed')) this.#emit('node.changed', { node: record.node })
  }

  cancelPruned(job: JobActor): void {
    this.#supervisor.cancel(job, 'tree', 'pruned')
  }

  dropQuestions(reason: Error, isDropped: (record: NodeRecord) => boolean): void {
    this.#deciding.drop(reason, isDropped)
  }

  // Telling others.

  get isGrowing(): boolean {
    return !this.#isLeft && this.actor.getSnapshot().hasTag('growing')
  }

  /** Gives the chart the tree's counts, once for all changes of this turn. */
  report(): void {
    if (this.#isReporting) return
    this.#isReporting = true
    this.#supervisor.settings.clock.soon(() => {
      this.#isReporting = false
      this.#tellTree()
    })
  }

  #tellTree(): void {
    const tree = {
      nodes: this.nodes.size,
      jobs: this.#planting.live,
      decisions: this.#deciding.open,
      isCut: this.#deciding.isCut,
    }
    this.#tell({ type: 'tree.changed', at: this.#supervisor.now(), tree })
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

  // The store.

  tookUp(row: NodeRow): void {
    this.#journal?.tookUp(row)
  }

  refused(error: Error): void {
    this.#isLeft = true
    this.#end()
    // A run that nobody has started is waited for by nobody.
    this.#ended.promise.catch(() => {})
    this.#deciding.drop(error)
    this.#ended.reject(error)
  }

  #afterCommit(callback: () => void): void {
    if (this.#journal === undefined) callback()
    else this.#journal.afterCommit(callback)
  }

  /**
   * Takes the run up where the store has it: what was decided stands, what was being decided is asked again.
   *
   * @throws {EspalierError} `ESP_RUN_ACTIVE`; `ESP_UNKNOWN_HANDLER` when a handler that is still needed is gone. Nothing has
   * started then.
   */
  resume(): void {
    this.#refuseIfActive()
    const { store } = this.#supervisor.journal as NonNullable<Supervisor['journal']>
    const stored = this.#stored as RunRecord
    this.facts = factsOf(stored)
    recoverTree(this, store, this.#planting, this.#supervisor, this.#submissions)
    if (stored.status !== 'running') {
      this.#planting.close()
      const { runId } = this
      const outcome = outcomeOf(runId, this.actor, this.nodes, this.facts)
      this.#supervisor.recorder?.ran(this, { type: 'run.ended', at: this.facts.endedAt, runId, outcome })
      this.#ended.resolve(outcome)
      return
    }
    this.#supervisor.runs.add(this.runId)
    this.#journal?.resumed(stored)
    this.#supervisor.deadlines.wish(this, this.actor.getSnapshot().context.deadlineAt)
    this.#deciding.resume(this.actor.getSnapshot().context.tree.isCut)
    this.report()
  }
}
