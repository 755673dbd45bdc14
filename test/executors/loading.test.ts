import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('a library behind an executor is loaded with its first attempt', async () => {
  const script = fileURLToPath(new URL('./fixtures/loaded.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script])
  expect(JSON.parse(stdout)).toEqual([[], ['piscina']])
})

test('idle threads and processes do not keep the program awake', async () => {
  const script = fileURLToPath(new URL('./fixtures/idle.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script])
  expect(stdout).toBe('done')
})
