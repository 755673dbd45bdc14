import { EVENT_CODES, NODE_STATES } from '../../src/protocol/index.ts'
import { ranUntil } from './job-list.ts'
import { ABSENT, COMPLETED, FAILED, isEnded } from './job-states.ts'
import type { Moment } from './moment.ts'
import type { RunStore } from './run-store.ts'

const PRUNED = NODE_STATES.indexOf('pruned')
const CHANGED = EVENT_CODES['node.changed']
const DECIDED = EVENT_CODES['node.decided']

/** A tree at a moment: what each node's job is, and what lies below it. */
export class TreeAt {
  readonly #run: RunStore
  readonly #moment: Moment
  /** Of each node, the node itself included: how many nodes, and how many of them are done, failed, or not ended. */
  readonly total: Uint32Array
  readonly done: Uint32Array
  readonly failed: Uint32Array
  readonly open: Uint32Array
  /** Time in attempts of the node and all below it, ms. */
  readonly ranMs: Float64Array
  /** The state of each node's job; {@link ABSENT} for a node that has not grown yet. */
  readonly states: Uint8Array

  constructor(run: RunStore, moment: Moment) {
    this.#run = run
    this.#moment = moment
    const { nodes, nodeCount } = run.tree
    this.total = new Uint32Array(nodeCount)
    this.done = new Uint32Array(nodeCount)
    this.failed = new Uint32Array(nodeCount)
    this.open = new Uint32Array(nodeCount)
    this.ranMs = new Float64Array(nodeCount)
    this.states = new Uint8Array(nodeCount)
    const { data: parents } = nodes.parent
    // Children come after their parents: from the end, each has all of its own when it is added.
    for (let node = nodeCount - 1; node >= 0; node--) {
      const job = this.jobOf(node)
      const state = job < 0 ? ABSENT : moment.stateOf(job)
      this.states[node] = state
      if (state === ABSENT) continue
      this.total[node]!++
      if (state === COMPLETED) this.done[node]!++
      else if (state === FAILED) this.failed[node]!++
      else if (!isEnded(state)) this.open[node]!++
      this.ranMs[node]! += ranUntil(run, job, moment.at)
      const parent = parents[node]!
      if (parent < 0) continue
      this.total[parent]! += this.total[node]!
      this.done[parent]! += this.done[node]!
      this.failed[parent]! += this.failed[node]!
      this.open[parent]! += this.open[node]!
      this.ranMs[parent]! += this.ranMs[node]!
    }
  }

  /** The job that a node had at the moment: a revision gives it another. */
  jobOf(node: number): number {
    const { nodes } = this.#run.tree
    if (nodes.revisions.data[node] === 0) return nodes.job.data[node]!
    const step = this.#lastStep(
      node,
      (each) => this.#run.log.code.data[each] === CHANGED && this.#run.log.detail.data[each]! > 0,
    )
    return step < 0 ? nodes.firstJob.data[node]! : this.#run.log.detail.data[step]! - 1
  }

  /** The row of the node's last decision until the moment, -1 for none. */
  decisionOf(node: number): number {
    const step = this.#lastStep(node, (each) => this.#run.log.code.data[each] === DECIDED)
    return step < 0 ? -1 : this.#run.log.detail.data[step]! - 1
  }

  isPruned(node: number): boolean {
    const step = this.#lastStep(node, (each) => this.#run.log.code.data[each] === CHANGED)
    return step >= 0 && this.#run.log.state.data[step] === PRUNED
  }

  /** When it grew, epoch ms. */
  grownAt(node: number): number {
    const job = this.#run.tree.nodes.firstJob.data[node]!
    return job < 0 ? Number.NaN : this.#run.jobs.queuedAt.data[job]!
  }

  #lastStep(node: number, is: (step: number) => boolean): number {
    const { log, tree } = this.#run
    let step = tree.nodes.lastStep.data[node]!
    while (step >= 0 && (step >= this.#moment.step || !is(step))) step = log.previous.data[step]!
    return step
  }
}

/**
 * The nodes that a tree table shows, parents before children.
 *
 * @param isOpen - Whether the children of a node are shown.
 * @param isShown - Leaves out a node with all below it.
 */
export function treeRows(
  run: RunStore,
  isOpen: (node: number) => boolean,
  isShown: (node: number) => boolean,
): Uint32Array {
  const { nodes, roots, nodeCount } = run.tree
  const rows = new Uint32Array(nodeCount)
  let length = 0
  for (const root of roots) {
    if (!isShown(root)) continue
    // Walked by links, so that a deep tree needs no deep stack.
    let node = root
    for (;;) {
      rows[length++] = node
      let next = isOpen(node) ? firstShown(nodes.firstChild.data[node]!, nodes.nextSibling.data, isShown) : -1
      while (next < 0 && node !== root) {
        next = firstShown(nodes.nextSibling.data[node]!, nodes.nextSibling.data, isShown)
        if (next < 0) node = nodes.parent.data[node]!
        else break
      }
      if (next < 0) break
      node = next
    }
  }
  return rows.subarray(0, length)
}

function firstShown(first: number, siblings: Int32Array, isShown: (node: number) => boolean): number {
  let node = first
  while (node >= 0 && !isShown(node)) node = siblings[node]!
  return node
}
