import type { JobResult, NodeId, Tree, TreeNode } from 'espalier'

/** A node for tests, completed at its place in the tree unless `changes` say otherwise. */
export function nodeOf(id: NodeId, changes: Partial<TreeNode> = {}): TreeNode {
  return {
    id,
    parentId: undefined,
    depth: 0,
    children: [],
    handler: 'work',
    label: `label of ${id}`,
    key: undefined,
    input: undefined,
    jobId: `run.${id}`,
    status: 'completed',
    result: undefined,
    score: undefined,
    decision: undefined,
    revisions: 0,
    ...changes,
  }
}

export function resultOf(changes: Partial<JobResult> = {}): JobResult {
  return {
    jobId: 'run.n0',
    nodeId: 'n0',
    treeId: 'run',
    status: 'completed',
    value: undefined,
    error: undefined,
    reason: undefined,
    cancelledBy: undefined,
    causedBy: undefined,
    attempts: 1,
    queuedAt: 0,
    startedAt: 0,
    endedAt: 1_200,
    durationMs: 1_200,
    metadata: undefined,
    usage: undefined,
    ...changes,
  } as JobResult
}

/** A tree of these nodes; children and depths follow from the parents, which come first. */
export function treeOf(...nodes: readonly TreeNode[]): Tree {
  const known = new Map<NodeId, TreeNode>()
  for (const node of nodes) {
    const parent = node.parentId === undefined ? undefined : known.get(node.parentId)
    if (parent !== undefined) known.set(parent.id, { ...parent, children: [...parent.children, node.id] })
    known.set(node.id, { ...node, depth: parent === undefined ? 0 : parent.depth + 1 })
  }
  const rootIds = nodes.filter(({ parentId }) => parentId === undefined).map(({ id }) => id)
  return { rootIds, nodes: Object.fromEntries(known) }
}

export function decisionOf(
  changes: Partial<NonNullable<TreeNode['decision']>> = {},
): NonNullable<TreeNode['decision']> {
  return {
    type: 'stop' as const,
    why: undefined,
    score: undefined,
    nodeIds: [],
    cut: [],
    error: undefined,
    at: 0,
    ...changes,
  }
}
