import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keepRule, parallelism, positiveInteger, readInput, runIdentifier } from '../../src/cli/arguments.ts'

describe('--input', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'espalier-input-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test.each([
    { given: [], input: {} },
    { given: ['{"a": [1, null]}'], input: { a: [1, null] } },
    { given: ['"a=b"'], input: 'a=b' },
    { given: ['3'], input: 3 },
    { given: ['k=3', 'name=x y', 'flags=[true]', 'id="3"', 'empty=', 'url=a=b'] },
    { given: ['__proto__=1'] },
  ])('$given', async ({ given, input }) => {
    const pairs = { k: 3, name: 'x y', flags: [true], id: '3', empty: '', url: 'a=b' }
    const expected = input ?? (given.length > 1 ? pairs : Object.fromEntries([['__proto__', 1]]))
    const read = await readInput(given)
    expect(read).toEqual(expected)
    if (typeof expected === 'object') expect(Object.keys(read as object)).toEqual(Object.keys(expected))
  })

  test('of a file', async () => {
    const file = join(folder, 'input.json')
    writeFileSync(file, '\ufeff{"a": 1}')
    expect(await readInput([`@${file}`])).toEqual({ a: 1 })
  })

  test('of a file tells the file and the place', async () => {
    const file = join(folder, 'broken.json')
    writeFileSync(file, '{\n  "a": 1,\n  b: 2\n}')
    await expect(readInput([`@${file}`])).rejects.toThrow(
      `--input file ${file} is not JSON at line 3, column 3: `,
    )
    await expect(readInput([`@${folder}/none.json`])).rejects.toThrow(
      /none\.json", which cannot be read: ENOENT/,
    )
  })

  test.each([
    ['{"a": abc}', 'line 1, column 7: Unexpected token'],
    ['[1, 2,\n 3,]', 'line 2, column 4: Unexpected token'],
    ['{"a": 1', 'line 1, column 8: Expected'],
    ['{"a": "x', 'line 1, column 9: Unterminated string'],
    ['abc', 'line 1, column 1: Unexpected token'],
    ['[tru]', 'line 1, column 5: Unexpected token'],
    ['{"a": 1}}', 'line 1, column 9: Unexpected non-whitespace'],
    ['', 'line 1, column 1: Unexpected end'],
  ])('%j tells where it stops being JSON', async (text, place) => {
    await expect(readInput([text])).rejects.toThrow(`--input is not JSON at ${place}`)
  })

  test.each([
    [['a=1', 'a=2'], 'has the key "a" twice'],
    [['a=1', 'b'], 'expects key=value here, but got "b"'],
    [['{"a":', '1}'], 'Quote JSON as one argument'],
  ])('%j is refused', async (given, why) => {
    await expect(readInput(given)).rejects.toThrow(why)
  })
})

test.each(['0', '-1', '1.5', '1e3', 'x', '', ' 1', '99999999999999999999'])(
  '%j is no number of jobs',
  (text) => {
    expect(() => positiveInteger(text)).toThrow('a whole number of at least 1')
  },
)

test.each(['', '../x', 'a b', 'x'.repeat(101), 'a\n', '-x'])('%j is no run id', (text) => {
  expect(() => runIdentifier(text)).toThrow('1 to 100')
})

test.each([
  ['1000', { count: 1_000 }],
  ['0', { count: 0 }],
  ['7d', { ageMs: 604_800_000 }],
  ['1.5h', { ageMs: 5_400_000 }],
])('--keep-failed %s', (text, rule) => {
  expect(keepRule(text)).toEqual(rule)
})

test.each(['', '-1', '7 days', '1.5', 'd'])('--keep-failed "%s" is refused', (text) => {
  expect(() => keepRule(text)).toThrow('such as 7d')
})

test('other numbers and run ids are taken', () => {
  expect([positiveInteger('12'), runIdentifier('nightly-1.2_b')]).toEqual([12, 'nightly-1.2_b'])
  expect([parallelism('auto'), parallelism('12')]).toEqual(['auto', 12])
  expect(() => parallelism('automatic')).toThrow('a whole number of at least 1')
})
