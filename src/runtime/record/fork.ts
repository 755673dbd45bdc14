import { EspalierError } from '../../domain/errors.ts'
import type { JobId } from '../../domain/job.ts'
import type { TreeLimits } from '../../domain/limits.ts'
import type { NodeId, NodeSpec } from '../../domain/node-spec.ts'
import { storedObject } from '../../domain/stored-json.ts'
import type { RunCreated, StoredDecision, TraceEntry, TreeEvent } from '../../domain/trace.ts'
import type {
  JobRecord,
  NodeRecord,
  RunRecord,
  RunStore,
  StoreBatch,
  StoreEvent,
} from '../../ports/run-store.ts'
import { startOrchestratorActor } from '../charts/charts.ts'
import { TraceFold } from './trace-fold.ts'

/** Which past a fork begins with. */
export interface ForkPoint {
  /** The run that it is forked from. */
  readonly runId: string
  /** The last event of it that counts, by its number in the journal. Default: its last. */
  readonly at?: number
}

/** What a fork is made with. */
export interface Fork extends ForkPoint {
  /** Its own id. */
  readonly as: string
  readonly limits: TreeLimits
  /** When its time begins, epoch ms. */
  readonly now: number
}

/**
 * Makes the past of a fork: a new run with the nodes, the ended jobs and the decisions that another had at an event.
 *
 * What had not ended there has no job yet, and gets a new one when the run is taken up; so has what the end of the other run
 * cancelled. A decision that satisfied it is asked for again.
 *
 * @param seq - The number of the last event in the store. @param key - The key of its last job.
 * @throws {EspalierError} `ESP_UNKNOWN_RUN`, `ESP_INVALID_OPTION`.
 */
export function forkRun(store: RunStore, fork: Fork, seq: number, key: number): StoreBatch {
  const run = store.run(fork.runId)
  if (run === undefined) throw new EspalierError('ESP_UNKNOWN_RUN', { runId: fork.runId, store: store.name })
  const past = new Past(store, run, fork)
  const jobs = past.jobs.map((job, index) => ({ ...past.renamed(job, key + index + 1), firstSeq: seq + 1 }))
  const keys = new Map(jobs.map((job) => [job.id, job.key]))
  const events = past.events.map((entry, index): StoreEvent => {
    const id = past.rename(entry.id)
    return { ...entry, seq: seq + index + 1, id, key: keys.get(id) }
  })
  return { events, submitted: jobs, changed: [], runs: [past.run], nodes: past.nodes }
}

/** What a run had at an event, as another run. */
class Past {
  readonly run: RunRecord
  readonly nodes: readonly NodeRecord[]
  /** Those that had ended, as the other run has them. */
  readonly jobs: readonly JobRecord[]
  readonly events: readonly TraceEntry[]
  readonly #fork: Fork
  readonly #fold = new TraceFold()

  constructor(store: RunStore, run: RunRecord, fork: Fork) {
    this.#fork = fork
    const entries = [...store.trace({ runId: fork.runId })]
    const { at = entries.at(-1)?.seq ?? 0 } = fork
    const own = entries.filter(({ actor }) => actor !== 'pool').map(({ seq }) => seq)
    if (fork.at !== undefined && !own.includes(at)) {
      const expected = `the number of an event of run "${fork.runId}", from ${own[0]} to ${own.at(-1)}`
      throw new EspalierError('ESP_INVALID_OPTION', { option: 'fork.at', expected, got: at })
    }
    for (const entry of entries) this.#fold.apply(entry)
    const lastSeqs = new Map(entries.map(({ id, seq }) => [id, seq]))
    this.jobs = Array.from(store.jobs(fork.runId)).filter(
      (job) => (lastSeqs.get(job.id) ?? 0) <= at && hasEndedByItself(job),
    )
    const decided = decisionsUntil(at, entries)
    this.nodes = this.#nodesOf(entries, decided, [...store.nodes(fork.runId)])
    const isThere = new Set([...this.jobs.map(({ id }) => id), ...this.nodes.map(({ id }) => id)])
    this.events = this.#eventsOf(entries, new Set(decided), isThere)
    this.run = {
      ...run,
      ...{ id: fork.as, limits: JSON.stringify(fork.limits), status: 'running', createdAt: fork.now },
      ...{ reason: undefined, endedAt: undefined, value: undefined, error: undefined },
      snapshot: this.#snapshot(),
      decisions: decided.filter(({ event }) => event.type === 'node.decided').length,
      forkedFrom: `${fork.runId}@${at}`,
      ownedSince: undefined,
    }
  }

  rename(id: string): string {
    const { runId, as } = this.#fork
    return id === runId || id.startsWith(`${runId}.`) ? as + id.slice(runId.length) : id
  }

  renamed(job: JobRecord, key: number): JobRecord {
    const { id, submitted, end } = job
    const causedBy = end?.causedBy === undefined ? undefined : this.rename(end.causedBy)
    return {
      ...job,
      ...{ key, id: this.rename(id), runId: this.#fork.as, submitted: this.#submitted(id, submitted) },
      end: end && { ...end, causedBy },
    }
  }

  /** The pool of the fork may have another policy: the job's own is what its events were told under. */
  #submitted(id: JobId, submitted: JobRecord['submitted']): JobRecord['submitted'] {
    const policy = this.#fold.jobs.get(id)?.context.policy
    const dependencies = submitted.dependencies?.map((each) => this.rename(each))
    return {
      ...submitted,
      treeId: this.#fork.as,
      ...(dependencies && { dependencies }),
      ...(policy && { policy }),
    }
  }

