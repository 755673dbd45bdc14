import type { NodeId } from '../../domain/node-spec.ts'
import type { ExpandAnswer } from '../../domain/workflow.ts'

/** An asynchronous `expand` whose answer has not arrived yet. */
export interface OpenQuestion {
  readonly node: NodeId
  readonly askedAt: number
  readonly signal: AbortSignal
  /** What it will answer. */
  readonly answer: ExpandAnswer
  deliver(): void
}
