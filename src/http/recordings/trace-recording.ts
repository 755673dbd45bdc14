import type { CancelSource, JobId, JobUsage } from '../../domain/job.ts'
import { bandOf } from '../../domain/priority.ts'
import type { ErrorJson, JobSubmitted, TraceEntry, TreeEvent } from '../../domain/trace.ts'
import { EVENT_CODES, type EventName, NODE_STATES } from '../../protocol/journal.ts'
import { encodeRecording } from '../../protocol/recording.ts'
import { isRunning, READY, stateOf } from '../../runtime/job/job-states.ts'
import { TraceFold } from '../../runtime/record/trace-fold.ts'
import { chartDocuments } from '../files/charts.ts'
import { packageVersion } from '../files/static-files.ts'
import { JournalMaker } from '../notes/journal-maker.ts'
import { RAW_DEPENDS } from '../notes/raw-chunk.ts'
import { RawChunkWriter } from '../notes/raw-chunk-writer.ts'
import { hasUsage, kindOf, numberOf, rawError, rawErrorOf } from '../notes/raw-facts.ts'

const ENTRIES_AT_A_TIME = 4_096
const QUEUED = NODE_STATES.indexOf('queued')

/**
 * Makes a recording of a trace, as a store keeps it or a checker found it.
 *
 * A trace does not tell the slots, so attempts get the lowest lane that is free.
 */
export function recordTrace(entries: Iterable<TraceEntry>, title: string): Uint8Array<ArrayBuffer> {
  const recorder = new TraceRecorder()
  for (const entry of inItsPools(entries)) recorder.take(entry)
  const { blocks, startedAt } = recorder.end()
  const espalier = packageVersion()
  const header = { format: 'espalier-recording', version: 1, id: 'trace', startedAt, idPrefix: '' } as const
  return encodeRecording({ ...header, espalier, title }, blocks)
}

/**
 * A trace without the pools that nothing happened in: of a run, a store tells all pools from its first one on, and one that
 * was opened for another run, or the day after, is none of its time.
 */
function* inItsPools(entries: Iterable<TraceEntry>): Generator<TraceEntry> {
  let pool: string | undefined
  /** Of pools that were created since, of which the last one goes on. */
  let others: TraceEntry[] = []
  for (const entry of entries) {
    if (entry.actor === 'pool' && entry.id !== pool) {
      others.push(entry)
      continue
    }
    if (entry.actor !== 'pool' && others.length > 0) {
      const next = others.findLast(({ event }) => event.type === 'pool.created')?.id ?? pool
      yield* others.filter(({ id }) => id === next)
      pool = next
      others = []
    }
    yield entry
  }
  if (pool === undefined) yield* others
}

class TraceRecorder {
  readonly #fold = new TraceFold()
  readonly #chunks = new RawChunkWriter(() => {})
  readonly #sequences = new Map<JobId, number>()
  /** Nodes whose first job has not come yet, by run and node. */
  readonly #grown = new Map<string, TraceEntry>()
  /** First jobs of nodes whose growth has not come yet, likewise. */
  readonly #firstJobs = new Map<string, number>()
  readonly #depths = new Map<string, number>()
  readonly #lanes: boolean[] = []
  readonly #laneOf = new Map<JobId, number>()
  #maker: JournalMaker | undefined
  #startedAt = 0
  #taken = 0