  /** The roots, and what decisions that count have grown. */
  #nodesOf(
    entries: readonly TraceEntry[],
    decided: readonly TraceEntry[],
    rows: readonly NodeRecord[],
  ): NodeRecord[] {
    const grown = new Set<NodeId>()
    const nodes = new Map<NodeId, NodeRecord>()
    for (const { event } of decided) {
      if (event.type !== 'node.decided') continue
      const { type, nodeIds } = (event as { readonly decision: StoredDecision }).decision
      if (type === 'grow') for (const id of nodeIds) grown.add(id)
    }
    for (const { event } of entries) {
      const { type, nodeId, parentId, spec } = event as Extract<TreeEvent, { type: 'node.grown' }>
      if (type !== 'node.grown' || !(parentId === undefined || grown.has(nodeId))) continue
      const score = spec.score ?? (parentId === undefined ? undefined : nodes.get(parentId)?.score)
      const place = nodes.size
      nodes.set(nodeId, {
        ...{ runId: this.#fork.as, id: nodeId, place, parentId, spec: JSON.stringify(spec), score },
        ...{ jobs: 1, revisions: 0, isPruned: false, decision: undefined },
      })
    }
    const wasPruned = new Set(rows.filter(({ isPruned }) => isPruned).map(({ id }) => id))
    const hasEnded = new Set(this.jobs.map(({ submitted }) => submitted.nodeId))
    for (const entry of decided) decide(nodes, entry, (id) => wasPruned.has(id) && hasEnded.has(id))
    return [...nodes.values()]
  }

  /** The run's birth and start, and what happened to the nodes and the jobs that are there. */
  #eventsOf(
    entries: readonly TraceEntry[],
    decided: ReadonlySet<TraceEntry>,
    isThere: ReadonlySet<string>,
  ): TraceEntry[] {
    const { limits, now } = this.#fork
    return entries.flatMap((entry): TraceEntry[] => {
      const { actor, id, event } = entry
      if (actor === 'job' && isThere.has(id)) {
        if (event.type !== 'job.submitted') return [{ ...entry, event: this.#caused(event) }]
        return [{ ...entry, event: this.#submitted(id, event as JobRecord['submitted']) }]
      }
      if (event.type === 'run.created')
        return [{ ...entry, at: now, event: { ...(event as RunCreated), limits } }]
      if (event.type === 'run.start') return [{ ...entry, at: now }]
      const isNode = event.type === 'node.grown' && isThere.has((event as { nodeId: NodeId }).nodeId)
      return isNode || decided.has(entry) ? [entry] : []
    })
  }

  #caused(event: TraceEntry['event']): TraceEntry['event'] {
    const { causedBy } = event as { readonly causedBy?: JobId }
    return causedBy === undefined ? event : { ...event, causedBy: this.rename(causedBy) }
  }

  /** The chart of a run that has just started. */
  #snapshot(): string {
    const { as: id, limits, now } = this.#fork
    const input = { maxRunMs: limits.maxRunMs ?? 0 }
    const actor = startOrchestratorActor({ takeEffect: () => {} }, () => {}, { id, input })
    actor.send({ type: 'run.start', at: now })
    return JSON.stringify(actor.getPersistedSnapshot())
  }
}

/** Whether a job has ended otherwise than with its run or its pool. */
function hasEndedByItself({ end }: JobRecord): boolean {
  if (end === undefined || end.cancelledBy === 'shutdown') return false
  return end.cancelledBy !== 'tree' || end.reason === 'pruned'
}

/** What was decided up to an event, with all that each decision has changed: not what ended the run. */
function decisionsUntil(at: number, entries: readonly TraceEntry[]): TraceEntry[] {
  let counts = false
  return entries.filter(({ seq, event }) => {
    if (event.type === 'node.decided') {
      counts = seq <= at && (event as { readonly decision: StoredDecision }).decision.type !== 'satisfy'
      return counts
    }
    // These follow the decision that they are of.
    return event.type === 'node.revised' && counts
  })
}

/** Applies what was decided to the nodes. */
function decide(
  nodes: Map<NodeId, NodeRecord>,
  { at, event }: TraceEntry,
  isPrunedToo: (id: NodeId) => boolean,
): void {
  const { nodeId } = event as { readonly nodeId: NodeId }
  const node = nodes.get(nodeId)
  if (node === undefined) return
  if (event.type === 'node.revised') {
    nodes.set(nodeId, withSpec(node, (event as { readonly spec: NodeSpec }).spec))
    return
  }
  const { value: _, ...decision } = (event as { readonly decision: StoredDecision }).decision
  const { type, score = node.score, nodeIds } = decision
  const revisions = node.revisions + (type === 'revise' && nodeIds.includes(nodeId) ? 1 : 0)
  nodes.set(nodeId, { ...node, score, revisions, decision: JSON.stringify({ ...decision, at }) })
  if (type === 'revise') for (const id of nodeIds) change(nodes, id, ({ jobs }) => ({ jobs: jobs + 1 }))
  if (type !== 'prune') return
  for (const id of nodes.keys())
    if (nodeIds.includes(id) || isPrunedToo(id)) change(nodes, id, () => ({ isPruned: true }))
}

function withSpec(node: NodeRecord, spec: NodeSpec): NodeRecord {
  const { score: before } = storedObject(node.spec, 'spec', 'node', node.id) as NodeSpec
  const score = spec.score === before ? node.score : spec.score
  return { ...node, spec: JSON.stringify(spec), score }
}

function change(
  nodes: Map<NodeId, NodeRecord>,
  id: NodeId,
  make: (node: NodeRecord) => Partial<NodeRecord>,
): void {
  const node = nodes.get(id)
  if (node !== undefined) nodes.set(id, { ...node, ...make(node) })
}
