import { EVENT_CODES, NODE_STATES } from '../../src/protocol/index.ts'
import type { Moment } from './moment.ts'
import type { RunStore } from './run-store.ts'

const PRUNED = NODE_STATES.indexOf('pruned')
const CHANGED = EVENT_CODES['node.changed']
const DECIDED = EVENT_CODES['node.decided']

/** The nodes of trees at a moment, each for itself. */
export class NodesAt {
  readonly #run: RunStore
  readonly #moment: Moment

  constructor(run: RunStore, moment: Moment) {
    this.#run = run
    this.#moment = moment
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

  /** What it grew with, or what its last decision with one gave it; NaN for none. */
  scoreOf(node: number): number {
    const { log, tree } = this.#run
    const scoreIn = (step: number) => tree.decisions.score.data[log.detail.data[step]! - 1] ?? Number.NaN
    const step = this.#lastStep(
      node,
      (each) => log.code.data[each] === DECIDED && !Number.isNaN(scoreIn(each)),
    )
    return step < 0 ? tree.nodes.score.data[node]! : scoreIn(step)
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
