import { storedObject } from '../../domain/stored-json.ts'
import type { Workflow } from '../../domain/workflow.ts'
import type { NodeRecord as NodeRow, RunStore } from '../../ports/run-store.ts'
import type { JobEntry } from '../job/job-actor.ts'
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
  /** A node is there again, in the order of growth. */
  tookUp(row: NodeRow): void
}

/**
 * Takes the nodes of a stored run up again, with their jobs and what was decided about them.
 *
 * @throws {EspalierError} `ESP_UNKNOWN_HANDLER` when a handler that is still needed is gone; `ESP_STORE_ROW_CORRUPT`. Nothing has
 * started then.
 */
export function recoverTree(
  run: RecoveredRun,
  store: RunStore,
  planting: Planting,
  supervisor: Supervisor,
  submissions: Submissions,
): void {
  const { runId, workflow, nodes } = run
  // By place: how many jobs each node has had.
  const counts: number[] = []
  for (const row of store.nodes(runId)) {
    nodes.add(takeUp(row, run))
    run.tookUp(row)
    counts.push(row.jobs)
  }
  for (const [parent, children] of Map.groupBy(nodes.records(), (record) => record.parent))
    parent?.grow(children.map(({ id }) => id))
  const { handlers } = workflow
  const recovered = { handlers, of: 'the workflow', nodeOf: planting.nodeOf, ids: planting.ids }
  // In the order of submission: what stays is a node's last one.
  for (const job of recoverJobs(store.jobs(runId), recovered, supervisor, submissions))
    planting.nodeOf(job.id)?.adopt(job)
  supervisor.recorder?.tookUp()
  const bare = nodes.records().filter((record, place) => {
    link(record, nodes)
    if (record.isLive) planting.live++
    return record.jobs < (counts[place] as number)
  })
  supervisor.together(() => {
    planting.replant(bare)
    for (const { isPruned, job } of bare) {
      if (isPruned) supervisor.cancel((job as JobEntry).actor, 'tree', 'pruned')
    }
  })
}

function takeUp(row: NodeRow, run: RecoveredRun): NodeRecord {
  const { id, parentId, spec } = row
  const parent = parentId === undefined ? undefined : run.nodes.find(parentId)
  const record = new NodeRecord(id, parent, storedObject(spec, 'spec', 'node', id), run)
  record.restore(row)
  return record
}

function link(record: NodeRecord, nodes: TreeStore): void {
  const { dependencies } = record.spec
  if (dependencies === undefined) return
  record.dependencies = dependencies.map((name) => nodes.find(name) as NodeRecord)
  record.tellDependencies()
}
