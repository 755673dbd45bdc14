import type { RunStore } from './run-store.ts'

/** A tree laid out as rows of boxes: a node is as wide as its leaves, its children stand below it. */
export interface Icicle {
  /** In leaves, from 0. */
  readonly left: Float64Array
  readonly width: Float64Array
  /** Nodes of each depth, from left to right. */
  readonly rows: readonly Uint32Array[]
  readonly leaves: number
}

/** Lays out all nodes that a tree has, grown yet or not: the map does not move while time does. */
export function layOut(run: RunStore): Icicle {
  const { nodes, roots, nodeCount } = run.tree
  const width = new Float64Array(nodeCount)
  const left = new Float64Array(nodeCount)
  for (let node = nodeCount - 1; node >= 0; node--) {
    if (width[node] === 0) width[node] = 1
    const parent = nodes.parent.data[node]!
    if (parent >= 0) width[parent]! += width[node]!
  }
  const perDepth: number[] = []
  for (let node = 0; node < nodeCount; node++) {
    const depth = nodes.depth.data[node]!
    perDepth[depth] = (perDepth[depth] ?? 0) + 1
  }
  let leaves = 0
  for (const root of roots) {
    left[root] = leaves
    leaves += width[root]!
  }
  for (let node = 0; node < nodeCount; node++) {
    let at = left[node]!
    for (let child = nodes.firstChild.data[node]!; child >= 0; child = nodes.nextSibling.data[child]!) {
      left[child] = at
      at += width[child]!
    }
  }
  const rows = Array.from(perDepth, (count) => new Uint32Array(count ?? 0))
  const filled = rows.map(() => 0)
  for (let node = 0; node < nodeCount; node++) {
    const depth = nodes.depth.data[node]!
    rows[depth]![filled[depth]!++] = node
  }
  for (const row of rows) row.sort((a, b) => left[a]! - left[b]!)
  return { left, width, rows, leaves: Math.max(1, leaves) }
}

/** The first place in a row whose node ends after `at`. */
export function firstEndingAfter({ left, width }: Icicle, row: Uint32Array, at: number): number {
  let [low, high] = [0, row.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const node = row[middle]!
    if (left[node]! + width[node]! <= at) low = middle + 1
    else high = middle
  }
  return low
}
