import type { JobId } from '../../domain/job.ts'
import { errorFromJson } from '../../domain/trace.ts'
import type { Workflow } from '../../domain/workflow.ts'
import type { NodeRecord as NodeRow, RunStore } from '../../ports/run-store.ts'
import { recoverJobs } from '../pool/recovery.ts'
import type { Submissions } from '../pool/submission.ts'
import type { Supervisor } from '../pool/supervisor.ts'
import { NodeRecord, type NodeWatcher } from './node-record.ts'
import type { Planting } from './planting.ts'
import type { TreeStore } from './tree-store.ts'

/** A run that is taken up again; its tree is still empty. */
export interface RecoveredRun extends NodeWatcher {
  readonly runId: string
  readonly workflow: Workflow
  readonly nodes: TreeStore
}

/**
 * Takes the nodes of a stored run up again, with their jobs and what was decided about them.
 *
 * @throws {EspalierError} `ESP_UNKNOWN_HANDLER` when a handler that is still needed is gone; nothing has started then.
 */
export function recoverTree(
  run: RecoveredRun,
  store: RunStore,
  planting: Planting,
  supervisor: Supervisor,
  submissions: Submissions,
): void {
  const { runId, workflow, nodes } = run
  const rows = store.nodes(runId)
  for (const row of rows) nodes.add(takeUp(row, run))
  const nodeOf = (jobId: JobId) => planting.nodeOf(jobId)
  const recovered = { handlers: workflow.handlers, nodeOf, ids: planting.ids }
  const jobs = recoverJobs(store.jobs(runId), recovered, supervisor, submissions)
  // In the order of submission: what stays is a node's last one.
  const counts = new Map<NodeRecord, number>()
  for (const job of jobs) {
    const record = nodeOf(job.id) as NodeRecord
    record.job = job
    counts.set(record, (counts.get(record) ?? 0) + 1)
  }
  const bare: NodeRecord[] = []
  for (const row of rows) {
    const record = nodes.records()[row.place] as NodeRecord
    const count = counts.get(record) ?? 0
    if (count < row.jobs) bare.push(record)
    restore(record, { ...row, jobs: count }, nodes)
    if (record.isLive) planting.live++
  }
  supervisor.together(() => planting.replant(bare))
}

function takeUp({ id, parentId, spec }: NodeRow, run: RecoveredRun): NodeRecord {
  const parent = parentId === undefined ? undefined : run.nodes.find(parentId)
  const record = new NodeRecord(id, parent, JSON.parse(spec), run)
  parent?.grow([id])
  return record
}

function restore(record: NodeRecord, row: NodeRow, nodes: TreeStore): void {
  const { job } = record
  const stored = row.decision === undefined ? undefined : JSON.parse(row.decision)
  // What made the node run again was decided about an earlier end of it.
  const isPast = stored?.type === 'revise' && stored.nodeIds.includes(row.id) && job?.known !== undefined
  const decision =
    stored === undefined || isPast
      ? undefined
      : { ...stored, error: stored.error && errorFromJson(stored.error) }
  const { dependencies } = record.spec
  if (dependencies !== undefined)
    record.dependencies = dependencies.map((name) => nodes.find(name) as NodeRecord)
  record.tellDependencies()
  record.restore(row, decision)
}
