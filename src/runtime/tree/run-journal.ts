import type { OrchestratorEvent } from '../../../machines/index.ts'
import type { Decision, DecisionRecord } from '../../domain/decision.ts'
import { jsonText } from '../../domain/json-text.ts'
import type { TreeLimits } from '../../domain/limits.ts'
import type { NodeId } from '../../domain/node-spec.ts'
import { present } from '../../domain/present.ts'
import { errorToJson, type RunTerms, type TraceEvent } from '../../domain/trace.ts'
import type { Workflow } from '../../domain/workflow.ts'
import type { NodeRecord as NodeRow, RunRecord } from '../../ports/run-store.ts'
import type { OrchestratorActor } from '../charts/charts.ts'
import type { DurableJob } from '../record/durable-job.ts'
import type { Journal, RecordedRun } from '../record/journal.ts'
import type { NodeRecord } from './node-record.ts'
import type { RunFacts } from './run-facts.ts'
import type { TreeStore } from './tree-store.ts'

export type OrchestratorSnapshot = ReturnType<OrchestratorActor['getSnapshot']>

/** What of a run is written down, and who hears when that is refused. */
export interface JournaledRun {
  readonly runId: string
  readonly actor: OrchestratorActor
  readonly workflow: Workflow
  readonly limits: TreeLimits
  readonly facts: RunFacts
  readonly nodes: TreeStore
  /** The module that the workflow came from. */
  readonly source: string | undefined
  /** The executor that it was told to run with. */
  readonly executor: string | undefined
  /** The run that it was forked from. */
  readonly forkedFrom: string | undefined
  /** What the store does not take ends the run here, and nowhere else: it can be resumed where the store has it. */
  refused(error: Error): void
}

/** Keeps a run in its pool's store: what happens in it goes to the pool's journal, and rows are made when that commits. */
export class RunJournal implements RecordedRun {
  readonly #run: JournaledRun
  readonly #journal: Journal<DurableJob>
  readonly #now: () => number
  readonly #ownedSince: number | undefined
  /** By place; of all nodes. */
  readonly #nodes: NodeTexts[] = []
  #input: string | undefined = undefined
  /** What a decision satisfies the run with. */
  #value: string | undefined = undefined
  /** Of the run, when it fails. */
  #error: string | undefined = undefined

  constructor(run: JournaledRun, journal: Journal<DurableJob>, now: () => number) {
    this.#run = run
    this.#journal = journal
    this.#now = now
    this.#ownedSince = journal.store.owner()?.since
  }

  /** @throws {EspalierError} `ESP_NOT_STORABLE` when the input cannot be stored. */
  created(): void {
    const { runId, workflow, facts } = this.#run
    this.#input = jsonText(facts.input, `The input of run "${runId}"`)
    this.#note({ type: 'run.created', workflow: workflow.name, input: facts.input, ...this.#terms })
  }

  /** The next node is taken up as its store has it. */
  tookUp({ spec, decision }: NodeRow): void {
    this.#nodes.push({ spec, decision })
  }

  /** Its process is another one now. @param stored - The run as its store has it. */
  resumed({ input, value, error }: RunRecord): void {
    this.#input = input
    this.#value = value
    this.#error = error
    this.#note({ type: 'run.resumed', ...this.#terms })
  }

  /** Counts follow from nodes and jobs: a report of them is recorded only when it ends the run. */
  stepped(before: OrchestratorSnapshot, { at, ...event }: OrchestratorEvent): void {
    const after = this.#run.actor.getSnapshot()
    const isCount = event.type === 'tree.changed' && after.status === before.status
    if (after === before || isCount) return
    const { error: thrown } = event as { readonly error?: Error }
    const error = thrown && errorToJson(thrown)
    if (error) this.#error = JSON.stringify(error)
    this.#journal.told('run', this.#run.runId, at, error ? { ...event, error } : event)
    this.#journal.changed(this)
  }

  grown(records: readonly NodeRecord[]): void {
    for (const { id: nodeId, parent, spec, score } of records) {
      const below = parent && { parentId: parent.id }
      const scored = score === undefined ? undefined : { score }
      this.#nodes.push({ spec: JSON.stringify(spec), decision: undefined })
      this.#note({ type: 'node.grown', nodeId, ...below, spec, ...scored }, nodeId)
    }
  }

