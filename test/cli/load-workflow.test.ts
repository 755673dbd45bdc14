import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { loadWorkflow } from '../../src/cli/load-workflow.ts'
import { fixture } from './command.ts'

const fixtures = dirname(fixture('counting'))

test.each([
  [
    'a name that is nearly one',
    join(fixtures, 'countign.ts'),
    /^There is no file .* Did you mean .*counting\.ts\?$/,
  ],
  ['another ending', join(fixtures, 'counting.js'), /Did you mean .*counting\.ts\?$/],
  ['no ending', join(fixtures, 'counting'), /Did you mean .*counting\.ts\?$/],
  ['a name like no other', join(fixtures, 'zebra.ts'), /\. Check the path\.$/],
  ['a folder that is not there', join(fixtures, 'none', 'counting.ts'), /\. Check the path\.$/],
  ['a folder with modules', fixtures, /is a folder, but a workflow's file was expected, such as .*\.ts\.$/],
  [
    'a folder with a workflow',
    join(import.meta.dirname, '../../examples/clustering'),
    /is a folder, but .*, such as .*workflow\.ts\.$/,
  ],
  ['a file that is no module', join(import.meta.dirname, '../../README.md'), /README\.md is no module.*\.ts/],
])('%s is refused with what was meant', async (_, path, message) => {
  await expect(loadWorkflow(path)).rejects.toThrow(message)
})

test('a folder without modules is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-cli-'))
  try {
    await expect(loadWorkflow(folder)).rejects.toThrow(/is a folder, but a workflow's file was expected\.$/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
