import type { JobResult } from '../domain/job.ts'
import type { Budget, Tree, TreeNode } from '../domain/tree.ts'
import type { ExpandRequest } from '../domain/workflow.ts'

/** A question as `expand` sees it; most never look at the signal, which is made when they do. */
export class Request implements ExpandRequest {
  readonly node: TreeNode
  readonly result: JobResult
  readonly tree: Tree
  readonly budget: Budget
  readonly input: unknown
  readonly #question: { readonly signal: AbortSignal }

  constructor(
    node: TreeNode,
    tree: Tree,
    budget: Budget,
    input: unknown,
    question: { readonly signal: AbortSignal },
  ) {
    this.node = node
    this.result = node.result as JobResult
    this.tree = tree
    this.budget = budget
    this.input = input
    this.#question = question
  }

  get signal(): AbortSignal {
    return this.#question.signal
  }
}
