import { afterEach, describe, expect, test, vi } from 'vitest'
import { markText, stepOf } from '../../inspector/draw/axis.ts'
import { formatSpan, parseSpan } from '../../inspector/model/span.ts'
import {
  formatHash,
  parseHash,
  route,
  selectJob,
  setParams,
  startRouting,
} from '../../inspector/state/route.ts'

describe('an address', () => {
  test('names a view and what it shows, and is read as it was written', () => {
    const route = { view: 'jobs', params: { q: 'kind:"a b" >5s', job: 'a/b?c#d' } } as const
    expect(parseHash(formatHash(route))).toEqual(route)
  })

  test.each(['', '#', '#/', '#/nowhere', '#code=abc'])('that names no view is the overview: %s', (hash) => {
    expect(parseHash(hash).view).toBe('overview')
  })
})

/** What of a browser the routing uses; the event of a link comes when a test says so. */
function visit(hash: string) {
  const location = { hash }
  let onHashChange = () => {}
  vi.stubGlobal('location', location)
  vi.stubGlobal('history', { replaceState: (_: unknown, __: string, next: string) => (location.hash = next) })
  vi.stubGlobal('addEventListener', (_: string, listener: () => void) => {
    onHashChange = listener
  })
  startRouting()
  return { location, arrive: () => onHashChange() }
}

describe('the address of a page', () => {
  afterEach(() => vi.unstubAllGlobals())

  test('is of the view that a link leads to, though the one before still has something to write', () => {
    const { location, arrive } = visit('#/timeline?job=a')
    location.hash = '#/events?job=b'
    setParams({ zoom: '1-2' })
    expect(location.hash).toBe('#/events?job=b')
    setParams({ at: '5' })
    expect(location.hash).toBe('#/events?job=b&at=5')
    selectJob('c')
    arrive()
    expect(route.value).toEqual({ view: 'events', params: { job: 'c', at: '5' } })
  })

  test('keeps what else it names when the view writes something', () => {
    const { location } = visit('#/timeline?job=a&zoom=1-2')
    location.hash = '#/timeline?job=b&zoom=1-2'
    setParams({ zoom: '3-4' })
    expect(location.hash).toBe('#/timeline?job=b&zoom=3-4')
    expect(route.value.params.job).toBe('b')
  })
})

describe('a span in an address', () => {
  test('is read as it was written, to the thousandth', () => {
    const text = formatSpan({ from: 5_001.00049, to: 6_200 }, 5_000)
    expect(text).toBe('1-1200')
    expect(parseSpan(text, 5_000)).toEqual({ from: 5_001, to: 6_200 })
    expect(formatSpan({ from: 6_200, to: 5_000.5 }, 5_000)).toBe('0.5-1200')
  })

  test('of no length is none', () => {
    expect(formatSpan({ from: 7, to: 7 }, 0)).toBe('')
    expect(formatSpan(undefined, 0)).toBe('')
  })

  test.each(['', '5', '5-', '5-5', '9-5', '-1-5', '1e3-2e3', 'a-b', `1-${'9'.repeat(400)}`])(
    'that makes no sense is none: %s',
    (text) => {
      expect(parseSpan(text, 0)).toBeUndefined()
    },
  )
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
