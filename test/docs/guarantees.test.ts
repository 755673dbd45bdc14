import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { read } from './documents.ts'

const promises = read('docs/guarantees.md').split(/^### /m).slice(1)
const root = join(import.meta.dirname, '../..')

test('docs/guarantees.md states promises', () => {
  expect(promises.length).toBeGreaterThanOrEqual(8)
})

test.each(promises.map((text) => [text.split('\n')[0] as string, text]))(
  'the promise "%s" names tests that exist',
  (_, text) => {
    const links = [...text.matchAll(/^- `(test\/[^`]+)`(?:: (.+))?$/gm)]
    expect(links).not.toEqual([])
    for (const [, file = '', name] of links) {
      expect(existsSync(join(root, file)), file).toBe(true)
      if (name !== undefined) expect(readFileSync(join(root, file), 'utf8'), file).toContain(name)
    }
  },
)