  take(entry: TraceEntry): void {
    if (this.#maker === undefined) this.#begin(entry.at)
    const { event } = entry
    if (event.type === 'job.submitted') this.#submit(entry, event as JobSubmitted)
    else if (event.type === 'run.created') this.#createRun(entry)
    else if (event.type.startsWith('node.') || event.type === 'run.resumed')
      this.#changeTree(entry, event as TreeEvent)
    else if (entry.actor === 'job') this.#stepJob(entry)
    else if (entry.actor === 'run') this.#stepRun(entry)
    else this.#stepPool(entry)
    if (++this.#taken % ENTRIES_AT_A_TIME === 0) this.#flush()
  }

  end(): { blocks: readonly Uint8Array[]; startedAt: number } {
    this.#flush()
    const blocks = this.#maker?.takeAll().map(({ bytes }) => bytes) ?? []
    return { blocks, startedAt: this.#startedAt }
  }

  #begin(at: number): void {
    this.#startedAt = at
    this.#maker = new JournalMaker(at, '')
    for (const [name, text] of Object.entries(chartDocuments()))
      this.#chunks.item({ type: 'document', name, text })
  }

  #flush(): void {
    this.#maker?.take(this.#chunks.take())
  }

  #submit(entry: TraceEntry, spec: JobSubmitted): void {
    this.#fold.apply(entry)
    const { id, at } = entry
    const { nodeId, treeId, executor, priority = 'normal', score = 0, dependencies = [] } = spec
    const sequence = this.#sequences.size
    this.#sequences.set(id, sequence)
    this.#chunks.item({ type: 'job', id, nodeId, treeId, ...(executor === undefined ? {} : { executor }) })
    if (score !== 0) this.#chunks.score(score)
    const kind = this.#chunks.name(kindOfStored(spec))
    this.#chunks.note(at, sequence, EVENT_CODES['job.submitted'], Math.max(0, bandOf(priority)), kind)
    for (const dependency of dependencies) {
      const on = this.#sequences.get(dependency)
      if (on !== undefined) this.#chunks.note(at, sequence, RAW_DEPENDS, 0, on)
    }
    if (nodeId !== undefined && treeId !== undefined) this.#giveJob(at, treeId, nodeId, sequence)
  }

  /** A job of a node that is known revises it; else it is the node's first. */
  #giveJob(at: number, run: string, nodeId: string, job: number): void {
    const key = `${run} ${nodeId}`
    const number = numberOf(nodeId) ?? 0
    if (this.#depths.has(key)) this.#chunks.item({ type: 'nodeChanged', at, run, number, state: QUEUED, job })
    else this.#firstJobs.set(key, job)
    this.#addNode(key)
  }

