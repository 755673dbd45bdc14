import type { SnapshotFrom } from 'xstate'
import type { orchestratorMachine } from '../../../machines/index.ts'
import type { NodeId } from '../../domain/node-spec.ts'
import type {
  ErrorJson,
  RunCreated,
  RunTerms,
  StoredDecision,
  TraceEntry,
  TreeEvent,
} from '../../domain/trace.ts'
import type { NodeRecord, RunRecord } from '../../ports/run-store.ts'

export type OrchestratorSnapshot = SnapshotFrom<typeof orchestratorMachine>

/** What of a run's record its journal tells. */
export type ToldRun = Omit<RunRecord, 'id' | 'snapshot' | 'decisions' | 'ownedSince'>

/** A run and its nodes, made again from what the journal has under its id. */
export class RunFold {
  /** In the order of growth. */
  readonly nodes = new Map<NodeId, NodeRecord>()
  /** How many answers `expand` gave. */
  decisions = 0
  readonly #runId: string
  #created: RunCreated | undefined = undefined
  #terms: RunTerms = { limits: {} }
  #startedAt = 0
  /** When its chart has stepped last. */
  #steppedAt = 0
  /** What the last decision satisfies the run with, as JSON text. */
  #answer: string | undefined = undefined
  #value: string | undefined = undefined
  #error: ErrorJson | undefined = undefined

  constructor(runId: string) {
    this.#runId = runId
  }

  apply({ at, event }: TraceEntry): void {
    switch (event.type) {
      case 'run.created':
        this.#created = event as RunCreated
        this.#terms = this.#created
        return
      case 'run.resumed':
      case 'node.grown':
      case 'node.decided':
      case 'node.revised':
      case 'node.pruned':
        this.#change(event as TreeEvent, at)
        return
      case 'run.start':
        this.#startedAt = at
        break
      case 'tree.satisfied':
        this.#value = this.#answer
        break
      case 'tree.failed':
        this.#error = (event as { readonly error?: ErrorJson }).error
        break
      default:
    }
    this.#steppedAt = at
  }

  /** What the journal tells of the run. @param chart - Its chart's state; what is known before it was created is nothing. */
  told({ output, status, context: { reason } }: OrchestratorSnapshot): ToldRun | undefined {
    if (this.#created === undefined) return undefined
    const { workflow, input, forkedFrom } = this.#created
    const { limits, source, executor } = this.#terms
    return {
      workflow,
      source,
      executor,
      input: input === undefined ? undefined : JSON.stringify(input),
      limits: JSON.stringify(limits),
      status: output?.status ?? 'running',
      reason,
      createdAt: this.#startedAt,
      endedAt: status === 'done' ? this.#steppedAt : undefined,
      value: this.#value,
      error: reason === 'failed' && this.#error ? JSON.stringify(this.#error) : undefined,
      forkedFrom,
    }
  }

  #change(event: TreeEvent, at: number): void {
    switch (event.type) {
      case 'run.resumed':
        this.#terms = event
        return
      case 'node.grown': {
        const { nodeId: id, parentId, score } = event
        const [runId, place, spec] = [this.#runId, this.nodes.size, JSON.stringify(event.spec)]
        const unchanged = { jobs: 1, revisions: 0, isPruned: false, decision: undefined }
        this.nodes.set(id, { runId, id, place, parentId, spec, score, ...unchanged })
        return
      }
      case 'node.decided':
        if (event.isUnasked !== true) this.decisions++
        this.#decide(event.nodeId, event.decision, at)
        return
      case 'node.revised': {
        const { nodeId, score } = event
        const spec = JSON.stringify(event.spec)
        this.#set(nodeId, ({ jobs }) => ({ spec, score, jobs: jobs + 1 }))
        return
      }
      case 'node.pruned':
        this.#set(event.nodeId, () => ({ isPruned: true }))
    }
  }

  #decide(nodeId: NodeId, { value, ...decision }: StoredDecision, at: number): void {
    const { type, score, nodeIds } = decision
    this.#answer = value === undefined ? undefined : JSON.stringify(value)
    const isAgain = type === 'revise' && nodeIds.includes(nodeId)
    if (type === 'revise') for (const id of nodeIds) this.#set(id, () => ({ decision: undefined }))
    this.#set(nodeId, (node) => ({
      score: score ?? node.score,
      revisions: node.revisions + Number(isAgain),
      decision: JSON.stringify({ ...decision, at }),
    }))
  }

  #set(id: NodeId, change: (node: NodeRecord) => Partial<NodeRecord>): void {
    const node = this.nodes.get(id)
    if (node !== undefined) this.nodes.set(id, { ...node, ...change(node) })
  }
}
