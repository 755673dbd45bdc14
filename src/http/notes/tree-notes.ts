import type { DecisionRecord } from '../../domain/decision.ts'
import type { TreeNode } from '../../domain/tree.ts'
import { NODE_STATES } from '../../protocol/journal.ts'
import type { RunStreamEvent } from '../../runtime/events/run-events.ts'
import type { RecordedRun } from '../../runtime/pool/recorder.ts'
import { cutText, type RawItem } from './raw-chunk.ts'
import { NAME_LENGTH_MAX } from './raw-chunk-writer.ts'
import { MESSAGE_LENGTH_MAX, numberOf } from './raw-facts.ts'

/** Which job has an id. */
interface NamedJobs {
  readonly sequenceOf: (jobId: string) => number | undefined
}

/** Notes what happens to runs and the nodes of their trees, but for what the nodes' jobs tell. */
export class TreeNotes {
  readonly #pool: NamedJobs
  readonly #note: (item: RawItem) => void
  /** Runs that are going on. */
  readonly runs = new Map<string, RecordedRun>()
  /** How many nodes of each are noted: in a pool with a store, what is told is a commit behind the tree. */
  readonly #noted = new Map<string, number>()

  constructor(pool: NamedJobs, note: (item: RawItem) => void) {
    this.#pool = pool
    this.#note = note
  }

  ran(run: RecordedRun, event: RunStreamEvent): void {
    const { runId } = run
    const isNew = !this.runs.has(runId)
    if (isNew) this.meet(run, event.at)
    if (event.type === 'run.ended') {
      const { status, reason } = event.outcome
      this.runs.delete(runId)
      this.#noted.delete(runId)
      this.#note({ type: 'runEnded', at: event.at, run: runId, state: status, reason })
    } else if (isNew) return
    else if (event.type === 'node.added') this.#addNode(runId, event.node, event.at)
    else if (event.type === 'node.changed') this.#changeNode(runId, event.node, event.at)
    else if (event.type === 'node.decided') this.#decide(runId, event.node, event.decision, event.at)
  }

  /** Notes a run, and the tree that it has grown so far. */
  meet(run: RecordedRun, at: number): void {
    const { runId, workflow, tree } = run
    this.runs.set(runId, run)
    const { name, strategy = 'best-first' } = workflow
    this.#note({ type: 'run', at, id: runId, workflow: cutText(name, NAME_LENGTH_MAX), strategy })
    for (const node of Object.values(tree.nodes)) {
      this.#addNode(runId, node, at)
      this.#changeNode(runId, node, at)
      if (node.decision !== undefined) this.#decide(runId, node, node.decision, node.decision.at)
    }
  }

  #addNode(
    run: string,
    { id, parentId, depth, jobId, handler, label, key, score }: TreeNode,
    at: number,
  ): void {
    const number = numberOf(id) ?? 0
    if (number < (this.#noted.get(run) ?? 0)) return
    this.#noted.set(run, number + 1)
    this.#note({
      type: 'node',
      at,
      run,
      number,
      parent: numberOf(parentId),
      depth,
      job: this.#pool.sequenceOf(jobId) ?? -1,
      handler: cutText(handler, NAME_LENGTH_MAX),
      label: cutText(label, NAME_LENGTH_MAX),
      key: key === undefined ? undefined : cutText(key, NAME_LENGTH_MAX),
      score,
    })
  }

  /** Everything but this its job tells. */
  #changeNode(run: string, { id, status, jobId, revisions }: TreeNode, at: number): void {
    const job = this.#pool.sequenceOf(jobId) ?? -1
    const isRevised = status === 'queued' && revisions > 0
    if (status !== 'pruned' && !isRevised && job >= 0) return
    const state = NODE_STATES.indexOf(status)
    this.#note({ type: 'nodeChanged', at, run, number: numberOf(id) ?? 0, state, job })
  }

  #decide(run: string, { id, status }: TreeNode, decision: DecisionRecord, at: number): void {
    const { type, why, score, nodeIds, cut, error } = decision
    this.#note({
      type: 'decided',
      at,
      run,
      number: numberOf(id) ?? 0,
      state: NODE_STATES.indexOf(status),
      decision: type,
      why: why === undefined ? undefined : cutText(why, MESSAGE_LENGTH_MAX),
      score,
      nodes: nodeIds.length,
      cut,
      error: error === undefined ? undefined : cutText(error.message, MESSAGE_LENGTH_MAX),
    })
  }
}
