import { expect, test } from 'vitest'
import { blocks, read, runCode, section } from './documents.ts'

test('docs/executors.md shows the approval example as it is, and what it prints', async () => {
  const shown = section(read('docs/executors.md'), 'approval')
  const code = read('examples/approval.ts')
  expect(blocks(shown, 'ts')).toEqual([code])
  expect(blocks(shown, 'text')).toEqual([await runCode(code)])
})
