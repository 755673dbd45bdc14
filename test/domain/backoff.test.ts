import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Backoff, backoffMs } from '../../src/domain/retry.ts'

const HOUR_MS = 3_600_000
const rests = (backoff: Backoff, random = 0.5) =>
  [1, 2, 3, 4].map((failures) => backoffMs(backoff, failures, random))

describe('the rest before a retry', () => {
  test('is the same each time when fixed', () => {
    expect(rests({ type: 'fixed', delayMs: 70 })).toEqual([70, 70, 70, 70])
  })

  test('doubles with each failure when exponential', () => {
    expect(rests({ type: 'exponential', delayMs: 100 })).toEqual([100, 200, 400, 800])
  })

  test('stops growing at maxDelayMs, an hour by default', () => {
    expect(rests({ type: 'exponential', delayMs: 100, maxDelayMs: 300 })).toEqual([100, 200, 300, 300])
    expect(backoffMs({ type: 'exponential', delayMs: 1_000 }, 1_000_000, 0.5)).toBe(HOUR_MS)
    expect(backoffMs({ type: 'fixed', delayMs: 2 * HOUR_MS }, 1, 0.5)).toBe(HOUR_MS)
  })

  test('is spread by jitter to both sides', () => {
    const backoff: Backoff = { type: 'fixed', delayMs: 1_000, jitter: 0.2 }
    expect(backoffMs(backoff, 1, 0)).toBeCloseTo(800)
    expect(backoffMs(backoff, 1, 0.5)).toBeCloseTo(1_000)
    expect(backoffMs(backoff, 1, 0.75)).toBeCloseTo(1_100)
  })

  test('is 0 for a delay of 0, whatever the jitter', () => {
    expect(backoffMs({ type: 'exponential', delayMs: 0, jitter: 1 }, 9, 0.9)).toBe(0)
  })

  const anyBackoff = fc.record({
    type: fc.constantFrom('fixed' as const, 'exponential' as const),
    delayMs: fc.double({ min: 0, max: 1e13, noNaN: true }),
    maxDelayMs: fc.double({ min: 0, max: 1e13, noNaN: true }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

  test('stays finite, not negative, and within the jitter of its bounds', () => {
    const property = fc.property(
      anyBackoff,
      fc.integer({ min: 1, max: 5_000 }),
      anyRandom,
      (backoff, failures, random) => {
        const rest = backoffMs(backoff, failures, random)
        const middle = backoffMs({ ...backoff, jitter: 0 }, failures, random)
        expect(middle).toBeLessThanOrEqual(backoff.maxDelayMs)
        expect(rest).toBeGreaterThanOrEqual(0)
        expect(rest).toBeGreaterThanOrEqual(middle * (1 - backoff.jitter) * (1 - 1e-9))
        expect(rest).toBeLessThanOrEqual(middle * (1 + backoff.jitter) * (1 + 1e-9))
      },
    )
    fc.assert(property)
  })

  test('never shrinks from one failure to the next, without jitter', () => {
    const property = fc.property(anyBackoff, fc.integer({ min: 1, max: 200 }), (backoff, failures) => {
      const steady = { ...backoff, jitter: 0 }
      expect(backoffMs(steady, failures + 1, 0.5)).toBeGreaterThanOrEqual(backoffMs(steady, failures, 0.5))
    })
    fc.assert(property)
  })
})
