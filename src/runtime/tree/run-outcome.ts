import type { RunMetrics, RunOutcome } from '../../domain/workflow.ts'
import type { OrchestratorActor } from '../charts/charts.ts'
import type { RunFacts } from './run-facts.ts'
import type { TreeStore } from './tree-store.ts'

/** How a run ended. */
export function outcomeOf(
  runId: string,
  actor: OrchestratorActor,
  nodes: TreeStore,
  facts: RunFacts,
): RunOutcome {
  const { status, reason } = actor.getSnapshot().output ?? { status: 'failed', reason: 'failed' }
  let picture: RunOutcome['tree'] | undefined
  return {
    runId,
    status,
    reason,
    value: reason === 'satisfied' ? facts.value : undefined,
    error: status === 'failed' ? facts.error : undefined,
    // Made when it is looked at: of a large tree it takes a while, and many only want the value.
    get tree() {
      picture ??= nodes.picture()
      return picture
    },
    metrics: metricsOf(nodes, facts),
  }
}

function metricsOf(nodes: TreeStore, facts: RunFacts): RunMetrics {
  const { endedAt, decisions } = facts
  const startedAt = facts.startedAt === 0 ? endedAt : facts.startedAt
  const records = nodes.records()
  let revisions = 0
  const counts = { completed: 0, failed: 0, cancelled: 0 }
  for (const record of records) {
    revisions += record.revisions
    const { status } = record
    if (status === 'completed' || status === 'failed') counts[status]++
    else counts.cancelled++
  }
  const durationMs = endedAt - startedAt
  return { startedAt, endedAt, durationMs, nodes: records.length, ...counts, revisions, decisions }
}
