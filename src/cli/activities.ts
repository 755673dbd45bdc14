import type { NodeId, PoolStreamEvent, RunStreamEvent, TreeNode } from '../index.ts'
import type { Activity, Retry } from './picture.ts'

/** Follows a run's events, and keeps what the tree does not tell: how far nodes are that run, and which are retried. */
export class Activities {
  readonly #byNode = new Map<NodeId, Activity>()
  readonly #retries = new Map<NodeId, Retry>()
  /** Per node, the job and status last told. */
  readonly #told = new Map<NodeId, string>()

  get byNode(): ReadonlyMap<NodeId, Activity> {
    return this.#byNode
  }

  /** The nodes whose last attempt failed and whose next has not started. */
  get retries(): ReadonlyMap<NodeId, Retry> {
    return this.#retries
  }

  takePoolEvent(event: PoolStreamEvent): void {
    if (!('nodeId' in event) || event.nodeId === undefined) return
    if (event.type === 'job.started') {
      this.#byNode.set(event.nodeId, { startedAt: event.at, fraction: undefined, note: undefined })
    } else if (event.type === 'job.log') {
      this.#change(event.nodeId, { note: event.line })
    } else if (event.type === 'job.retrying') {
      this.#retries.set(event.nodeId, { attempt: event.attempt, retryAt: event.retryAt })
    }
  }

  takeRunEvent(event: RunStreamEvent): void {
    if (event.type === 'node.progress') {
      const { nodeId, fraction, note } = event
      this.#change(nodeId, note === undefined ? { fraction } : { fraction, note })
    } else if (event.type === 'node.changed') {
      const { id, status } = event.node
      if (status !== 'running') this.#byNode.delete(id)
      if (status !== 'queued') this.#retries.delete(id)
    }
  }

  /** Whether this status of this node is told for the first time: a node also changes when it gets children. */
  isNews({ id, jobId, status }: TreeNode): boolean {
    const state = `${status} ${jobId}`
    if (this.#told.get(id) === state) return false
    this.#told.set(id, state)
    return true
  }

  #change(nodeId: NodeId, changes: Partial<Activity>): void {
    const activity = this.#byNode.get(nodeId)
    if (activity !== undefined) this.#byNode.set(nodeId, { ...activity, ...changes })
  }
}
