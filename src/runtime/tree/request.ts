import type { JobResult } from '../../domain/job.ts'
import type { Budget } from '../../domain/limits.ts'
import type { Tree, TreeNode } from '../../domain/tree.ts'
import type { ExpandRequest } from '../../domain/workflow.ts'
import type { NodeRecord } from './node-record.ts'

/** The run that a request is of. */
interface Asking {
  readonly tree: Tree
  readonly input: unknown
  budgetOf(record: NodeRecord): Budget
}

/** A question as `expand` sees it: each part is made when it is read. */
export class Request implements ExpandRequest {
  readonly #run: Asking
  readonly #record: NodeRecord
  readonly #question: { readonly signal: AbortSignal }

  constructor(run: Asking, record: NodeRecord, question: { readonly signal: AbortSignal }) {
    this.#run = run
    this.#record = record
    this.#question = question
  }

  get node(): TreeNode {
    return this.#record.node
  }

  get result(): JobResult {
    return this.node.result as JobResult
  }

  get tree(): Tree {
    return this.#run.tree
  }

  get budget(): Budget {
    return this.#run.budgetOf(this.#record)
  }

  get input(): unknown {
    return this.#run.input
  }

  get signal(): AbortSignal {
    return this.#question.signal
  }
}
