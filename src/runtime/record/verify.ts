import { EspalierError, isEspalierError } from '../../domain/errors.ts'
import { storedObject } from '../../domain/stored-json.ts'
import { errorToJson, runOf, type TraceEntry } from '../../domain/trace.ts'
import type { JobEnd, JobRecord, NodeRecord, RunRecord, RunStore } from '../../ports/run-store.ts'
import type { JobSnapshot } from '../job/job.ts'
import { type OrchestratorSnapshot, RunFold, type ToldRun } from './run-fold.ts'
import { TraceFold } from './trace-fold.ts'

/**
 * Checks that a store's journal folds to exactly the state that the store has of every job, run and node, and that it has no
 * others, nor anything that belongs to none of them; and that large results, which lie apart, are what was stored.
 *
 * @returns How many events were folded.
 * @throws {EspalierError} `ESP_STORE_DIVERGED`, naming the first job, run or node that differs; `ESP_STORE_ROW_CORRUPT`; what
 * reading the store throws.
 */
export function verifyStore(store: RunStore): number {
  return store.snapshot(() => {
    const folds = new Folds(store)
    for (const entry of store.trace()) folds.apply(entry)
    folds.compareJobs()
    folds.compareRuns()
    folds.refuseStrays()
    return folds.count
  })
}

/** Whether a store has a job as its chart's snapshot has it. */
export const isStoredAs = (snapshot: JobSnapshot, record: JobRecord): boolean =>
  JSON.stringify(foldedJob(snapshot)) === JSON.stringify(storedJob(record))

/** What a journal says, beside what its store has. */
class Folds {
  count = 0
  readonly #store: RunStore
  readonly #charts = new TraceFold()
  readonly #runs = new Map<string, RunFold>()

  constructor(store: RunStore) {
    this.#store = store
  }

  apply(entry: TraceEntry): void {
    this.count++
    try {
      this.#charts.apply(entry)
    } catch (error) {
      if (isEspalierError(error)) throw error
      const { seq, actor, id } = entry
      const got = (error as Error).message
      this.#differs(`event ${seq}, of the ${actor} "${id}"`, 'an event that follows those before it', got)
    }
    if (entry.actor !== 'run') return
    const run = this.#runs.get(entry.id) ?? new RunFold(entry.id)
    this.#runs.set(entry.id, run)
    run.apply(entry)
  }

  compareJobs(): void {
    const left = new Map(this.#charts.jobs)
    for (const runId of [undefined, ...this.#store.runs().map(({ id }) => id)]) {
      for (const record of this.#store.jobs(runId)) {
        const { id, submitted } = record
        const snapshot = left.get(id)
        left.delete(id)
        this.#compare(`job "${id}"`, snapshot && foldedJob(snapshot), storedJob(record))
        this.#compare(`job "${id}"`, { run: runOf(submitted) }, { run: runId })
      }
    }
    for (const [id, snapshot] of left) this.#compare(`job "${id}"`, foldedJob(snapshot), undefined)
  }

  compareRuns(): void {
    const left = new Map(this.#runs)
    for (const record of this.#store.runs()) {
      const { id, decisions } = record
      const run = left.get(id)
      const chart = this.#charts.runs.get(id)
      left.delete(id)
      const told = chart && run?.told(chart)
      this.#compare(`run "${id}"`, told && foldedRun(told, chart), storedRun(record))
      if (run === undefined) continue
      this.#compare(`run "${id}"`, { decisions: run.decisions }, { decisions })
      this.#compareNodes(id, run)
    }
    for (const id of left.keys()) this.#compare(`run "${id}"`, {}, undefined)
  }

  refuseStrays(): void {
    for (const what of this.#store.strays()) this.#compare(what, undefined, {})
  }

  #compareNodes(runId: string, { nodes }: RunFold): void {
    const stored = new Map(Array.from(this.#store.nodes(runId), (node) => [node.id, node]))
    for (const id of new Set([...nodes.keys(), ...stored.keys()]))
      this.#compare(`node "${id}" of run "${runId}"`, partsOf(nodes.get(id)), partsOf(stored.get(id)))
  }

  /** Names the first part that differs. */
  #compare(what: string, folded: Parts | undefined, stored: Parts | undefined): void {
    if (folded === undefined || stored === undefined) {
      if (folded !== stored) this.#differs(what, folded ? 'one' : 'none', stored ? 'one' : 'none')
      return
    }
    for (const name of Object.keys({ ...folded, ...stored })) {
      const [expected, got] = [folded[name], stored[name]]
      if (JSON.stringify(expected) !== JSON.stringify(got))
        this.#differs(`the ${name} of ${what}`, expected, got)
    }
  }

  #differs(what: string, expected: unknown, got: unknown): never {
    throw new EspalierError('ESP_STORE_DIVERGED', { store: this.#store.name, what, expected, got })
  }
}

/** What is compared, by name. */
type Parts = Readonly<Record<string, unknown>>

function foldedJob({ value, context, output }: JobSnapshot): Parts {
  const { attempt, lost, deadlineAt, startedAt, stopping, queuedAt } = context
  const error = output?.error
  return {
    state: typeof value === 'string' ? value : Object.entries(value).flat().join('.'),
    ...{ queuedAt, attempt, lost, deadlineAt, startedAt },
    stopping: stopping && JSON.stringify(stopping),
    endedAt: output?.endedAt,
    value: output?.value === undefined ? undefined : JSON.stringify(output.value),
    error: error && JSON.stringify(errorToJson(error)),
    reason: output?.reason,
    cancelledBy: output?.cancelledBy,
    causedBy: output?.causedBy,
    usage: output?.usage && JSON.stringify(output.usage),
  }
}

function storedJob({ end, ...job }: JobRecord): Parts {
  const { state, queuedAt, attempt, lost, deadlineAt, startedAt, stopping } = job
  const { at: endedAt, value, error, reason, cancelledBy, causedBy, usage } = end ?? NO_END
  return {
    ...{ state, queuedAt, attempt, lost, deadlineAt, startedAt, stopping },
    ...{ endedAt, value, error, reason, cancelledBy, causedBy, usage },
  }
}

const NO_END: Partial<JobEnd> = {}

/** The journal has not the tree's counts, which follow from its nodes and jobs. */
const foldedRun = (
  told: ToldRun,
  { value, context: { tree: _, ...context } }: OrchestratorSnapshot,
): Parts => ({ ...context, ...told, state: value })

const partsOf = (node: NodeRecord | undefined): Parts | undefined => node && { ...node }

function storedRun({ id, snapshot, decisions: _, ownedSince: __, ...told }: RunRecord): Parts {
  return foldedRun(told, storedObject(snapshot, 'snapshot', 'run', id))
}
