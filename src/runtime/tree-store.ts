import type { NodeId, NodeSpec, NodeStatus, Tree, TreeNode } from '../domain/tree.ts'
import type { JobActor } from './job.ts'

/** What the runtime knows of a node besides the node itself. */
export interface NodeRecord {
  /** The node as it is now; replaced whole with every change. */
  node: TreeNode
  /** What the node runs, with all revisions applied. */
  spec: NodeSpec
  /** The nodes it waits for, its parent not included. */
  readonly dependencies: readonly NodeRecord[]
  /** The nodes that wait for it, its children not included. */
  readonly dependants: NodeRecord[]
  /** Its latest job; absent until it is submitted. */
  job: JobActor | undefined
  /** Whether that job has not ended. */
  isLive: boolean
  /** How many jobs the node has had. */
  jobs: number
  isPruned: boolean
}

/** The tree of a run, as it grows. */
export class TreeStore {
  /** A live view: what reads it sees each change at once. */
  readonly tree: Tree
  readonly #nodes: Record<NodeId, TreeNode> = Object.create(null)
  readonly #rootIds: NodeId[] = []
  readonly #records = new Map<NodeId, NodeRecord>()
  readonly #byKey = new Map<string, NodeRecord>()

  constructor() {
    this.tree = Object.freeze({ rootIds: readOnly(this.#rootIds), nodes: readOnly(this.#nodes) })
  }

  get size(): number {
    return this.#records.size
  }

  get(id: NodeId): NodeRecord | undefined {
    return this.#records.get(id)
  }

  hasKey(key: string): boolean {
    return this.#byKey.has(key)
  }

  /** Finds a node by id or key. */
  find(name: string): NodeRecord | undefined {
    return this.#records.get(name) ?? this.#byKey.get(name)
  }

  records(): MapIterator<NodeRecord> {
    return this.#records.values()
  }

  add(record: NodeRecord): void {
    const node = Object.freeze(record.node)
    this.#records.set(node.id, record)
    this.#nodes[node.id] = node
    if (node.key !== undefined) this.#byKey.set(node.key, record)
    if (node.parentId === undefined) this.#rootIds.push(node.id)
  }

  /** Replaces a node by one that differs in `changes`. */
  change(record: NodeRecord, changes: Partial<TreeNode>): TreeNode {
    const node = Object.freeze({ ...record.node, ...changes })
    record.node = node
    this.#nodes[node.id] = node
    return node
  }

  setStatus(record: NodeRecord, status: NodeStatus): TreeNode {
    return this.change(record, { status })
  }

  /** A node and all below it, each before its children. */
  *below(record: NodeRecord): Generator<NodeRecord> {
    const open = [record]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      yield next
      for (const id of next.node.children) open.push(this.#records.get(id) as NodeRecord)
    }
  }
}

/** A live view that cannot be written through: `expand` sees the tree, and only its decisions change it. */
function readOnly<Target extends object>(target: Target): Target {
  const refuse = (): never => {
    throw new TypeError('The tree cannot be changed here. Answer with a decision instead.')
  }
  return new Proxy(target, {
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
    setPrototypeOf: refuse,
    preventExtensions: refuse,
  })
}
