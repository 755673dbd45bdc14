import { describe, expect, test } from 'vitest'
import { createRandom, permutation } from '../../examples/clustering/random.ts'
import { adjustedRandIndex, adjustForChance, NOISE, silhouette } from '../../examples/clustering/scores.ts'

describe('silhouette', () => {
  const line = [[0], [1], [4], [6]]

  test('is the mean of (b - a) / max(a, b), worked out by hand', () => {
    // 0: a 1, b 5. 1: a 1, b 4. 4: a 2, b 3.5. 6: a 2, b 5.5.
    const byHand = (4 / 5 + 3 / 4 + 1.5 / 3.5 + 3.5 / 5.5) / 4
    expect(silhouette(line, [0, 0, 1, 1])).toBeCloseTo(byHand, 12)
  })

  test('does not depend on which number a group has', () => {
    expect(silhouette(line, [7, 7, 2, 2])).toBe(silhouette(line, [0, 0, 1, 1]))
  })

  test('takes the nearest other group, not the mean of all others', () => {
    const far = [...line, [1_000], [1_001]]
    const near = (4 / 5 + 3 / 4 + 1.5 / 3.5 + 3.5 / 5.5) / 6
    const rest = silhouette(far, [0, 0, 1, 1, 2, 2]) - near
    expect(rest).toBeGreaterThan((2 / 6) * 0.99)
    expect(rest).toBeLessThan(2 / 6)
  })

  test('is negative for groups torn apart', () => {
    expect(silhouette(line, [0, 1, 0, 1])).toBeLessThan(0)
  })

  test('counts noise as 0, so that leaving points out is not rewarded', () => {
    const withNoise = [...line, [2.5], [2.6]]
    const labels = [0, 0, 1, 1, NOISE, NOISE]
    expect(silhouette(withNoise, labels)).toBeCloseTo((silhouette(line, [0, 0, 1, 1]) * 4) / 6, 12)
  })

  test('counts a point alone in its group as 0', () => {
    // 0: a 1, b 9. 1: a 1, b 8.
    expect(silhouette([[0], [1], [9]], [0, 0, 1])).toBeCloseTo((8 / 9 + 7 / 8) / 3, 12)
  })

  test('is 0 for fewer than two groups, and for points that all coincide', () => {
    expect(silhouette(line, [0, 0, 0, 0])).toBe(0)
    expect(silhouette(line, [NOISE, NOISE, NOISE, NOISE])).toBe(0)
    expect(silhouette([[1], [1], [1], [1]], [0, 0, 1, 1])).toBe(0)
  })
})

describe('adjusted Rand index', () => {
  test('is 1 for the same groups under other names', () => {
    expect(adjustedRandIndex([0, 0, 1, 1], ['b', 'b', 'a', 'a'])).toBe(1)
  })

  test('agrees with hand-counted pairs', () => {
    // Pairs together: 1 in both, 2 in a, 1 in b, of 6. Expected 2·1/6, greatest 1.5.
    expect(adjustedRandIndex([0, 0, 1, 1], [0, 0, 1, 2])).toBeCloseTo((1 - 1 / 3) / (1.5 - 1 / 3), 12)
    // None together in both, 2 in each. Expected 4/6, greatest 2.
    expect(adjustedRandIndex([0, 0, 1, 1], [0, 1, 0, 1])).toBeCloseTo(-(2 / 3) / (2 - 2 / 3), 12)
  })

  test('is symmetric', () => {
    const a = [0, 0, 1, 1, 2, 2, 2]
    const b = [0, 1, 1, 1, 2, 0, 2]
    expect(adjustedRandIndex(a, b)).toBe(adjustedRandIndex(b, a))
  })

  test('is about 0 for unrelated groups', () => {
    const random = createRandom(1, 'unrelated')
    const groups = permutation(3_000, random).map((value) => value % 3)
    const others = permutation(3_000, random).map((value) => value % 4)
    expect(Math.abs(adjustedRandIndex(groups, others))).toBeLessThan(0.01)
  })

  test('is 0 when one side does not tell points apart, and 1 when neither does', () => {
    expect(adjustedRandIndex([0, 0, 0, 0], [0, 0, 1, 1])).toBe(0)
    expect(adjustedRandIndex([0, 0, 0], [5, 5, 5])).toBe(1)
  })
})

test('adjusting for chance keeps 1, turns chance into 0 and less than chance negative', () => {
  expect(adjustForChance(1, 0.4)).toBe(1)
  expect(adjustForChance(0.4, 0.4)).toBe(0)
  expect(adjustForChance(0.7, 0.4)).toBeCloseTo(0.5, 12)
  expect(adjustForChance(0.1, 0.4)).toBeLessThan(0)
  expect(adjustForChance(1, 1)).toBe(0)
})
