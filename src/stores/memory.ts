import { hostname } from 'node:os'
import process from 'node:process'
import { ENDED_STATUSES, type JobId } from '../domain/job.ts'
import { resolveKeep } from '../domain/keep.ts'
import type { TraceEntry } from '../domain/trace.ts'
import type {
  JobRecord,
  NodeRecord,
  PruneReport,
  PruneRule,
  RunRecord,
  RunStore,
  StoreBatch,
  StoreOwner,
  StoreSize,
} from '../ports/run-store.ts'

/**
 * A store that lives as long as its process: for tests, and to record the trace of a pool.
 *
 * What is committed stays when the pool that wrote it is gone, so that another can be resumed from it.
 */
export function createMemoryStore(): RunStore {
  return new MemoryStore()
}

class MemoryStore implements RunStore {
  readonly name = 'memory'
  lastSeq = 0
  lastKey = 0
  readonly pendingMax = 0
  readonly #runs = new Map<string, RunRecord>()
  readonly #nodes = new Map<string, Map<number, NodeRecord>>()
  readonly #jobs = new Map<JobId, JobRecord>()
  #events: TraceEntry[] = []
  readonly #since = Date.now()

  get pendingSeq(): number {
    return this.lastSeq + 1
  }

  owner(): StoreOwner {
    return { pid: process.pid, host: hostname(), since: this.#since }
  }

  commit({ events, submitted, changed, runs, nodes }: StoreBatch): void {
    for (const { seq, at, actor, id, event } of events) this.#events.push({ seq, at, actor, id, event })
    for (const job of submitted) {
      this.#jobs.set(job.id, job)
      this.lastKey = Math.max(this.lastKey, job.key)
    }
    for (const job of changed) this.#jobs.set(job.id, job)
    for (const run of runs) this.#runs.set(run.id, run)
    for (const node of nodes) {
      const known = this.#nodes.get(node.runId) ?? new Map()
      this.#nodes.set(node.runId, known.set(node.place, node))
    }
    this.lastSeq += events.length
  }

  snapshot<Result>(look: () => Result): Result {
    return look()
  }

  runs(): RunRecord[] {
    return [...this.#runs.values()].reverse()
  }

  run(runId: string): RunRecord | undefined {
    return this.#runs.get(runId)
  }

  nodes(runId: string): Iterable<NodeRecord> {
    return [...(this.#nodes.get(runId)?.values() ?? [])]
  }

  *jobs(
    runId: string | undefined,
    { isOpen = false }: { readonly isOpen?: boolean } = {},
  ): Generator<JobRecord> {
    for (const job of this.#jobs.values()) {
      if (job.runId === runId && !(isOpen && job.end !== undefined)) yield job
    }
  }

  job(jobId: JobId): JobRecord | undefined {
    return this.#jobs.get(jobId)
  }

  row(jobId: JobId): JobRecord | undefined {
    return this.#jobs.get(jobId)
  }

  /** Nobody else can put something into it, or take it out. */
  strays(): string[] {
    return []
  }

  /** The rows are always complete. */
  catchUp(): void {}

  cached(cacheKey: string): { readonly jobId: JobId; readonly value: string | undefined } | undefined {
    const made = [...this.#jobs.values()].filter(
      (job) => job.cacheKey === cacheKey && job.state === 'completed',
    )
    const newest = made.at(-1)
    return newest === undefined ? undefined : { jobId: newest.id, value: newest.end?.value }
  }

  *trace({ runId, jobId }: { readonly runId?: string; readonly jobId?: JobId } = {}): Generator<TraceEntry> {
    for (const entry of this.#events) {
      const isOfRun =
        entry.actor === 'pool' || entry.id === runId || this.#jobs.get(entry.id)?.runId === runId
      if (jobId !== undefined ? entry.actor === 'job' && entry.id === jobId : runId === undefined || isOfRun)
        yield entry
    }
  }

  prune({ now, keep }: PruneRule): PruneReport {
    const rules = resolveKeep(keep)
    const runs = new Set<string>()
    const jobs = new Set<JobId>()
    const needed = new Set<JobId>()
    for (const job of this.jobs(undefined, { isOpen: true }))
      for (const id of job.submitted.dependencies ?? []) needed.add(id)
    for (const status of ENDED_STATUSES) {
      const { count, ageMs } = rules[status]
      const isOld = ({ at }: { readonly at: number }, place: number) => place >= count || at < now - ageMs
      const endedRuns = this.runs().filter((run) => run.status === status)
      for (const { id } of newestFirst(endedRuns, (run) => run.endedAt).filter(isOld)) runs.add(id)
      const alone = [...this.jobs(undefined)].filter((job) => job.state === status)
      for (const { id } of newestFirst(alone, (job) => job.end?.at).filter(isOld))
        if (!needed.has(id)) jobs.add(id)
    }
    const report = { runs: runs.size, jobs: jobs.size }
    for (const { id, runId } of this.#jobs.values()) if (runId !== undefined && runs.has(runId)) jobs.add(id)
    for (const id of runs) {
      this.#runs.delete(id)
      this.#nodes.delete(id)
    }
    for (const id of jobs) this.#jobs.delete(id)
    this.#events = this.#events.filter(({ id, actor }) => !(actor === 'job' ? jobs : runs).has(id))
    return report
  }

  size(): StoreSize {
    const { size: runs } = this.#runs
    return { bytes: 0, runs, jobs: this.#jobs.size, events: this.#events.length, outputs: 0, outputBytes: 0 }
  }

  close(): void {}
}

function newestFirst<Item extends { readonly id: string }>(
  items: readonly Item[],
  endedAt: (item: Item) => number | undefined,
): { readonly id: string; readonly at: number }[] {
  return items
    .map((item, place) => ({ id: item.id, at: endedAt(item) ?? 0, place }))
    .sort((a, b) => b.at - a.at || b.place - a.place)
}
