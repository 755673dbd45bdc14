import { storedJson, storedObject } from '../domain/stored-json.ts'
import {
  isInterrupted,
  type JobRecord,
  type JobUsage,
  type NodeRecord,
  type RunRecord,
  type RunStatus,
  type RunStore,
  type StoreOwner,
  type TraceEntry,
} from '../index.ts'
import { type Line, styled } from './line.ts'
import type { Output } from './output.ts'
import { findRun, type StoreOptions, storeFile, withReader } from './store.ts'
import { clean, formatBytes, formatDuration, plural } from './text.ts'

export interface LookOptions extends StoreOptions {
  readonly json?: boolean
}

export interface ShowOptions extends LookOptions {
  /** Shows the journal instead of the nodes. */
  readonly events?: boolean
}

/** Lists the runs of a store, newest first. */
export function listRuns(options: LookOptions, output: Output): number {
  const runs = withReader(options, (store) => {
    // The owner first: one that ends its run and leaves meanwhile has not interrupted it.
    const seen = seenWith(store.owner())
    return store.runs().map(seen)
  })
  if (options.json) output.document(runs.map(summaryOf))
  else if (runs.length === 0) output.print([[`No runs are in ${storeFile(options)}.`]])
  else output.print(runs.map(runLine))
  return 0
}

/** Shows a run, its nodes, and how large its store is. @throws {EspalierError} `ESP_UNKNOWN_RUN`. */
export function showRun(runId: string, options: ShowOptions, output: Output): number {
  if (options.events) return showEvents(runId, options, output)
  const { run, nodes, jobs, size } = withReader(options, (store) => read(store, runId))
  if (options.json) {
    output.document({ ...summaryOf(run), nodes: nodes.map((node) => nodeOf(node, jobs)), store: size })
    return 0
  }
  const { bytes, runs, jobs: allJobs, events, outputs, outputBytes } = size
  output.print([
    runLine(run),
    ...nodes.map((node) => nodeLine(node, jobs)),
    [],
    [
      styled(
        'dim',
        `store ${storeFile(options)}: ${formatBytes(bytes)}, ${plural(runs, 'run')}, ${plural(allJobs, 'job')}, ${plural(events, 'event')}`,
      ),
      styled(
        'dim',
        outputs === 0 ? '' : `, ${plural(outputs, 'large result')} of ${formatBytes(outputBytes)}`,
      ),
    ],
  ])
  return 0
}

function showEvents(runId: string, options: LookOptions, output: Output): number {
  const events = withReader(options, (store) => {
    const { status } = findRun(store, runId)
    const entries = [...store.trace({ runId })]
    if (status === 'running') return entries
    // Pools that came and went after its end have done nothing of it.
    return entries.slice(0, entries.findLastIndex(({ actor }) => actor !== 'pool') + 1)
  })
  if (options.json) output.document(events)
  else output.print(events.map(eventLine))
  return 0
}

function eventLine({ seq, at, id, event }: TraceEntry): Line {
  const { nodeId, decision } = event as {
    readonly nodeId?: string
    readonly decision?: { readonly type: string }
  }
  const about = [nodeId, decision?.type].filter((part) => part !== undefined).join(' ')
  return [
    `${String(seq).padStart(6)}  `,
    styled('dim', new Date(at).toISOString()),
    `  ${clean(id)}  ${event.type}  ${clean(about)}`,
  ]
}

function read(store: RunStore, runId: string) {
  const run = seenWith(store.owner())(findRun(store, runId))
  const jobs = new Map(Array.from(store.jobs(runId), (job) => [job.submitted.nodeId, job] as const))
  return { run, nodes: [...store.nodes(runId)], jobs, size: store.size() }
}

type Jobs = ReadonlyMap<string | undefined, JobRecord>

/** A run as people see it: one that has not ended is `interrupted` unless the process that works with the store has taken it up. */
type SeenRun = Omit<RunRecord, 'status'> & { readonly status: RunStatus | 'interrupted' }

const seenWith =
  (owner: StoreOwner | undefined) =>
  (run: RunRecord): SeenRun =>
    isInterrupted(run, owner) ? { ...run, status: 'interrupted' } : run

function summaryOf(run: SeenRun): object {
  const { id, workflow, source, status, reason, createdAt, endedAt, input, value, error, forkedFrom } = run
  const parsed = (text: string | undefined, field: string): unknown => storedJson(text, field, 'run', id)
  return {
    ...{ id, workflow, source, status, reason, createdAt, endedAt },
    ...{
      input: parsed(input, 'input'),
      value: parsed(value, 'value'),
      error: parsed(error, 'error'),
      forkedFrom,
    },
  }
}

function nodeOf(node: NodeRecord, jobs: Jobs): object {
  const { id, parentId, spec, score, revisions, decision } = node
  const job = jobs.get(id)
  return {
    ...{ id, parentId, ...storedObject(spec, 'spec', 'node', id), score, revisions },
    status: statusOf(node, job),
    jobId: job?.id,
    attempts: job?.attempt,
    reusedFrom: reusedFrom(job),
    decision: storedObject(decision, 'decision', 'node', id),
  }
}

const statusOf = ({ isPruned }: NodeRecord, job: JobRecord | undefined): string =>
  isPruned && job?.state === 'cancelled' ? 'pruned' : (job?.state ?? 'unknown')

function reusedFrom(job: JobRecord | undefined): string | undefined {
  if (job?.end === undefined) return undefined
  const usage: JobUsage | undefined = storedObject(job.end.usage, 'usage', 'job', job.id)
  return usage?.reusedFrom
}

function runLine({ id, workflow, status, reason, createdAt, endedAt }: SeenRun): Line {
  const started = new Date(createdAt).toISOString()
  const took = endedAt === undefined ? '' : `, took ${formatDuration(endedAt - createdAt)}`
  const why = reason === undefined || reason === status ? '' : ` (${reason})`
  return [
    styled('bold', clean(id)),
    `  ${clean(workflow)}  ${status}${why}`,
    styled('dim', `  ${started}${took}`),
  ]
}

function nodeLine(node: NodeRecord, jobs: Jobs): Line {
  const { handler, label = handler } = storedObject(node.spec, 'spec', 'node', node.id) as {
    handler: string
    label?: string
  }
  const decision = storedObject(node.decision, 'decision', 'node', node.id)
  const job = jobs.get(node.id)
  const decided =
    decision === undefined ? '' : `  → ${decision.type}${decision.why ? `: ${clean(decision.why)}` : ''}`
  const from = reusedFrom(job)
  const reused = from === undefined ? '' : `, reused from ${clean(from)}`
  return [`  ${node.id} ${clean(label)}  ${statusOf(node, job)}${reused}`, styled('dim', decided)]
}
