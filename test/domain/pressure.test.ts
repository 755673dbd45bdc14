import { describe, expect, test } from 'vitest'
import {
  describePressure,
  type HostSample,
  judgePressure,
  resolvePressure,
} from '../../src/domain/pressure.ts'

describe('the option', () => {
  test('has a default for memory, and none for the load and the event loop', () => {
    expect(resolvePressure({})).toEqual({
      sampleMs: 1_000,
      thresholds: {
        memoryShare: { raise: 0.9, clear: 0.85 },
      },
    })
  })

  test('takes numbers, pairs and false', () => {
    const options = {
      memoryShare: { raise: 0.8, clear: 0.5 },
      cpuLoad: 4,
      eventLoopDelayMs: false,
      sampleMs: 50,
    } as const
    expect(resolvePressure(options)).toEqual({
      sampleMs: 50,
      thresholds: { memoryShare: { raise: 0.8, clear: 0.5 }, cpuLoad: { raise: 4, clear: 3.2 } },
    })
  })

  test.each([
    null,
    true,
    { memory: 0.9 },
    { memoryShare: 0 },
    { memoryShare: '0.9' },
    { memoryShare: null as never, cpuLoad: { raise: 1 } },
    { cpuLoad: { raise: 1, clear: 2 } },
    { eventLoopDelayMs: Number.NaN },
    { sampleMs: 0 },
  ])('refuses %j', (options) => {
    expect(() => resolvePressure(options as never)).toThrow(/ESP_INVALID_OPTION: Option "pressure/)
  })
})

describe('the judgement', () => {
  const rule = resolvePressure({
    cpuLoad: { raise: 4, clear: 2 },
    eventLoopDelayMs: { raise: 200, clear: 100 },
  })
  /** The measures that are too high after each sample. */
  const follow = (...samples: HostSample[]): string[] => {
    let reasons: ReturnType<typeof judgePressure> = []
    return samples.map((sample) => {
      reasons = judgePressure(rule, sample, reasons)
      return reasons.map(({ measure }) => measure).join('+')
    })
  }

  test('raises at one value and clears below another', () => {
    const shares = [0.89, 0.9, 0.86, 0.85, 0.849, 0.89]
    expect(follow(...shares.map((memoryShare) => ({ memoryShare })))).toEqual([
      '',
      'memoryShare',
      'memoryShare',
      'memoryShare',
      '',
      '',
    ])
  })

  test('judges each measure by itself', () => {
    expect(
      follow(
        { memoryShare: 0.95, cpuLoad: 1 },
        { memoryShare: 0.87, cpuLoad: 3 },
        { memoryShare: 0.5, cpuLoad: 5 },
      ),
    ).toEqual(['memoryShare', 'memoryShare', 'cpuLoad'])
  })

  test('learns nothing from a measure that is absent', () => {
    expect(follow({ eventLoopDelayMs: 500 }, {}, { eventLoopDelayMs: 1 }, {})).toEqual([
      'eventLoopDelayMs',
      'eventLoopDelayMs',
      '',
      '',
    ])
  })

  test('is told in words', () => {
    const sample = { memoryShare: 0.934, cpuLoad: 4.567, eventLoopDelayMs: 345.6 }
    expect(judgePressure(rule, sample, []).map(describePressure)).toEqual([
      '93 % of the memory is used (clears below 85 %)',
      'the load is 4.57 a core (clears below 2)',
      'the event loop turns 346 ms late (clears below 100 ms)',
    ])
  })
})
