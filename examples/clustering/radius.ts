import { type Algorithm, describeAlgorithm } from './cluster.ts'
import { NOISE } from './scores.ts'

/** What is wrong with the radius of a density-based clustering. */
export type RadiusFault = 'too small' | 'too large'

// The code stands in the message because that survives every thread, process and store; a class would not.
const CODES: Readonly<Record<RadiusFault, string>> = {
  'too small': 'RADIUS_TOO_SMALL',
  'too large': 'RADIUS_TOO_LARGE',
}

/**
 * Refuses a grouping of fewer than two groups: there is nothing to score.
 *
 * @throws {Error} Whose cause {@link radiusFault} tells.
 */
export function requireGroups(labels: readonly number[], algorithm: Algorithm): void {
  const groups = new Set(labels)
  const noise = groups.delete(NOISE) ? labels.filter((label) => label === NOISE).length : 0
  if (groups.size >= 2) return
  if (algorithm.method !== 'density') {
    throw new Error(
      `Expected at least 2 groups, but ${describeAlgorithm(algorithm)} gave ${groups.size}. Ask for more.`,
    )
  }
  const { radius, neighbours } = algorithm
  const grouped = labels.length - noise
  if (grouped < labels.length / 2) {
    throw new Error(
      `${CODES['too small']}: Expected at least 2 groups, but within a radius of ${radius} only ${grouped} of ` +
        `${labels.length} points have ${neighbours} neighbours or hang on to one that has. Use a larger radius.`,
    )
  }
  throw new Error(
    `${CODES['too large']}: Expected at least 2 groups, but within a radius of ${radius} ${grouped} of ` +
      `${labels.length} points hang together as one. Use a smaller radius.`,
  )
}

/** Tells whether a failed clustering only had the wrong radius, and on which side. */
export function radiusFault(error: Error | undefined): RadiusFault | undefined {
  const isOf = (fault: RadiusFault) => error?.message.startsWith(`${CODES[fault]}:`)
  if (isOf('too small')) return 'too small'
  return isOf('too large') ? 'too large' : undefined
}
