import { expect, test } from 'vitest'
import { blocks, read, runCode, section } from './documents.ts'

test('docs/executors.md shows an approval that runs, and what it prints', async () => {
  const shown = section(read('docs/executors.md'), 'approval')
  const [code, ...others] = blocks(shown, 'ts')
  expect(others).toEqual([])
  expect(blocks(shown, 'text')).toEqual([await runCode(code as string)])
})
