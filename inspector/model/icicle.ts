import { upperBound } from './column.ts'
import type { RunStore } from './run-store.ts'

/** A tree laid out as rows of boxes: a node is as wide as its leaves, its children stand below it. */
export interface Icicle {
  /** In leaves, from 0. */
  readonly left: Float64Array
  readonly width: Float64Array
  /** Nodes of each depth, from left to right. */
  readonly rows: readonly IcicleRow[]
  readonly leaves: number
}

export interface IcicleRow {
  readonly nodes: Uint32Array
  /** Where each begins and ends, in the order of `nodes`: read one after the other, as they are drawn. */
  readonly starts: Float64Array
  readonly ends: Float64Array
  readonly widest: number
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
  return { left, width, rows: rows.map((row) => rowOf(row, left, width)), leaves: Math.max(1, leaves) }
}

function rowOf(unsorted: Uint32Array, left: Float64Array, width: Float64Array): IcicleRow {
  const nodes = unsorted.sort((a, b) => left[a]! - left[b]!)
  const starts = Float64Array.from(nodes, (node) => left[node]!)
  const ends = Float64Array.from(nodes, (node) => left[node]! + width[node]!)
  const widest = nodes.reduce((most, node) => Math.max(most, width[node]!), 0)
  return { nodes, starts, ends, widest }
}

/** The first place in a row whose node ends after `at`. */
export function firstEndingAfter({ ends }: IcicleRow, at: number): number {
  return upperBound(ends, at, 0, ends.length)
}
