import type { Decision } from '../../domain/decision.ts'
import { type EspalierError, isEspalierError } from '../../domain/errors.ts'
import type { Budget, TreeLimits } from '../../domain/limits.ts'
import type { NodeSpec } from '../../domain/node-spec.ts'
import { toError } from '../../domain/thrown.ts'
import type { Tree } from '../../domain/tree.ts'
import type { Workflow } from '../../domain/workflow.ts'
import type { Supervisor } from '../pool/supervisor.ts'
import { readDecision } from './decisions.ts'
import { Expansion, type Question, type Questioner } from './expansion.ts'
import { type Carried, type Growth, NOTHING } from './growth.ts'
import type { NodeRecord } from './node-record.ts'
import { Request } from './request.ts'
import type { RunFacts } from './run-facts.ts'
import type { RunJournal } from './run-journal.ts'
import type { TreeStore } from './tree-store.ts'

/** The run that decisions are made for. */
export interface DecidingRun {
  readonly workflow: Workflow
  readonly limits: TreeLimits
  readonly facts: RunFacts
  readonly nodes: TreeStore
  /** Whether the tree may still grow. */
  readonly isGrowing: boolean
  /** A decision has been recorded; what follows from it has not happened yet. */
  decided(record: NodeRecord): void
  /** A decision has said that the run has what it wants. */
  satisfied(value: unknown): void
  /** The run fails with a branch of its tree. */
  failed(error: Error | undefined): void
  cancel(): void
  /** The pool takes no more jobs, and another can go on with the run. */
  refused(error: Error): void
  /** Gives the chart the tree's counts, once for all changes of this turn. */
  report(): void
}

/** Asks how the tree goes on after each end of a node, and carries out what is decided. */
export class Deciding implements Questioner<NodeRecord> {
  readonly #run: DecidingRun
  readonly #growth: Growth
  readonly #supervisor: Supervisor
  /** Absent in memory. */
  readonly #journal: RunJournal | undefined
  readonly #expansion: Expansion<NodeRecord>
  #isCut = false

  constructor(run: DecidingRun, growth: Growth, supervisor: Supervisor, journal: RunJournal | undefined) {
    this.#run = run
    this.#growth = growth
    this.#supervisor = supervisor
    this.#journal = journal
    this.#expansion = new Expansion(run.limits, supervisor.deadlines, () => supervisor.now(), this)
  }

  /** How many questions have no answer yet. */
  get open(): number {
    return this.#expansion.size
  }

  /** Whether nodes were cut because the tree may hold no more. */
  get isCut(): boolean {
    return this.#isCut
  }

  get tree(): Tree {
    return this.#run.nodes.tree
  }

  get input(): unknown {
    return this.#run.facts.input
  }

  /** Grows the roots. @throws What is wrong with one of them. */
  start(roots: readonly NodeSpec[]): void {
    this.#keepCut(this.#growth.start(roots))
  }

  /**
   * Of a tree that is taken up again: what was decided stands, what was being decided is asked again.
   *
   * @param isCut - What the chart knows of cuts, those of roots and of decisions that were revised since included.
   */
  resume(isCut: boolean): void {
    this.#isCut = isCut
    for (const record of this.#run.nodes.records()) {
      const { decision, status } = record
      if (decision !== undefined) this.#keepCut(decision)
      else if (status === 'completed' || status === 'failed') this.askAbout(record)
    }
  }

  /** Wants no decision about some nodes any more. */
  drop(reason: Error, isDropped?: (record: NodeRecord) => boolean): void {
    this.#expansion.drop(reason, isDropped)
  }

  /** Has a node decided about that has ended. */
  askAbout(record: NodeRecord): void {
    const { isGrowing, workflow } = this.#run
    if (!isGrowing || record.isPruned || record.isLive) return
    if (workflow.expand === undefined) this.#decide(record, undefined, undefined)
    else this.#expansion.ask(record)
  }

  ask(record: NodeRecord, question: Question<NodeRecord>): unknown {
    return this.#run.workflow.expand?.(new Request(this, record, question))
  }

  answered(record: NodeRecord, answer: unknown): void {
    this.#decide(record, answer, undefined)
  }

  unanswered(record: NodeRecord, error: EspalierError): void {
    this.#supervisor.settings.logger.warn(error.message)
    this.#decide(record, undefined, error)
  }

  budgetOf({ depth, children, revisions }: NodeRecord): Budget {
    const { limits, facts, nodes } = this.#run
    const { maxNodes, maxChildrenPerNode, maxDepth, maxRevisions, maxRunMs } = limits
    const leftMs =
      maxRunMs === undefined ? Number.POSITIVE_INFINITY : facts.startedAt + maxRunMs - this.#supervisor.now()
    return {
      nodes: Math.max(0, maxNodes - nodes.size),
      children: Math.max(0, maxChildrenPerNode - children.length),
      depth: Math.max(0, maxDepth - depth),
      revisions: Math.max(0, maxRevisions - revisions),
      runMs: Math.max(0, leftMs),
    }
  }

  /** What a decision sets going starts only after the decision has been recorded and told. */
  #decide(record: NodeRecord, answer: unknown, fault: Error | undefined): void {
    if (this.#run.isGrowing) this.#supervisor.together(() => this.#decideNow(record, answer, fault))
  }

  #decideNow(record: NodeRecord, answer: unknown, fault: Error | undefined): void {
    let decision: Decision = STOP
    let done = NOTHING
    let error = fault
    const { score: scoreBefore } = record
    try {
      decision = readDecision(record.id, answer)
      this.#journal?.checkDecision(decision)
      if (decision.score !== undefined) record.judge(decision.score)
      done = this.#growth.carryOut(record, decision)
    } catch (thrown) {
      // A pool that takes no more jobs ends the growth, whatever was decided; with a store, it can be decided again.
      if (isEspalierError(thrown, 'ESP_POOL_CLOSED')) {
        if (this.#supervisor.leaving?.isWanted) {
          this.#run.refused(thrown)
          return
        }
        this.#run.cancel()
      }
      error = toError(thrown)
      this.#supervisor.settings.logger.warn(error.message)
      decision = STOP
      record.judge(scoreBefore)
    }
    const { type, why, score } = decision
    const { nodeIds, cut } = done
    this.#keepCut(done)
    record.decide({ type, why, score, nodeIds, cut, error, at: this.#supervisor.now() })
    const isUnasked = this.#run.workflow.expand === undefined || fault !== undefined
    if (!isUnasked) this.#run.facts.decisions++
    this.#journal?.decided(record, decision, done.changed, isUnasked)
    this.#run.decided(record)
    if (decision.type === 'satisfy') this.#satisfied(decision.value)
    else if (record.status === 'failed' && record.children.length === 0) this.#branchFailed(record)
    this.#run.report()
  }

  #keepCut({ cut }: Pick<Carried, 'cut'>): void {
    if (cut.length > 0) this.#isCut ||= cut.some(({ by }) => by === 'maxNodes')
  }

  /** Whoever heard of the decision may have ended the growth. */
  #satisfied(value: unknown): void {
    if (this.#run.isGrowing) this.#run.satisfied(value)
  }

  #branchFailed({ depth, result }: NodeRecord): void {
    const { isGrowing, workflow } = this.#run
    if (isGrowing && (depth === 0 || workflow.failFast === true)) this.#run.failed(result?.error)
  }
}

const STOP: Decision = Object.freeze({ type: 'stop', why: undefined, score: undefined })
