import { describe, expect, test } from 'vitest'
import { printable, styled } from '../../src/cli/line.ts'
import {
  clean,
  clip,
  cut,
  formatDuration,
  formatScore,
  pad,
  progressBar,
  widthOf,
} from '../../src/cli/text.ts'

describe('foreign text', () => {
  test.each([
    ['plain', 'plain'],
    ['a title \u001b]0;owned\u0007here', 'a title here'],
    ['a title \u001b]0;owned\u001b\\here', 'a title here'],
    ['\u001b[31mred\u001b[0m \u001b[2J\u001b[1;1Hgone', 'red gone'],
    ['eight bits: \u009b31mred', 'eight bits: red'],
    ['two\r\n\tlines\u2028three', 'two lines three'],
    ['a lone \u001b escape, a \u0007 bell', 'a lone   escape, a   bell'],
    ['right \u202eot tfel\u202c and \u200bhidden', 'right ot tfel and hidden'],
    ['half a pair \ud83d', 'half a pair'],
    ['größer 日本 🎉', 'größer 日本 🎉'],
  ])('%j is printed as %j', (text, safe) => {
    expect(clean(text)).toBe(safe)
  })

  test('is of bounded length, and costs little however long it is', () => {
    expect(clean('x'.repeat(1_000))).toBe(`${'x'.repeat(499)}…`)
    expect(clean('\u001b[31m'.repeat(10_000_000), 10)).toHaveLength(1)
  })

  test.each([
    [undefined, 'undefined'],
    [{ a: '\u001b[31m' }, "{ a: '\\x1B[31m' }"],
    [null, 'null'],
  ])('that is no text, %j, is shown all the same', (value, shown) => {
    expect(clean(value)).toBe(shown)
  })
})

describe('widths', () => {
  test.each([
    ['abc', 3],
    ['größer', 6],
    ['gro\u0308ßer', 6],
    ['日本', 4],
    ['🎉', 2],
    ['✓ ▸ …', 5],
  ])('%j takes %i columns', (text, width) => {
    expect(widthOf(text)).toBe(width)
  })

  test('a text is cut, clipped and padded by columns', () => {
    expect([cut('日本語', 5), clip('日本語', 5), clip('日本語', 6), clip('abc', 3)]).toEqual([
      '日本',
      '日本…',
      '日本語',
      'abc',
    ])
    expect([clip('abcdef', 1), clip('abcdef', 0), pad('日', 4)]).toEqual(['…', '…', '日  '])
  })

  test.each([
    [20, 'one two three'],
    [13, 'one two three'],
    [12, 'one two thr…'],
    [7, 'one tw…'],
    [4, 'one…'],
    [1, '…'],
  ])('a line fits into %i columns', (width, printed) => {
    const line = ['one ', styled('red', 'two'), ' three']
    expect(printable(line, { width, hasColors: false })).toBe(printed)
  })

  test('colours change nothing about the width', () => {
    expect(printable(['one ', styled('red', 'two'), ' three'], { width: 7, hasColors: true })).toBe(
      'one \u001b[31mtw\u001b[39m…',
    )
  })
})

describe('numbers', () => {
  test.each([
    [0, '0ms'],
    [-5, '0ms'],
    [999, '999ms'],
    [999.6, '1.0s'],
    [12_345, '12.3s'],
    [59_949, '59.9s'],
    [59_950, '1m 00s'],
    [125_000, '2m 05s'],
    [3_599_600, '1h 00m'],
    [3_720_000, '1h 02m'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  test.each([
    [0.71234, '0.712'],
    [0, '0'],
    [-0.5, '-0.5'],
    [1234.56, '1235'],
    [0.00001234, '0.0000123'],
  ])('a score of %d is %s', (score, text) => {
    expect(formatScore(score)).toBe(text)
  })

  test.each([
    [0, '[----------]'],
    [0.44, '[####------]'],
    [1, '[##########]'],
    [7, '[##########]'],
    [-1, '[----------]'],
    [Number.NaN, '[----------]'],
  ])('%d is drawn as %s', (fraction, bar) => {
    expect(progressBar(fraction, 12)).toBe(bar)
  })
})
