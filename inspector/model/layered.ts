/** A graph to lay out: nodes by place, and edges between them. */
export interface LayeredInput {
  readonly sizes: readonly { readonly width: number; readonly height: number }[]
  readonly edges: readonly (readonly [from: number, to: number])[]
}

export interface LayeredLayout {
  /** Upper left corners. */
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly width: number
  readonly height: number
}

const ROW_GAP = 54
const COLUMN_GAP = 22
const SWEEPS = 6

/**
 * Lays out a small graph in layers from left to right: each node right of what it comes from, ordered so that few edges
 * cross. Edges that close a cycle do not count. Takes time in proportion to nodes and edges.
 */
export function layOutLayers({ sizes, edges }: LayeredInput): LayeredLayout {
  const count = sizes.length
  const after = listsOf(count, edges)
  const layer = layersOf(count, after)
  const forward = edges.filter(([from, to]) => layer[from]! < layer[to]!)
  const layers: number[][] = []
  layer.forEach((depth, node) => {
    layers[depth] ??= []
    layers[depth].push(node)
  })
  order(
    layers,
    listsOf(count, forward),
    listsOf(
      count,
      forward.map(([from, to]) => [to, from] as const),
    ),
  )
  return place(layers, sizes)
}

/** Whether edges lead from a node back to itself over others; an edge from a node to itself is none. */
export function hasCycle(count: number, edges: readonly (readonly [from: number, to: number])[]): boolean {
  const after = listsOf(count, edges)
  const layer = layersOf(count, after)
  return edges.some(([from, to]) => from !== to && layer[from]! >= layer[to]!)
}

function listsOf(count: number, edges: readonly (readonly [number, number])[]): number[][] {
  const lists: number[][] = Array.from({ length: count }, () => [])
  for (const [from, to] of edges) if (from !== to) lists[from]!.push(to)
  return lists
}

/** The longest way to each node, from those that nothing comes before; edges back to the way itself are left out. */
function layersOf(count: number, after: readonly number[][]): number[] {
  const layer = new Array<number>(count).fill(0)
  const state = new Uint8Array(count)
  const sorted: number[] = []
  const kept: number[][] = after.map(() => [])
  for (let start = 0; start < count; start++) {
    if (state[start] !== 0) continue
    const path: { node: number; next: number }[] = [{ node: start, next: 0 }]
    state[start] = 1
    while (path.length > 0) {
      const top = path.at(-1)!
      const to = after[top.node]![top.next++]
      if (to === undefined) {
        state[top.node] = 2
        sorted.push(top.node)
        path.pop()
      } else if (state[to] !== 1) {
        kept[top.node]!.push(to)
        if (state[to] === 0) {
          state[to] = 1
          path.push({ node: to, next: 0 })
        }
      }
    }
  }
  for (const node of sorted.reverse())
    for (const to of kept[node]!) layer[to] = Math.max(layer[to]!, layer[node]! + 1)
  return layer
}

/** Moves each node to the middle of its neighbours in the layer before, then in the layer after, several times. */
function order(layers: number[][], after: readonly number[][], before: readonly number[][]): void {
  const rank: number[] = []
  const number = () => {
    for (const nodes of layers)
      nodes.forEach((node, index) => {
        rank[node] = index / Math.max(1, nodes.length)
      })
  }
  number()
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const neighbours = sweep % 2 === 0 ? before : after
    for (const nodes of sweep % 2 === 0 ? layers : [...layers].reverse()) {
      const middle = new Map(nodes.map((node) => [node, meanOf(neighbours[node]!, rank)]))
      nodes.sort((a, b) => (middle.get(a) ?? rank[a]!) - (middle.get(b) ?? rank[b]!))
      nodes.forEach((node, index) => {
        rank[node] = index / Math.max(1, nodes.length)
      })
    }
  }
}

function meanOf(nodes: readonly number[], rank: readonly number[]): number | undefined {
  if (nodes.length === 0) return undefined
  return nodes.reduce((sum, node) => sum + rank[node]!, 0) / nodes.length
}

function place(layers: readonly number[][], sizes: LayeredInput['sizes']): LayeredLayout {
  const x: number[] = []
  const y: number[] = []
  const heights = layers.map((nodes) =>
    nodes.reduce((sum, node) => sum + sizes[node]!.height + COLUMN_GAP, -COLUMN_GAP),
  )
  const height = Math.max(0, ...heights)
  let left = 0
  layers.forEach((nodes, depth) => {
    let top = (height - heights[depth]!) / 2
    let widest = 0
    for (const node of nodes) {
      x[node] = left
      y[node] = top
      top += sizes[node]!.height + COLUMN_GAP
      widest = Math.max(widest, sizes[node]!.width)
    }
    left += widest + ROW_GAP
  })
  return { x, y, width: Math.max(0, left - ROW_GAP), height }
}
