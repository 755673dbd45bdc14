import { expect, test } from 'vitest'
import { inOrder } from '../../../src/http/notes/in-order.ts'

/** Numbers of which many are equal: by a fixed recipe, so that each run has the same. */
const numbers = (count: number, below: number): Float64Array =>
  Float64Array.from({ length: count }, (_, index) =>
    Math.floor(((index * 2_654_435_761) % 4_294_967_296) / (4_294_967_296 / below)),
  )

test.each([
  ['a few', 10, 4],
  ['many that are equal', 5_000, 100],
  ['more than one pass takes', 5_000, 3_000_000],
  ['years in µs', 5_000, 2 ** 51],
])('%s come in order, equal ones as they were', (_, count, below) => {
  const keys = numbers(count, below)
  const sorted = Array.from(keys.keys()).sort((a, b) => keys[a]! - keys[b]!)
  expect(Array.from(inOrder(keys))).toEqual(sorted)
})

test('by one thing, and by another where that is equal', () => {
  const [first, second] = [Float64Array.of(1, 0, 1, 0), Float64Array.of(5, 9, 3, 2)]
  expect(Array.from(inOrder(first, inOrder(second)))).toEqual([3, 1, 2, 0])
})

test('negative numbers, one number and none', () => {
  expect(Array.from(inOrder(Float64Array.of(3, -5, 0)))).toEqual([1, 2, 0])
  expect(Array.from(inOrder(Float64Array.of(7)))).toEqual([0])
  expect(Array.from(inOrder(new Float64Array(0)))).toEqual([])
})
