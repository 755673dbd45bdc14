import { EspalierError } from '../../domain/errors.ts'
import type { NodeSpec } from '../../domain/node-spec.ts'
import { storedObject } from '../../domain/stored-json.ts'
import { errorToJson, type TraceEntry, type TreeEvent } from '../../domain/trace.ts'
import type { JobRecord, NodeRecord, RunStore } from '../../ports/run-store.ts'
import type { JobSnapshot } from '../job/job.ts'
import { foldTrace } from './trace-fold.ts'

/**
 * Checks that a store's journal folds to exactly the state that the store has of every job, run and node.
 *
 * @returns How many events were folded.
 * @throws {EspalierError} `ESP_STORE_DIVERGED`, naming the first job, run or node that differs; what reading the store throws.
 */
export function verifyStore(store: RunStore): number {
  const differs = (what: string, expected: unknown, got: unknown): never => {
    throw new EspalierError('ESP_STORE_DIVERGED', { store: store.name, what, expected, got })
  }
  let count = 0
  const nodes = new NodeFold()
  const counted = function* () {
    for (const entry of store.trace()) {
      count++
      nodes.apply(entry)
      yield entry
    }
  }
  const { jobs, runs } = foldTrace(counted())
  for (const [id, snapshot] of jobs) {
    const record = store.job(id)
    const folded = JSON.stringify(foldedJob(snapshot))
    const stored = record === undefined ? undefined : JSON.stringify(storedJob(record))
    if (folded !== stored) differs(`job "${id}"`, folded, stored)
  }
  for (const [id, { output, context }] of runs) {
    const record = store.run(id)
    const folded = output?.status ?? 'running'
    if (record?.status !== folded) differs(`run "${id}"`, folded, record?.status)
    if (record?.reason !== context.reason) differs(`run "${id}"`, context.reason, record?.reason)
  }
  for (const { id: runId } of store.runs()) {
    for (const row of store.nodes(runId)) {
      const what = `node "${row.id}" of run "${runId}"`
      const [folded, stored] = [nodes.of(runId, row.id), storedNode(row)]
      if (folded !== stored) differs(what, folded, stored)
    }
  }
  return count
}

/** Whether a store has a job as its chart's snapshot has it. */
export const isStoredAs = (snapshot: JobSnapshot, record: JobRecord): boolean =>
  JSON.stringify(foldedJob(snapshot)) === JSON.stringify(storedJob(record))

/** What the journal says of nodes: where they grew, and what they run. */
class NodeFold {
  readonly #nodes = new Map<string, { parentId: string | undefined; spec: NodeSpec }>()

  apply({ id: runId, event }: TraceEntry): void {
    if (event.type === 'node.grown') {
      const { nodeId, parentId, spec } = event as Extract<TreeEvent, { type: 'node.grown' }>
      this.#nodes.set(`${runId} ${nodeId}`, { parentId, spec })
      return
    }
    const node = this.#nodes.get(`${runId} ${(event as { readonly nodeId?: string }).nodeId}`)
    if (node === undefined) return
    if (event.type === 'node.revised') node.spec = (event as { readonly spec: NodeSpec }).spec
  }

  of(runId: string, nodeId: string): string | undefined {
    const node = this.#nodes.get(`${runId} ${nodeId}`)
    return node && JSON.stringify([node.parentId, node.spec])
  }
}

const storedNode = ({ id, parentId, spec }: NodeRecord): string =>
  JSON.stringify([parentId, storedObject(spec, 'spec', 'node', id)])

function foldedJob({ value, context, output }: JobSnapshot): unknown[] {
  const { attempt, lost, deadlineAt, startedAt, stopping, queuedAt } = context
  const end =
    output === undefined
      ? []
      : [
          output.endedAt,
          output.value === undefined ? undefined : JSON.stringify(output.value),
          output.error && JSON.stringify(errorToJson(output.error)),
          output.reason,
          output.cancelledBy,
          output.causedBy,
        ]
  const state = typeof value === 'string' ? value : Object.entries(value).flat().join('.')
  return [state, queuedAt, attempt, lost, deadlineAt, startedAt, stopping && JSON.stringify(stopping), ...end]
}

function storedJob({
  state,
  queuedAt,
  attempt,
  lost,
  deadlineAt,
  startedAt,
  stopping,
  end,
}: JobRecord): unknown[] {
  const ended =
    end === undefined ? [] : [end.at, end.value, end.error, end.reason, end.cancelledBy, end.causedBy]
  return [state, queuedAt, attempt, lost, deadlineAt, startedAt, stopping, ...ended]
}
