import type { RunReason, TreeNode } from '../../domain/tree.ts'
import type { RunOutcome } from '../../domain/workflow.ts'
import type { WatchedWorld } from '../model/world-view.ts'
import { faultOfDeadline } from './deadlines.ts'

/** What must be so of a run at a quiet point. */
export function checkRun(world: WatchedWorld): void {
  const { orchestrator, limits, rows, outcome, questions } = world
  if (orchestrator === undefined || world.isGivenUp) return
  for (const { id, node, actor } of rows.live) {
    const told = node === undefined ? undefined : rows.told.get(node)
    if (told === undefined || told.jobId !== id || told.status === actor.status) continue
    world.breaks('counters', `${node} is ${told.status}, but its job ${id} is ${actor.status}.`)
  }
  if (questions.size > limits.maxParallelExpands)
    world.breaks(
      'tree-limits',
      `${questions.size} expands are open, but maxParallelExpands is ${limits.maxParallelExpands}.`,
    )
  const run = orchestrator.actor.getSnapshot()
  if (run.hasTag('growing') && run.context.deadlineAt > 0) {
    const fault = faultOfDeadline(world, run.context.deadlineAt)
    if (fault !== undefined) world.breaks('progress', `The run may not go on for ever, but ${fault}.`)
  }
  if (outcome !== undefined && questions.size > 0)
    world.breaks('termination', `The run has ended, but ${questions.size} decisions are open.`)
  if (outcome !== undefined && outcome.status !== STATUS_FOR[outcome.reason])
    world.breaks(
      'termination',
      `The run has ended as ${outcome.status}, but for the reason ${outcome.reason}.`,
    )
  if (outcome === undefined && rows.live.size === 0 && questions.size === 0 && rows.told.size > 0)
    world.breaks('progress', 'The run goes on, but no job of it is left and no decision is open.')
  if (outcome !== undefined && rows.live.size > 0)
    world.breaks('termination', `The run has ended, but ${rows.live.size} of its jobs have not.`)
}

const STATUS_FOR: Readonly<Record<RunReason, RunOutcome['status']>> = {
  satisfied: 'completed',
  exhausted: 'completed',
  limit: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
}

/** What must be so of a node whenever the run tells of it. */
export function atChange(world: WatchedWorld, { id, parentId, depth, children, revisions }: TreeNode): void {
  const { maxNodes, maxDepth, maxChildrenPerNode, maxRevisions } = world.limits
  const { size } = world.rows.told
  const exceeds = (name: string, count: number, limit: number) => {
    if (count > limit)
      world.breaks('tree-limits', `With ${id}, ${name} is ${count}, but the limit is ${limit}.`)
  }
  exceeds('the number of nodes', size, maxNodes)
  exceeds('the depth', depth, maxDepth)
  exceeds('the number of its children', children.length, maxChildrenPerNode)
  exceeds('the number of its revisions', revisions, maxRevisions)
  const parent = parentId === undefined ? undefined : world.rows.told.get(parentId)
  if (depth !== (parent === undefined ? 0 : parent.depth + 1))
    world.breaks('tree-limits', `${id} is at depth ${depth}, but its parent ${parentId} at ${parent?.depth}.`)
}

/** What was told, added up, is the tree. */
export function checkTold(world: WatchedWorld): void {
  const { rows, nodes } = world
  for (const node of nodes) {
    const { id, parentId, status, jobId } = node
    if (rows.told.get(id) !== node) world.breaks('journal', `What was told last of ${id} is not what it is.`)
    if (parentId !== undefined && !rows.told.get(parentId)?.children.includes(id))
      world.breaks('journal', `${id} is no child of its parent ${parentId}.`)
    const ended = rows.all.get(jobId)?.outcome?.status
    if ((status === 'pruned' ? 'cancelled' : status) !== ended)
      world.breaks('journal', `${id} is ${status}, but its job ${jobId} has ended as ${ended}.`)
  }
  if (nodes.length !== rows.told.size)
    world.breaks('journal', `${rows.told.size} nodes were told of, but there are ${nodes.length}.`)
}
