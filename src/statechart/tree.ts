import type { AnyStateNode } from 'xstate'

/** All state nodes of a machine in document order, the root first. */
export function* eachNode(node: AnyStateNode): Generator<AnyStateNode> {
  yield node
  for (const child of Object.values(node.states)) yield* eachNode(child as AnyStateNode)
}
