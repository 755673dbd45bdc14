import { describe, expect, test } from 'vitest'
import { findNotJson } from '../../src/domain/json.ts'

class Point {
  x = 1
}
const cyclic: { self?: unknown } = {}
cyclic.self = { deep: cyclic }
let deep: unknown = 1
for (let level = 0; level < 5_000; level++) deep = [deep]

describe('what JSON cannot carry', () => {
  test.each<[string, unknown, string, string]>([
    ['a function', { items: [1, { run: () => 1 }] }, '$.items[1].run', 'a function'],
    ['a symbol', [Symbol('s')], '$[0]', 'a symbol'],
    ['a bigint', { 'two words': 1n }, '$["two words"]', 'a bigint'],
    ['NaN', { n: Number.NaN }, '$.n', 'NaN'],
    ['infinity', -Infinity, '$', '-Infinity'],
    ['undefined', undefined, '$', 'undefined'],
    ['a hole', [undefined], '$[0]', 'undefined'],
    ['a Map', { m: new Map() }, '$.m', 'a Map'],
    ['a Set', new Set(), '$', 'a Set'],
    ['bytes', { b: new Uint8Array(2) }, '$.b', 'a Uint8Array'],
    ['an object of a class', [new Point()], '$[0]', 'a Point'],
    ['an error', new Error('e'), '$', 'a Error'],
    ['a cycle', cyclic, '$.self.deep', 'a cycle'],
    ['what is nested too deep', deep, `$${'[0]'.repeat(1_000)}`, 'nested deeper than 1000 levels'],
  ])('is found: %s', (_, value, path, found) => {
    expect(findNotJson(value)).toEqual({ path, found })
  })

  test.each([
    [null],
    ['text'],
    [0],
    [[[], {}, true]],
    [{ a: { b: [1] }, absent: undefined }],
    [Object.create(null)],
    [new Date(0)],
    [[{ same: 1 }, { same: 1 }]],
  ])('is nowhere in %j', (value) => {
    expect(findNotJson(value)).toBeUndefined()
  })

  test('is no object that is met twice without a cycle', () => {
    const shared = { x: 1 }
    expect(findNotJson([shared, { shared }])).toBeUndefined()
  })
})