  /** Adds a node once both its growth and its first job have come, whichever was first. */
  #addNode(key: string): void {
    const grown = this.#grown.get(key)
    const job = this.#firstJobs.get(key)
    if (grown === undefined || job === undefined) return
    this.#grown.delete(key)
    this.#firstJobs.delete(key)
    const { at } = grown
    const { nodeId, parentId, spec, score } = grown.event as TreeEvent & { readonly type: 'node.grown' }
    const { handler, label = handler, key: name } = spec
    const run = grown.id
    const depth = parentId === undefined ? 0 : (this.#depths.get(`${run} ${parentId}`) ?? 0) + 1
    this.#depths.set(key, depth)
    const number = numberOf(nodeId) ?? 0
    this.#chunks.item({
      type: 'node',
      at,
      run,
      number,
      parent: numberOf(parentId),
      depth,
      job,
      handler,
      label,
      key: name,
      score,
    })
  }

  #createRun(entry: TraceEntry): void {
    this.#fold.apply(entry)
    const { workflow, strategy = 'best-first' } = entry.event as {
      readonly workflow?: string
      readonly strategy?: string
    }
    this.#chunks.item({ type: 'run', at: entry.at, id: entry.id, workflow: workflow ?? '', strategy })
  }

  #changeTree(entry: TraceEntry, event: TreeEvent): void {
    this.#fold.apply(entry)
    const { id: run, at } = entry
    if (event.type === 'node.grown') {
      this.#grown.set(`${run} ${event.nodeId}`, entry)
      this.#addNode(`${run} ${event.nodeId}`)
      return
    }
    if (event.type !== 'node.decided') return
    const { type: decision, why, score, nodeIds, cut, error } = event.decision
    this.#chunks.item({
      type: 'decided',
      at,
      run,
      number: numberOf(event.nodeId) ?? 0,
      state: QUEUED,
      decision,
      why,
      score,
      nodes: nodeIds.length,
      cut,
      error: error?.message,
    })
  }

  #stepJob(entry: TraceEntry): void {
    const { id, at } = entry
    const sequence = this.#sequences.get(id)
    const before = this.#fold.jobs.get(id)
    if (before === undefined || sequence === undefined) return
    this.#fold.apply(entry)
    const after = this.#fold.jobs.get(id)
    const from = stateOf(before.value)
    const to = stateOf(after?.value ?? before.value)
    const attempt = after?.context.attempt ?? 0
    const { error } = after?.output ?? {}
    if (entry.event.type === 'deadline.reached' && error !== undefined)
      this.#chunks.item({
        type: 'failed',
        event: 'deadline.reached',
        job: sequence,
        at,
        state: to,
        attempt,
        error: rawError(error),
      })
    else this.#noteStep(entry, sequence, to, attempt)
    if (from === READY && isRunning(to)) {
      this.#chunks.note(at, sequence, EVENT_CODES['attempt.started'], to, this.#takeLane(id))
    } else if (isRunning(from) && !isRunning(to)) this.#freeLane(id)
  }

  #noteStep({ at, event }: TraceEntry, job: number, state: number, attempt: number): void {
    const { type, error, by, reason, causedBy, usage } = event as {
      readonly type: string
      readonly usage?: JobUsage
      readonly error?: ErrorJson
      readonly by?: CancelSource
      readonly reason?: string
      readonly causedBy?: JobId
    }
    if (hasUsage(usage)) this.#chunks.item({ type: 'usage', job, at, attempt, usage })
    if (type === 'attempt.failed' && error !== undefined) {
      this.#chunks.item({ type: 'failed', job, at, state, attempt, error: rawErrorOf(error) })
    } else if (type === 'job.cancel') {
      const cause = causedBy === undefined ? undefined : this.#sequences.get(causedBy)
      this.#chunks.item({
        type: 'cancelled',
        job,
        at,
        state,
        by: by ?? 'user',
        reason: reason ?? '',
        causedBy: cause,
      })
    } else if (Object.hasOwn(EVENT_CODES, type)) {
      this.#chunks.note(at, job, EVENT_CODES[type as EventName], state, 0)
    }
  }

  #takeLane(id: JobId): number {
    const free = this.#lanes.indexOf(false)
    const lane = free < 0 ? this.#lanes.length : free
    this.#lanes[lane] = true
    this.#laneOf.set(id, lane)
    return lane
  }

  #freeLane(id: JobId): void {
    const lane = this.#laneOf.get(id)
    if (lane !== undefined) this.#lanes[lane] = false
    this.#laneOf.delete(id)
  }

  #stepRun(entry: TraceEntry): void {
    const { id, at } = entry
    if (!this.#fold.runs.has(id)) return
    this.#fold.apply(entry)
    const { status, output } = this.#fold.runs.get(id) as {
      status: string
      output?: { status: string; reason: string }
    }
    if (status !== 'done' || output === undefined) return
    this.#chunks.item({ type: 'runEnded', at, run: id, state: output.status, reason: output.reason })
  }

  #stepPool(entry: TraceEntry): void {
    const { id, at, event } = entry
    const before = this.#fold.pools.get(id)
    this.#fold.apply(entry)
    const after = this.#fold.pools.get(id)
    if (before === undefined || after === undefined) return
    const name = POOL_EVENTS[event.type]
    if (name === undefined) return
    const { lifecycle, dispatch } = after.value
    const state = 3 * LIFECYCLES.indexOf(lifecycle) + DISPATCHES.indexOf(dispatch)
    this.#chunks.item({ type: 'pool', at, event: name, state, limit: after.context.maxParallelJobs })
  }
}

const LIFECYCLES = ['accepting', 'draining', 'closed']
const DISPATCHES = ['open', 'paused', 'throttled']

/** What the pool's events are called once they have happened. */
const POOL_EVENTS: Readonly<Record<string, EventName>> = {
  'pool.pause': 'pool.paused',
  'pool.resume': 'pool.resumed',
  'pressure.raised': 'pool.throttled',
  'pressure.cleared': 'pool.unthrottled',
  'pool.limit': 'pool.limited',
  'pool.shutdown': 'pool.draining',
}

function kindOfStored({ execute }: JobSubmitted): string {
  if ('handler' in execute) return execute.handler
  if ('closure' in execute) return execute.closure || '(anonymous)'
  return kindOf(execute)
}
