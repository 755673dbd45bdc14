import type { NodeId, NodeSpec, NodeStatus, Tree, TreeNode } from '../domain/tree.ts'
import type { JobActor } from './job.ts'

/** What the runtime knows of a node besides the node itself. */
export interface NodeRecord {
  /** The node as it is now; replaced whole with every change. */
  node: TreeNode
  /** What the node runs, with all revisions applied. */
  spec: NodeSpec
  /** The nodes it waits for, its parent not included. */
  dependencies: readonly NodeRecord[]
  /** The nodes that wait for it, its children not included; absent while there are none. */
  dependants: NodeRecord[] | undefined
  /** Its latest job; absent until it is submitted. */
  job: JobActor | undefined
  /** Whether that job has not ended. */
  isLive: boolean
  /** How many jobs the node has had. */
  jobs: number
  isPruned: boolean
}

/** The tree of a run, as it grows. A node's id tells its place in the order of growth. */
export class TreeStore {
  /** A live view: what reads it sees each change at once, and nothing can be written through it. */
  readonly tree: Tree
  readonly #records: NodeRecord[] = []
  readonly #byKey = new Map<string, NodeRecord>()
  readonly #rootIds: NodeId[] = []

  constructor() {
    this.tree = Object.freeze({ rootIds: readOnly(this.#rootIds), nodes: this.#view() })
  }

  get size(): number {
    return this.#records.length
  }

  /** The id of the node that is grown at this place, from 0. */
  idAt(place: number): NodeId {
    return `n${place}`
  }

  get(id: NodeId): NodeRecord | undefined {
    const record = this.#records[Number(id.slice(1))]
    return record?.node.id === id ? record : undefined
  }

  hasKey(key: string): boolean {
    return this.#byKey.has(key)
  }

  /** Finds a node by id or key; `expand` may have answered anything as a name. */
  find(name: unknown): NodeRecord | undefined {
    if (typeof name !== 'string') return undefined
    return this.get(name) ?? this.#byKey.get(name)
  }

  /** In the order of growth. */
  records(): readonly NodeRecord[] {
    return this.#records
  }

  add(record: NodeRecord): void {
    const node = Object.freeze(record.node)
    this.#records.push(record)
    if (node.key !== undefined) this.#byKey.set(node.key, record)
    if (node.parentId === undefined) this.#rootIds.push(node.id)
  }

  /** Replaces a node by one that differs in `changes`. */
  change(record: NodeRecord, changes: Partial<TreeNode>): TreeNode {
    const node = Object.freeze({ ...record.node, ...changes })
    record.node = node
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
      for (const id of next.node.children) open.push(this.get(id) as NodeRecord)
    }
  }

  /** The tree as it is now, as plain objects that no longer change. */
  picture(): Tree {
    const nodes: Record<NodeId, TreeNode> = {}
    for (const { node } of this.#records) nodes[node.id] = node
    return { rootIds: [...this.#rootIds], nodes }
  }

  /** The nodes by id, looked up when they are read: an index would cost more than most trees are read. */
  #view(): Readonly<Record<NodeId, TreeNode>> {
    const nodeOf = (id: string | symbol) => (typeof id === 'string' ? this.get(id)?.node : undefined)
    return new Proxy<Record<NodeId, TreeNode>>(Object.create(null), {
      ...refusals,
      get: (_, id) => nodeOf(id),
      has: (_, id) => nodeOf(id) !== undefined,
      ownKeys: () => this.#records.map(({ node }) => node.id),
      getOwnPropertyDescriptor: (_, id) => {
        const value = nodeOf(id)
        return value === undefined
          ? undefined
          : { value, enumerable: true, configurable: true, writable: false }
      },
    })
  }
}

const refuse = (): never => {
  throw new TypeError('The tree cannot be changed here. Answer with a decision instead.')
}

const refusals = {
  set: refuse,
  defineProperty: refuse,
  deleteProperty: refuse,
  setPrototypeOf: refuse,
  preventExtensions: refuse,
}

function readOnly<Target extends object>(target: Target): Target {
  return new Proxy(target, refusals)
}
