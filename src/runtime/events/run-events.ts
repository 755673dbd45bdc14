import type { DecisionRecord } from '../../domain/decision.ts'
import type { NodeId } from '../../domain/node-spec.ts'
import type { TreeNode } from '../../domain/tree.ts'
import type { RunOutcome } from '../../domain/workflow.ts'

/** What happens in a run, by name. Every `at` is epoch ms. */
export interface RunEventMap {
  'run.started': RunFact
  'node.added': RunFact & { readonly node: TreeNode }
  /** Its status, result, score or number of revisions is another. */
  'node.changed': RunFact & { readonly node: TreeNode }
  'node.progress': RunFact & {
    readonly nodeId: NodeId
    readonly fraction: number
    readonly note: string | undefined
  }
  'node.decided': RunFact & { readonly node: TreeNode; readonly decision: DecisionRecord }
  'run.ended': RunFact & { readonly outcome: RunOutcome }
}

interface RunFact {
  readonly at: number
  readonly runId: string
}

export type RunEventType = keyof RunEventMap
export type RunEventOf<Type extends RunEventType> = { readonly type: Type } & RunEventMap[Type]
export type RunStreamEvent = { [Type in RunEventType]: RunEventOf<Type> }[RunEventType]
