import { expect, test } from 'vitest'
import { toJson } from '../../src/cli/json.ts'

test.each([
  ['plain data', { a: [1, 'x', null, true], b: undefined }, { a: [1, 'x', null, true] }],
  ['numbers JSON lacks', [Number.NaN, Number.POSITIVE_INFINITY, 10n], ['NaN', 'Infinity', '10n']],
  ['gaps', [undefined, ...new Array(1), 1], [null, null, 1]],
  ['functions and symbols', { f() {}, s: Symbol('s') }, { f: '[Function: f]', s: 'Symbol(s)' }],
  ['maps and sets', [new Map([['a', 1]]), new Set([1])], ["Map(1) { 'a' => 1 }", 'Set(1) { 1 }']],
  ['typed arrays', { points: new Float64Array([0.5, Number.NaN]) }, { points: [0.5, 'NaN'] }],
  ['dates, by their own word', [new Date(0), new Date(Number.NaN)], ['1970-01-01T00:00:00.000Z', null]],
  [
    'objects of classes',
    new (class Point {
      x = 1
    })(),
    { x: 1 },
  ],
  ['an own __proto__', JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": 1}')],
])('carries %s', (_, value, expected) => {
  expect(JSON.parse(JSON.stringify(toJson(value)))).toEqual(expected)
})

test('errors keep name, message, code, cause and stack', () => {
  const error = Object.assign(new RangeError('outer', { cause: new Error('inner') }), { code: 'E_X' })
  expect(toJson(error)).toMatchObject({
    name: 'RangeError',
    message: 'outer',
    code: 'E_X',
    cause: { message: 'inner' },
    stack: expect.stringContaining('json.test.ts'),
  })
})

test('cycles end, shared values do not', () => {
  const shared = { x: 1 }
  const cyclic: Record<string, unknown> = { one: shared, two: shared }
  cyclic.self = [cyclic]
  expect(toJson(cyclic)).toEqual({ one: { x: 1 }, two: { x: 1 }, self: ['[Circular]'] })
})

test('values that resist are shown as text', () => {
  const throwing = Object.defineProperty({}, 'x', {
    enumerable: true,
    get: () => {
      throw new Error('no')
    },
  })
  let deep: unknown = 'bottom'
  for (let depth = 0; depth < 100_000; depth++) deep = [deep]
  expect(toJson({ throwing })).toEqual({ throwing: '{ x: [Getter] }' })
  expect(JSON.stringify(toJson(deep)).length).toBeLessThan(3_000)
})
