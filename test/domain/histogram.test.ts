import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Histogram } from '../../src/domain/histogram.ts'

const CENTURY_MS = 3_155_760_000_000

function histogramOf(values: Iterable<number>): Histogram {
  const histogram = new Histogram()
  for (const value of values) histogram.record(value)
  return histogram
}

const exactQuantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] as number
}

describe('the histogram of durations', () => {
  test('is all zeros before the first', () => {
    expect(new Histogram().summary()).toEqual({
      count: 0,
      averageMs: 0,
      p50Ms: 0,
      p95Ms: 0,
      p99Ms: 0,
      maxMs: 0,
    })
  })

  test('gives quantiles within 3 % from a microsecond to a century', () => {
    const duration = fc.double({ min: 2 ** -9, max: CENTURY_MS, noNaN: true })
    const property = fc.property(
      fc.array(fc.oneof(duration, fc.double({ min: 0.01, max: 10_000, noNaN: true })), {
        minLength: 1,
        maxLength: 200,
        size: 'max',
      }),
      fc.constantFrom(0.01, 0.5, 0.9, 0.95, 0.99, 1),
      (values, share) => {
        const exact = exactQuantile(values, share)
        expect(Math.abs(histogramOf(values).quantile(share) - exact)).toBeLessThanOrEqual(0.03 * exact)
      },
    )
    fc.assert(property)
  })

  test('counts, sums up and keeps the maximum exactly', () => {
    const values = Array.from({ length: 1_000 }, (_, index) => index + 1)
    const histogram = histogramOf(values)
    expect([histogram.count, histogram.sum]).toEqual([1_000, 500_500])
    const { averageMs, maxMs, p50Ms, p95Ms, p99Ms } = histogram.summary()
    expect([averageMs, maxMs]).toEqual([500.5, 1_000])
    expect(p50Ms / 500).toBeCloseTo(1, 1)
    expect(p50Ms).toBeLessThan(p95Ms)
    expect(p95Ms).toBeLessThan(p99Ms)
  })

  test('never puts a quantile above the maximum', () => {
    const property = fc.property(
      fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1 }),
      (values) => {
        const histogram = histogramOf(values)
        expect(histogram.quantile(1)).toBeLessThanOrEqual(Math.max(...values))
      },
    )
    fc.assert(property)
  })

  test('takes what a clock gives that was set back, and what no clock gives', () => {
    const histogram = histogramOf([-5, 0, 10])
    expect([histogram.count, histogram.sum, histogram.summary().maxMs]).toEqual([3, 10, 10])
    expect(histogram.quantile(0.5)).toBeLessThan(0.01)
    const huge = histogramOf([Number.MAX_VALUE])
    expect(huge.count).toBe(1)
    expect(huge.quantile(0.5)).toBeGreaterThan(CENTURY_MS)
  })
})
