import { expect, test } from 'vitest'
import { shellWord } from '../../src/domain/shell-word.ts'

test.each([
  ['runs.db', 'runs.db'],
  ['/a/b-c_d@2.db', '/a/b-c_d@2.db'],
  ['sp ace.db', "'sp ace.db'"],
  ["it's.db", "'it'\\''s.db'"],
  ['$HOME', "'$HOME'"],
  ['', "''"],
])('%s is a word of a shell as %s', (text, word) => {
  expect(shellWord(text)).toBe(word)
})
