import { ranUntil } from './job-list.ts'
import { ABSENT } from './job-states.ts'
import type { Moment } from './moment.ts'
import { NodesAt } from './nodes-at.ts'
import { RollUps } from './roll-ups.ts'
import type { RunStore } from './run-store.ts'

/** A tree at a moment: what each node's job is, and what lies below it. */
export class TreeAt extends NodesAt {
  readonly #run: RunStore
  readonly #moment: Moment
  /** Of each node, the node itself included: how many nodes, and how many of them are done, failed, or not ended. */
  readonly total: Uint32Array
  readonly done: Uint32Array
  readonly failed: Uint32Array
  readonly open: Uint32Array
  /** The state of each node's job; {@link ABSENT} for a node that has not grown yet. */
  readonly states: Uint8Array

  /** @param rollUps - Kept from moment to moment. */
  constructor(run: RunStore, moment: Moment, rollUps = new RollUps()) {
    super(run, moment)
    this.#run = run
    this.#moment = moment
    const { nodes, nodeCount } = run.tree
    const { data: jobs } = nodes.job
    const { data: revisions } = nodes.revisions
    const { states } = moment
    const stateOf = (node: number): number => {
      const job = revisions[node] === 0 ? jobs[node]! : this.jobOf(node)
      return job < 0 ? ABSENT : (states[job] ?? ABSENT)
    }
    rollUps.update(nodes.parent.data, nodes.depth.data, nodeCount, stateOf)
    this.total = rollUps.total
    this.done = rollUps.done
    this.failed = rollUps.failed
    this.open = rollUps.open
    this.states = rollUps.states
  }

  /** Time in attempts of each node and all below it, ms. */
  ranMs(): Float64Array {
    const { nodes, nodeCount } = this.#run.tree
    const ran = new Float64Array(nodeCount)
    for (let node = nodeCount - 1; node >= 0; node--) {
      if (this.states[node] === ABSENT) continue
      ran[node]! += ranUntil(this.#run, this.jobOf(node), this.#moment.at)
      const parent = nodes.parent.data[node]!
      if (parent >= 0) ran[parent]! += ran[node]!
    }
    return ran
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
