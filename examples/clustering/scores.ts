import { distance, type Points } from './geometry.ts'

/** The label of a point that belongs to no group. */
export const NOISE = -1

/**
 * Tells how well groups are separated, from -1 to 1: the mean silhouette of all points.
 *
 * A point's silhouette is `(b - a) / max(a, b)`, where `a` is its mean distance to its own group and `b` that to the
 * nearest other one (Rousseeuw 1987). A noise point counts 0, so that leaving points out is not rewarded; a point alone
 * in its group counts 0 by definition.
 *
 * @param labels - The group of each point, {@link NOISE} for none.
 * @returns 0 when there are fewer than two groups.
 */
export function silhouette(points: Points, labels: readonly number[]): number {
  const sizes = new Map<number, number>()
  for (const label of labels) if (label !== NOISE) sizes.set(label, (sizes.get(label) ?? 0) + 1)
  if (sizes.size < 2) return 0

  let total = 0
  for (const [index, point] of points.entries()) {
    const own = labels[index]!
    if (own === NOISE || sizes.get(own) === 1) continue
    const sums = new Map<number, number>()
    for (const [other, label] of labels.entries()) {
      if (label !== NOISE) sums.set(label, (sums.get(label) ?? 0) + distance(point, points[other]!))
    }
    const within = sums.get(own)! / (sizes.get(own)! - 1)
    let nearest = Number.POSITIVE_INFINITY
    for (const [label, sum] of sums) if (label !== own) nearest = Math.min(nearest, sum / sizes.get(label)!)
    const widest = Math.max(within, nearest)
    if (widest > 0) total += (nearest - within) / widest
  }
  return total / points.length
}

/**
 * Tells how much of a score is more than chance: 1 stays 1, what chance reaches becomes 0.
 *
 * The same correction turns the Rand index into the adjusted one.
 */
export function adjustForChance(score: number, chance: number): number {
  return chance >= 1 ? 0 : (score - chance) / (1 - chance)
}

/**
 * Tells how far two groupings of the same points agree: 1 for the same groups, about 0 for unrelated ones
 * (Hubert and Arabie 1985). Negative values mean less agreement than chance.
 */
export function adjustedRandIndex(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  const pairsTogether = pairs(countBy(a.map((label, index) => `${label}|${b[index]}`)))
  const pairsInA = pairs(countBy(a))
  const pairsInB = pairs(countBy(b))
  const expected = (pairsInA * pairsInB) / ((a.length * (a.length - 1)) / 2)
  const greatest = (pairsInA + pairsInB) / 2
  return greatest === expected ? 1 : (pairsTogether - expected) / (greatest - expected)
}

/** How often each item occurs. */
export function countBy<Item>(items: readonly Item[]): Map<Item, number> {
  const counts = new Map<Item, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}

/** The mean of the values; 0 for none. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}

function pairs(counts: ReadonlyMap<unknown, number>): number {
  let sum = 0
  for (const count of counts.values()) sum += (count * (count - 1)) / 2
  return sum
}
