/** Rows of numbers, all of one length: penguins by measurements, or points of a projection. */
export type Points = number[][]

/** The straight-line distance between two points. */
export function distance(a: readonly number[], b: readonly number[]): number {
  let sum = 0
  for (let axis = 0; axis < a.length; axis++) sum += (a[axis]! - b[axis]!) ** 2
  return Math.sqrt(sum)
}

/** The `count` nearest points to each point, itself first, with their distances. */
export function nearestNeighbours(
  points: Points,
  count: number,
): { indices: number[][]; distances: number[][] } {
  const nearest = points.map((point) =>
    points
      .map((other, index) => ({ index, distance: distance(point, other) }))
      .sort((a, b) => a.distance - b.distance || a.index - b.index)
      .slice(0, count),
  )
  return {
    indices: nearest.map((row) => row.map((neighbour) => neighbour.index)),
    distances: nearest.map((row) => row.map((neighbour) => neighbour.distance)),
  }
}

/** The value below which the given fraction of the values lies, interpolated between neighbours. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const position = (sorted.length - 1) * fraction
  const below = Math.floor(position)
  const low = sorted[below]!
  const high = sorted[below + 1] ?? low
  return low + (position - below) * (high - low)
}

/** The columns of a table given by rows. */
export function columns(rows: Points): number[][] {
  return (rows[0] ?? []).map((_, column) => rows.map((row) => row[column]!))
}

/** Rounds to four decimals: finer than any of the measurements, and a record short enough to keep. */
export function round(value: number): number {
  return Math.round(value * 1e4) / 1e4
}