  /** @throws {EspalierError} `ESP_NOT_STORABLE` when the value that a decision satisfies the run with cannot be stored. */
  checkDecision(decision: Decision): void {
    if (decision.type !== 'satisfy') return
    jsonText(decision.value, `The value that satisfies run "${this.#run.runId}"`)
  }

  /**
   * @param changed - The nodes that it has run again, or pruned.
   * @param isUnasked - Whether `expand` has not said so.
   */
  decided(record: NodeRecord, decision: Decision, changed: readonly NodeRecord[], isUnasked: boolean): void {
    const { at, error, ...made } = record.decision as DecisionRecord
    const value = decision.type === 'satisfy' ? { value: decision.value } : {}
    const stored = { ...made, ...(error && { error: errorToJson(error) }), ...value }
    const unasked = isUnasked ? { isUnasked } : {}
    this.#note({ type: 'node.decided', nodeId: record.id, decision: stored, ...unasked }, record.id, at)
    if (decision.type === 'satisfy') this.#value = jsonText(decision.value, 'The value')
    const isPruned = decision.type === 'prune'
    for (const { id, spec } of isPruned ? [] : changed)
      this.#nodes[placeOf(id)] = { spec: JSON.stringify(spec), decision: undefined }
    this.#textsOf(record).decision = decisionText(record.decision as DecisionRecord)
    for (const { id: nodeId, spec, score } of changed) {
      this.#note(
        isPruned
          ? { type: 'node.pruned', nodeId }
          : { type: 'node.revised', nodeId, spec, ...present({ score }) },
        nodeId,
      )
    }
  }

  /** At once when nothing waits for a commit. */
  afterCommit(callback: () => void): void {
    if (this.#journal.isOpen) this.#journal.afterCommit(callback)
    else callback()
  }

  /** The run as its store keeps it. */
  get record(): RunRecord {
    const { runId, actor, workflow, limits, facts, source, executor, forkedFrom } = this.#run
    const { status, output, context } = actor.getSnapshot()
    return {
      id: runId,
      workflow: workflow.name,
      source,
      executor,
      input: this.#input,
      limits: JSON.stringify(limits),
      status: output?.status ?? 'running',
      reason: context.reason,
      createdAt: facts.startedAt,
      endedAt: status === 'done' ? facts.endedAt : undefined,
      snapshot: JSON.stringify(actor.getPersistedSnapshot()),
      value: facts.value === undefined ? undefined : this.#value,
      error: context.reason === 'failed' ? this.#error : undefined,
      decisions: facts.decisions,
      forkedFrom,
      ownedSince: this.#ownedSince,
    }
  }

  /** A node as its store keeps it. */
  nodeRecord(place: number): NodeRow {
    const record = this.#run.nodes.records()[place] as NodeRecord
    const { id, parent, score, jobs, revisions, isPruned } = record
    return {
      runId: this.#run.runId,
      id,
      place,
      parentId: parent?.id,
      score,
      jobs,
      revisions,
      isPruned,
      ...this.#textsOf(record),
    }
  }

  refused(error: Error): void {
    this.#run.refused(error)
  }

  #textsOf({ id }: NodeRecord): NodeTexts {
    return this.#nodes[placeOf(id)] as NodeTexts
  }

  get #terms(): RunTerms {
    const { limits, source, executor } = this.#run
    return { limits, ...present({ source, executor }) }
  }

  #note(event: TraceEvent, nodeId?: NodeId, at = this.#now()): void {
    this.#journal.told('run', this.#run.runId, at, event)
    this.#journal.changed(this, nodeId === undefined ? undefined : placeOf(nodeId))
  }
}

/** What is stored of a node as JSON text, as it was when it was told: whoever has it may change it since. */
interface NodeTexts {
  readonly spec: string
  decision: string | undefined
}

const decisionText = (decision: DecisionRecord): string =>
  JSON.stringify({ ...decision, error: decision.error && errorToJson(decision.error) })

const placeOf = (nodeId: NodeId): number => Number(nodeId.slice(1))
