/** Returns the next number of a sequence, from 0 up to but without 1. */
export type Random = () => number

/**
 * Makes a repeatable sequence of random numbers for one purpose (mulberry32).
 *
 * Different purposes under one seed get unrelated sequences, so that adding a step to the analysis
 * leaves the numbers of all others as they were.
 */
export function createRandom(seed: number, purpose: string): Random {
  let state = (seed ^ hash(purpose)) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Returns the numbers 0 to `count - 1` in random order (Fisher-Yates). */
export function permutation(count: number, random: Random): number[] {
  const order = Array.from({ length: count }, (_, index) => index)
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    ;[order[last], order[other]] = [order[other]!, order[last]!]
  }
  return order
}

/**
 * Returns the distinct rows of a bootstrap draw, ascending: about 63% of `count`.
 *
 * Repeated rows are dropped because they would sit at distance zero from each other, and a density-based
 * clustering would take them for a dense place.
 */
export function resample(count: number, random: Random): number[] {
  const drawn = new Set<number>()
  for (let draw = 0; draw < count; draw++) drawn.add(Math.floor(random() * count))
  return [...drawn].sort((a, b) => a - b)
}

/** Spreads a text over 32 bits (FNV-1a). */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const character of text) value = Math.imul(value ^ character.codePointAt(0)!, 0x01000193)
  return value >>> 0
}
