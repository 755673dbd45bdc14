import type { NodeId } from '../../domain/node-spec.ts'
import type { Tree, TreeNode } from '../../domain/tree.ts'
import type { NodeRecord } from './node-record.ts'

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

  hasKey(key: string): boolean {
    return this.#byKey.has(key)
  }

  /** Finds a node by id or key; `expand` may have answered anything as a name. */
  find(name: unknown): NodeRecord | undefined {
    if (typeof name !== 'string') return undefined
    return this.#get(name) ?? this.#byKey.get(name)
  }

  /** In the order of growth. */
  records(): readonly NodeRecord[] {
    return this.#records
  }

  add(record: NodeRecord): void {
    this.#records.push(record)
    const { key } = record.spec
    if (key !== undefined) this.#byKey.set(key, record)
    if (record.parent === undefined) this.#rootIds.push(record.id)
  }

  /** A node and all below it, each before its children. */
  *below(record: NodeRecord): Generator<NodeRecord> {
    const open = [record]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      yield next
      for (const id of next.children) open.push(this.#get(id) as NodeRecord)
    }
  }

  /** The tree as it is now, as plain objects that no longer change. */
  picture(): Tree {
    const nodes: Record<NodeId, TreeNode> = {}
    for (const { node } of this.#records) nodes[node.id] = node
    return { rootIds: [...this.#rootIds], nodes }
  }

  #get(id: NodeId): NodeRecord | undefined {
    const record = this.#records[Number(id.slice(1))]
    return record?.id === id ? record : undefined
  }

  /** The nodes by id, looked up when they are read: an index would cost more than most trees are read. */
  #view(): Readonly<Record<NodeId, TreeNode>> {
    const nodeOf = (id: string | symbol) => (typeof id === 'string' ? this.#get(id)?.node : undefined)
    return new Proxy<Record<NodeId, TreeNode>>(Object.create(null), {
      ...refusals,
      get: (_, id) => nodeOf(id),
      has: (_, id) => nodeOf(id) !== undefined,
      ownKeys: () => this.#records.map(({ id }) => id),
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
