import type { Tree, TreeNode } from 'espalier'

/** What a node has become, apart from its number, which tells only when it was grown. */
interface Shape {
  readonly parent: string | undefined
  readonly status: TreeNode['status']
  readonly value: unknown
  readonly error: string | undefined
  readonly score: number | undefined
  readonly revisions: number
  readonly decision: string | undefined
  readonly why: string | undefined
}

/**
 * What a tree has become, by the keys of its nodes, and in their order.
 *
 * Who has the last word, and so is satisfied, is whoever ends last: that node counts as one that stopped.
 */
export function shapeOf({ nodes }: Tree): Record<string, Shape> {
  const shapes = Object.values(nodes).map((node): [string, Shape] => {
    const { key, parentId, status, result, score, revisions, decision } = node
    return [
      key!,
      {
        parent: nodes[parentId ?? '']?.key,
        status,
        value: result?.value,
        error: result?.status === 'failed' ? result.error?.message : undefined,
        score,
        revisions,
        decision: decision?.type.replace('satisfy', 'stop'),
        why: decision?.why?.replace('; the score has stopped improving', ''),
      },
    ]
  })
  return Object.fromEntries(shapes.sort(([a], [b]) => (a < b ? -1 : 1)))
}
