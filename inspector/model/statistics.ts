/** A quantile of sorted values, between two where it lies between; NaN of none. */
export function quantileOf(sorted: ArrayLike<number>, quantile: number): number {
  const { length } = sorted
  if (length === 0) return Number.NaN
  const place = (length - 1) * quantile
  const below = Math.floor(place)
  const low = sorted[below]!
  const high = sorted[Math.min(length - 1, below + 1)]!
  return low + (high - low) * (place - below)
}
