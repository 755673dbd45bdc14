import { EspalierError } from '../../domain/errors.ts'
import type { JobId } from '../../domain/job.ts'
import type { TreeLimits } from '../../domain/limits.ts'
import type { NodeId } from '../../domain/node-spec.ts'
import { present } from '../../domain/present.ts'
import type { RunCreated, StoredDecision, TraceEntry, TreeEvent } from '../../domain/trace.ts'
import type {
  JobRecord,
  NodeRecord,
  RunRecord,
  RunStore,
  StoreBatch,
  StoreEvent,
} from '../../ports/run-store.ts'
import { type OrchestratorActor, startOrchestratorActor } from '../charts/charts.ts'
import type { JobSnapshot } from '../job/job.ts'
import { recordOf } from './job-record.ts'
import { RunFold, type ToldRun } from './run-fold.ts'
import { foldTrace, TraceFold } from './trace-fold.ts'

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
  const keys = new Map(past.jobs.map(({ id }, index) => [past.rename(id), key + index + 1]))
  const events = past.events.map((entry, index): StoreEvent => {
    const id = past.rename(entry.id)
    return { ...entry, seq: seq + index + 1, id, key: keys.get(id) }
  })
  const { jobs } = foldTrace(events)
  const submitted = past.jobs.map((job, index) => {
    const id = past.rename(job.id)
    const facts = {
      ...{ key: key + index + 1, id, runId: fork.as, firstSeq: seq + 1, cacheKey: job.cacheKey },
      submitted: past.submitted(job.id, job.submitted),
    }
    return recordOf(facts, jobs.get(id) as JobSnapshot, job.end?.value)
  })
  return { events, submitted, changed: [], runs: [past.run], nodes: past.nodes }
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
    this.events = this.#eventsOf(run, entries, at, new Set(this.jobs.map(({ id }) => id)))
    const chart = this.#chart()
    const tree = new RunFold(fork.as)
    for (const entry of this.events) if (entry.actor === 'run') tree.apply(entry)
    this.nodes = [...tree.nodes.values()]
    this.run = {
      ...(tree.told(chart.getSnapshot()) as ToldRun),
      id: fork.as,
      snapshot: JSON.stringify(chart.getPersistedSnapshot()),
      decisions: tree.decisions,
      ownedSince: undefined,
    }
  }

  rename(id: string): string {
    const { runId, as } = this.#fork
    return id === runId || id.startsWith(`${runId}.`) ? as + id.slice(runId.length) : id
  }

  /** The pool of the fork may have another policy: the job's own is what its events were told under. */
  submitted(id: JobId, submitted: JobRecord['submitted']): JobRecord['submitted'] {
    const policy = this.#fold.jobs.get(id)?.context.policy
    const dependencies = submitted.dependencies?.map((each) => this.rename(each))
    return {
      ...submitted,
      treeId: this.#fork.as,
      ...(dependencies && { dependencies }),
      ...(policy && { policy }),
    }
  }

  /** The run's birth and start, the jobs that are there, and what the decisions that count have done. */
  #eventsOf(
    { source, executor }: RunRecord,
    entries: readonly TraceEntry[],
    at: number,
    jobs: ReadonlySet<JobId>,
  ): TraceEntry[] {
    const { limits, now, runId } = this.#fork
    const decided = decisionsUntil(at, entries)
    const isGrown = grownBy(decided)
    return entries.flatMap((entry): TraceEntry[] => {
      const { actor, id, event } = entry
      if (actor === 'job') {
        if (!jobs.has(id)) return []
        if (event.type !== 'job.submitted') return [{ ...entry, event: this.#caused(event) }]
        return [{ ...entry, event: this.submitted(id, event as JobRecord['submitted']) }]
      }
      if (event.type === 'run.created') {
        const terms = { limits, ...present({ source, executor }), forkedFrom: `${runId}@${at}` }
        return [{ ...entry, at: now, event: { ...(event as RunCreated), ...terms } }]
      }
      if (event.type === 'run.start') return [{ ...entry, at: now }]
      return isGrown(event) || decided.has(entry) ? [entry] : []
    })
  }

  #caused(event: TraceEntry['event']): TraceEntry['event'] {
    const { causedBy } = event as { readonly causedBy?: JobId }
    return causedBy === undefined ? event : { ...event, causedBy: this.rename(causedBy) }
  }

  /** The chart of a run that has just started. */
  #chart(): OrchestratorActor {
    const { as: id, limits, now } = this.#fork
    const input = { maxRunMs: limits.maxRunMs ?? 0 }
    const actor = startOrchestratorActor({ takeEffect: () => {} }, () => {}, { id, input })
    actor.send({ type: 'run.start', at: now })
    return actor
  }
}

/** Whether a job has ended otherwise than with its run or its pool. */
function hasEndedByItself({ end }: JobRecord): boolean {
  if (end === undefined || end.cancelledBy === 'shutdown') return false
  return end.cancelledBy !== 'tree' || end.reason === 'pruned'
}

/** What was decided up to an event, with all that each decision has changed: not what ended the run. */
function decisionsUntil(at: number, entries: readonly TraceEntry[]): ReadonlySet<TraceEntry> {
  let counts = false
  const decided = entries.filter(({ seq, event }) => {
    if (event.type === 'node.decided') {
      counts = seq <= at && (event as { readonly decision: StoredDecision }).decision.type !== 'satisfy'
      return counts
    }
    // These follow the decision that they are of.
    return counts && (event.type === 'node.revised' || event.type === 'node.pruned')
  })
  return new Set(decided)
}

/** Tells of an event whether it is the growth of a root, or of a node that one of the decisions has grown. */
function grownBy(decided: ReadonlySet<TraceEntry>): (event: TraceEntry['event']) => boolean {
  const grown = new Set<NodeId>()
  for (const { event } of decided) {
    if (event.type !== 'node.decided') continue
    const { type, nodeIds } = (event as { readonly decision: StoredDecision }).decision
    if (type === 'grow') for (const id of nodeIds) grown.add(id)
  }
  return (event) => {
    const { type, nodeId, parentId } = event as Extract<TreeEvent, { type: 'node.grown' }>
    return type === 'node.grown' && (parentId === undefined || grown.has(nodeId))
  }
}
