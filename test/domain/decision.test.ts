import { describe, expect, test } from 'vitest'
import { grow, prune, revise, satisfy, stop } from '../../src/domain/decision.ts'
import { node } from '../../src/domain/node-spec.ts'

describe('the builders of decisions', () => {
  const spec = node({ handler: 'load', input: 1 })

  test('name the decision and carry what it needs', () => {
    expect(spec).toEqual({ handler: 'load', input: 1 })
    expect(grow([spec])).toEqual({ type: 'grow', nodes: [spec], why: undefined, score: undefined })
    expect(stop()).toEqual({ type: 'stop', why: undefined, score: undefined })
    expect(revise({ input: 2 })).toEqual({
      type: 'revise',
      patch: { input: 2 },
      why: undefined,
      score: undefined,
    })
    expect(prune(['n1'])).toEqual({ type: 'prune', ids: ['n1'], why: undefined, score: undefined })
    expect(satisfy(42)).toEqual({ type: 'satisfy', value: 42, why: undefined, score: undefined })
  })

  test.each([
    ['grow', grow([spec], 'because'), grow([spec], { why: 'because', score: 2 })],
    ['stop', stop('because'), stop({ why: 'because', score: 2 })],
    ['revise', revise({}, 'because'), revise({}, { why: 'because', score: 2 })],
    ['prune', prune([], 'because'), prune([], { why: 'because', score: 2 })],
    ['satisfy', satisfy(1, 'because'), satisfy(1, { why: 'because', score: 2 })],
  ])('%s takes a reason, or a reason and a score', (type, short, long) => {
    expect(short).toMatchObject({ type, why: 'because', score: undefined })
    expect(long).toMatchObject({ type, why: 'because', score: 2 })
  })

  test.each([
    ['ESP_UNKNOWN_OPTION', { why: 'because', scoer: 2 }],
    ['ESP_INVALID_OPTION', 5],
    ['ESP_INVALID_OPTION', null],
  ])('refuse with %s what says neither why nor how promising', (code, options) => {
    const wrong = options as never
    for (const build of [
      () => grow([spec], wrong),
      () => stop(wrong),
      () => revise({}, wrong),
      () => prune([], wrong),
      () => satisfy(1, wrong),
    ]) {
      expect(build).toThrow(expect.objectContaining({ code }))
    }
  })
})
