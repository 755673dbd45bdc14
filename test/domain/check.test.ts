import { describe, expect, test } from 'vitest'
import {
  checkDuration,
  checkInteger,
  checkName,
  checkObject,
  checkPositive,
  checkString,
} from '../../src/domain/check.ts'

const junk = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -1,
  '5',
  null,
  undefined,
  {},
  5n,
]

describe.each([
  ['a duration', checkDuration, [0, 0.5, 2 ** 40], junk],
  ['a positive duration', checkPositive, [0.5, 1, 2 ** 40], [0, ...junk]],
  ['a whole number', checkInteger, [0, 7, Number.MAX_SAFE_INTEGER], [0.5, 2 ** 53, ...junk]],
  ['a string', checkString, ['', 'a', 'x'.repeat(201)], [5, null, undefined, {}, Symbol('a')]],
  [
    'a name',
    checkName,
    ['a', 'x'.repeat(200), '👍'],
    ['', 'x'.repeat(201), '\ud83d', 'a\0b', 5, null, undefined, {}],
  ],
])('%s', (_, check, good, bad) => {
  test.each(good.map((value) => [value]))('may be %o', (value) => {
    expect(check('option', value)).toBe(value)
  })

  test.each(bad.map((value) => [value]))('must not be %o', (value) => {
    expect(() => check('theOption', value)).toThrow(
      expect.objectContaining({
        code: 'ESP_INVALID_OPTION',
        details: expect.objectContaining({ option: 'theOption', got: value }),
      }),
    )
  })
})

test('a whole number may have a least value of its own', () => {
  expect(checkInteger('n', 1, 1)).toBe(1)
  expect(() => checkInteger('n', 0, 1)).toThrow('at least 1')
})

test.each([[{}], [{ a: 1 }], [Object.create(null)], [new (class Settings {})()]])(
  '%o is an object',
  (value) => {
    expect(checkObject('option', value)).toBe(value)
  },
)

test.each([
  [null, 'null'],
  [undefined, 'undefined'],
  [5, '5'],
  [[1], '[1]'],
  [new Map([['a', 1]]), 'a Map'],
  [new Set(['a']), 'a Set'],
])('%o is no object with fields', (value, shown) => {
  expect(() => checkObject('theOption', value as object)).toThrow(
    expect.objectContaining({
      code: 'ESP_INVALID_OPTION',
      message: expect.stringContaining(`"theOption" must be an object, but is ${shown}.`),
    }),
  )
})
