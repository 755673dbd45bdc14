import { type Block, EVENT_CODES, RUN_REASONS } from '../../src/protocol/journal.ts'
import { append, f64, i32, reserveTimes, u8, u32 } from './column.ts'

/** A run of a workflow. */
export interface Run {
  readonly id: number
  readonly workflow: number
  readonly strategy: number
  startedAt: number | undefined
  endedAt: number | undefined
  /** The events of the run itself. */
  readonly steps: number[]
  reason: (typeof RUN_REASONS)[number] | undefined
}

/** The trees of all runs: nodes in the order of growth, each linked with its parent, children and decisions. */
export class Tree {
  readonly runs: Run[] = []
  readonly roots: number[] = []

  readonly nodes = {
    run: u32(),
    number: u32(),
    /** -1 for a root. */
    parent: i32(),
    depth: u32(),
    /** Its current job and its first one, -1 for none. */
    job: i32(),
    firstJob: i32(),
    handler: u32(),
    label: u32(),
    key: u32(),
    /** With which it grew, NaN for none: its decisions may give it others. */
    score: f64(),
    firstChild: i32(),
    lastChild: i32(),
    nextSibling: i32(),
    revisions: u8(),
    lastStep: i32(),
  }

  readonly decisions = {
    node: u32(),
    type: u8(),
    why: u32(),
    score: f64(),
    nodes: u32(),
    cut: u32(),
    error: u32(),
  }

  get nodeCount(): number {
    return this.nodes.run.length
  }

  /** Makes room for so many times what there is. */
  reserve(times: number): void {
    for (const columns of [this.nodes, this.decisions]) reserveTimes(times, Object.values(columns))
  }

  addRuns(rows: Block['tables']['runs']): void {
    for (let row = 0; row < rows.id.length; row++) {
      this.runs.push({
        id: rows.id[row]!,
        workflow: rows.workflow[row]!,
        strategy: rows.strategy[row]!,
        startedAt: undefined,
        endedAt: undefined,
        steps: [],
        reason: undefined,
      })
    }
  }

  addNodes(rows: Block['tables']['nodes']): void {
    const { nodes } = this
    const first = this.nodeCount
    const count = rows.run.length
    for (const name of ['run', 'number', 'depth', 'handler', 'label', 'key', 'score'] as const)
      nodes[name].append(rows[name])
    for (const name of ['firstChild', 'lastChild', 'nextSibling', 'lastStep'] as const)
      nodes[name].fill(-1, count)
    nodes.revisions.fill(0, count)
    for (let row = 0; row < count; row++) {
      const node = first + row
      const parent = rows.parent[row]! - 1
      nodes.parent.push(parent)
      nodes.job.push(rows.job[row]! - 1)
      nodes.firstJob.push(rows.job[row]! - 1)
      if (parent < 0) this.roots.push(node)
      else this.#adopt(parent, node)
    }
  }

  addDecisions(rows: Block['tables']['decisions']): void {
    append(this.decisions, rows)
  }

  /** An event of a node. */
  step(step: number, code: number, node: number, detail: number): void {
    const { nodes } = this
    nodes.lastStep.data[node] = step
    if (code === EVENT_CODES['node.decided']) return
    if (detail > 0 && nodes.job.data[node] !== detail - 1) {
      if (nodes.job.data[node]! >= 0) nodes.revisions.data[node]! += 1
      nodes.job.data[node] = detail - 1
    }
  }

  /** An event of a run. */
  stepRun(step: number, at: number, code: number, subject: number, detail: number): void {
    const run = this.runs[subject]
    if (run === undefined) return
    run.steps.push(step)
    if (code === EVENT_CODES['run.started']) run.startedAt = at
    if (code === EVENT_CODES['run.ended']) {
      run.endedAt = at
      run.reason = RUN_REASONS[detail]
    }
  }

  childrenOf(node: number): number[] {
    const children: number[] = []
    for (
      let child = this.nodes.firstChild.data[node]!;
      child >= 0;
      child = this.nodes.nextSibling.data[child]!
    )
      children.push(child)
    return children
  }

  #adopt(parent: number, child: number): void {
    const { nodes } = this
    const last = nodes.lastChild.data[parent]!
    if (last < 0) nodes.firstChild.data[parent] = child
    else nodes.nextSibling.data[last] = child
    nodes.lastChild.data[parent] = child
  }
}
