import type { NodeId, NodeSpec } from '../../domain/node-spec.ts'
import { isThenable } from '../../domain/thrown.ts'
import type { TreeNode } from '../../domain/tree.ts'
import type { ExpandAnswer, ExpandRequest, Workflow } from '../../domain/workflow.ts'
import type { OpenQuestion } from '../model/question.ts'
import { markerOf } from '../model/subject.ts'
import type { InnerWorld } from './inner-world.ts'

/** Stands in for a workflow: its handlers are the world's, and what `root` and `expand` answer passes through here. */
export class StandIn {
  readonly #world: InnerWorld
  /** What each node's last answer was to grow, until the nodes have been told. */
  readonly #growing = new Map<NodeId | undefined, NodeSpec[]>()

  constructor(world: InnerWorld) {
    this.#world = world
  }

  /** @param isAlive - Whether the process goes on that asks the workflow. */
  // biome-ignore lint/suspicious/noExplicitAny: a workflow of any input type can be tested.
  of(workflow: Workflow<any>, isAlive: () => boolean): Workflow {
    const { handlers, root, expand } = workflow
    return {
      ...workflow,
      handlers: Object.fromEntries(Object.keys(handlers).map((name) => [name, markerOf(name)])),
      root: async (input) => {
        const roots = await root(input)
        this.#growing.set(undefined, [...(Array.isArray(roots) ? roots : [roots])])
        return roots
      },
      ...(expand === undefined ? {} : { expand: (request) => this.#ask(request, expand, isAlive) }),
    }
  }

  #ask(
    request: ExpandRequest,
    expand: NonNullable<Workflow['expand']>,
    isAlive: () => boolean,
  ): ReturnType<typeof expand> {
    const { node } = request
    const answer = expand(request)
    if (!isThenable(answer)) {
      this.#answered(node.id, answer)
      return answer
    }
    const { promise, resolve, reject } = Promise.withResolvers<ExpandAnswer>()
    const askedAt = this.#world.now
    const open = (answer: ExpandAnswer, deliver: () => void) => {
      const question: OpenQuestion = { node: node.id, askedAt, signal: request.signal, answer, deliver }
      if (question.signal.aborted || !isAlive()) return
      question.signal.addEventListener('abort', () => {
        if (this.#world.questions.get(node.id) === question) this.#world.questions.delete(node.id)
      })
      this.#world.questions.set(node.id, question)
      this.#world.driver.asked(question)
    }
    const settled = answer.then(
      (value) =>
        open(value, () => {
          this.#answered(node.id, value)
          resolve(value)
        }),
      (thrown) => open(undefined, () => reject(thrown)),
    )
    void this.#world.turns.whileBusy(settled)
    return promise
  }

  #answered(node: NodeId, answer: ExpandAnswer): void {
    const nodes = (answer as { readonly nodes?: unknown } | undefined | null)?.nodes
    if (Array.isArray(nodes)) this.#growing.set(node, [...(nodes as NodeSpec[])])
  }

  /** Finds what was asked for among the answer's nodes: some of those were cut, the order is kept. */
  takeSpec({ parentId, handler, key, input }: TreeNode): NodeSpec | undefined {
    const specs = this.#growing.get(parentId) ?? []
    const place = specs.findIndex(
      (spec) => spec.handler === handler && spec.key === key && Object.is(spec.input, input),
    )
    return place < 0 ? undefined : specs.splice(0, place + 1).at(-1)
  }
}
