import type {
  JobRecord,
  JobUsage,
  NodeRecord,
  RunRecord,
  RunStore,
  StoreOwner,
  TraceEntry,
} from '../index.ts'
import { type Line, styled } from './line.ts'
import type { Output } from './output.ts'
import { findRun, type StoreOptions, storeFile, withReader } from './store.ts'
import { clean, formatBytes, plural } from './text.ts'

export interface LookOptions extends StoreOptions {
  readonly json?: boolean
}

export interface ShowOptions extends LookOptions {
  /** Shows the journal instead of the nodes. */
  readonly events?: boolean
}

/** Lists the runs of a store, newest first. */
export function listRuns(options: LookOptions, output: Output): number {
  const { runs, owner } = withReader(options, (store) => ({ runs: store.runs(), owner: store.owner() }))
  if (options.json) output.document(runs.map((run) => summaryOf(run, owner)))
  else if (runs.length === 0) output.print([[`No runs are in ${storeFile(options)}.`]])
  else output.print(runs.map((run) => runLine(run, owner)))
  return 0
}

/** Shows a run, its nodes, and how large its store is. @throws {EspalierError} `ESP_UNKNOWN_RUN`. */
export function showRun(runId: string, options: ShowOptions, output: Output): number {
  if (options.events) return showEvents(runId, options, output)
  const { run, owner, nodes, jobs, size } = withReader(options, (store) => read(store, runId))
  if (options.json) {
    output.document({ ...summaryOf(run, owner), nodes: nodes.map((node) => nodeOf(node, jobs)), store: size })
    return 0
  }
  const { bytes, runs, jobs: allJobs, events, outputs, outputBytes } = size
  output.print([
    runLine(run, owner),
    ...nodes.map((node) => nodeLine(node, jobs)),
    [],
    [
      styled(
        'dim',
        `store ${storeFile(options)}: ${formatBytes(bytes)}, ${plural(runs, 'run')}, ${plural(allJobs, 'job')}, ${plural(events, 'event')}`,
      ),
      styled('dim', outputs === 0 ? '' : `, ${outputs} large results of ${formatBytes(outputBytes)}`),
    ],
  ])
  return 0
}

function showEvents(runId: string, options: LookOptions, output: Output): number {
  const events = withReader(options, (store) => {
    findRun(store, runId)
    return [...store.trace({ runId })]
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
  const run = findRun(store, runId)
  const jobs = new Map(Array.from(store.jobs(runId), (job) => [job.submitted.nodeId, job] as const))
  return { run, owner: store.owner(), nodes: store.nodes(runId), jobs, size: store.size() }
}

type Jobs = ReadonlyMap<string | undefined, JobRecord>

/** A run that has not ended is `interrupted` while no process works with its store. */
const standingOf = ({ status }: RunRecord, owner: StoreOwner | undefined): string =>
  status === 'running' && owner === undefined ? 'interrupted' : status

function summaryOf(run: RunRecord, owner: StoreOwner | undefined): object {
  const { id, workflow, source, reason, createdAt, endedAt, input, value, error, forkedFrom } = run
  const status = standingOf(run, owner)
  const parsed = (text: string | undefined) => (text === undefined ? undefined : JSON.parse(text))
  return {
    ...{ id, workflow, source, status, reason, createdAt, endedAt },
    ...{ input: parsed(input), value: parsed(value), error: parsed(error), forkedFrom },
  }
}

function nodeOf(node: NodeRecord, jobs: Jobs): object {
  const { id, parentId, spec, score, revisions, decision } = node
  const job = jobs.get(id)
  return {
    ...{ id, parentId, ...JSON.parse(spec), score, revisions },
    status: statusOf(node, job),
    jobId: job?.id,
    attempts: job?.attempt,
    reusedFrom: reusedFrom(job),
    decision: decision === undefined ? undefined : JSON.parse(decision),
  }
}

const statusOf = ({ isPruned }: NodeRecord, job: JobRecord | undefined): string =>
  isPruned && job?.state === 'cancelled' ? 'pruned' : (job?.state ?? 'unknown')

const reusedFrom = (job: JobRecord | undefined): string | undefined =>
  job?.end?.usage === undefined ? undefined : (JSON.parse(job.end.usage) as JobUsage).reusedFrom

function runLine(run: RunRecord, owner: StoreOwner | undefined): Line {
  const { id, workflow, reason, createdAt, endedAt } = run
  const status = standingOf(run, owner)
  const started = new Date(createdAt).toISOString()
  const took = endedAt === undefined ? '' : `, took ${((endedAt - createdAt) / 1000).toFixed(1)}s`
  const why = reason === undefined || reason === status ? '' : ` (${reason})`
  return [
    styled('bold', clean(id)),
    `  ${clean(workflow)}  ${status}${why}`,
    styled('dim', `  ${started}${took}`),
  ]
}

function nodeLine(node: NodeRecord, jobs: Jobs): Line {
  const { handler, label = handler } = JSON.parse(node.spec) as { handler: string; label?: string }
  const decision = node.decision === undefined ? undefined : JSON.parse(node.decision)
  const job = jobs.get(node.id)
  const decided =
    decision === undefined ? '' : `  → ${decision.type}${decision.why ? `: ${clean(decision.why)}` : ''}`
  const from = reusedFrom(job)
  const reused = from === undefined ? '' : `, reused from ${clean(from)}`
  return [`  ${node.id} ${clean(label)}  ${statusOf(node, job)}${reused}`, styled('dim', decided)]
}
