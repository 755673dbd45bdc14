import { describe, expect, test } from 'vitest'
import { markText, stepOf } from '../../inspector/draw/axis.ts'
import { formatHash, parseHash } from '../../inspector/state/route.ts'

describe('an address', () => {
  test('names a view and what it shows, and is read as it was written', () => {
    const route = { view: 'jobs', params: { q: 'kind:"a b" >5s', job: 'a/b?c#d' } } as const
    expect(parseHash(formatHash(route))).toEqual(route)
  })

  test.each(['', '#', '#/', '#/nowhere', '#code=abc'])('that names no view is the overview: %s', (hash) => {
    expect(parseHash(hash).view).toBe('overview')
  })
})

describe('the marks of an axis', () => {
  test.each([
    [1000, 10, 200],
    [4_760, 12, 500],
    [3_600_000, 12, 600_000],
  ])('%d ms in at most %d parts are %d ms apart', (span, most, step) => {
    expect(stepOf(span, most)).toBe(step)
  })

  test.each([
    [2_500, 500, '2.5 s'],
    [62_000, 1000, '1:02'],
    [3_723_000, 60_000, '1:02:03'],
    [0.25, 0.05, '0.0003 s'],
  ])('%d ms is told as short as a step of %d ms allows: %s', (ms, step, text) => {
    expect(markText(ms, step)).toBe(text)
  })
})
