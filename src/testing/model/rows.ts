import { type EndedStatus, JOB_STATES, type JobId, type JobResult, type JobStatus } from '../../domain/job.ts'
import type { NodeId } from '../../domain/node-spec.ts'
import type { TreeNode } from '../../domain/tree.ts'
import type { JobActor } from '../../runtime/job/job-actor.ts'
import { READY, stateOf } from '../../runtime/job/job-states.ts'

/** What a world remembers of a job, apart from the runtime. */
export interface Row {
  readonly id: JobId
  readonly node: NodeId | undefined
  readonly handler: string
  /** Another one after a crash. */
  actor: JobActor
  /** The jobs it waits for, in a set of jobs; a node's are found by its node. */
  readonly dependencies: readonly JobId[]
  readonly runsOnFailure: boolean
  /** How many attempts have started. */
  starts: number
  /** The number of the last one. */
  lastAttempt: number
  /** When its last attempt ended, epoch ms. */
  endedAt: number
  /** How many attempts were lost. */
  losses: number
  /** How many of these have been retried. */
  replacements: number
  /** Whether it was ready at the last quiet point, and has not started since. */
  isWaiting: boolean
  /** Before this no attempt may start, epoch ms. */
  notBefore: number
  /** Whether a cancel was acknowledged: no attempt may start any more. */
  isUnwanted: boolean
  outcome: JobResult | undefined
}

/** What a world remembers of a node: whom it waits for, by what the workflow has answered. */
export interface Growth {
  readonly parent: NodeId | undefined
  /** Ids or keys. */
  readonly dependencies: readonly string[]
}

/** All jobs of a world, and apart from them those that have not ended. */
export class Rows {
  readonly all = new Map<JobId, Row>()
  readonly live = new Set<Row>()
  /** The latest job of each node. */
  readonly byNode = new Map<NodeId, Row>()
  readonly growths = new Map<NodeId, Growth>()
  /** The nodes of which a job has completed, revised since or not. */
  readonly completedNodes = new Set<NodeId>()

  /** The nodes as the run has last told of them. */
  readonly told = new Map<NodeId, TreeNode>()
  readonly idsByKey = new Map<string, NodeId>()
  /** Nodes that have completed or failed and were not decided since, in that order. */
  readonly undecided = new Set<NodeId>()
  /** How many have ended, by outcome. */
  readonly ended: Record<EndedStatus, number> = { completed: 0, failed: 0, cancelled: 0 }

  add(row: Row): void {
    this.all.set(row.id, row)
    this.live.add(row)
    if (row.node !== undefined) this.byNode.set(row.node, row)
  }

  /** Forgets a job that was never accepted for good. */
  remove(row: Row): void {
    this.all.delete(row.id)
    this.live.delete(row)
    if (row.node !== undefined) this.byNode.delete(row.node)
  }

  tell(node: TreeNode): void {
    this.told.set(node.id, node)
    if (node.key !== undefined) this.idsByKey.set(node.key, node.id)
  }

  settle(row: Row, outcome: JobResult): void {
    row.outcome = outcome
    if (this.live.delete(row)) this.ended[outcome.status]++
    if (outcome.status === 'completed' && row.node !== undefined) this.completedNodes.add(row.node)
  }
}

/** The leaf state of a job's chart, an index into `JOB_STATES`. */
export const stateOfRow = (row: Row): number => stateOf(row.actor.stateValue)

/** A job as invariants see it. */
export interface JobView {
  readonly id: JobId
  readonly nodeId: NodeId | undefined
  /** The name of its handler; in a set of jobs, its own id. */
  readonly handler: string
  readonly status: JobStatus
  /** The leaf state of its chart, such as `queued.ready`. */
  readonly state: (typeof JOB_STATES)[number]
  /** The current attempt, from 1; 0 before the first. */
  readonly attempt: number
  readonly result: JobResult | undefined
}

export const viewOf = (row: Row): JobView => ({
  id: row.id,
  nodeId: row.node,
  handler: row.handler,
  status: row.actor.status,
  state: JOB_STATES[stateOfRow(row)] as JobView['state'],
  attempt: row.actor.context.attempt,
  result: row.outcome,
})

/** The jobs that want a slot. */
export const readyRows = ({ live }: Rows): Row[] =>
  Array.from(live).filter((row) => stateOfRow(row) === READY)

/** Whether a job goes before another, by the order that free slots are given away in. */
export function goesBefore({ actor: a }: Row, { actor: b }: Row): boolean {
  if (a.priority !== b.priority) return a.priority < b.priority
  if (a.score !== b.score) return a.score > b.score
  return a.sequence < b.sequence
}
