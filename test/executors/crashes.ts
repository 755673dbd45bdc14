import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'vitest'

/** Expects that no thread, process or handle is left of so many attempts, each of which ends its thread or process. */
export async function expectNothingLeft(executorType: string, count: number): Promise<void> {
  const script = fileURLToPath(new URL('./fixtures/crashes.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script, executorType, String(count)])
  expect(JSON.parse(stdout)).toEqual({ lost: count, running: 0, zombies: 0, handles: [], children: [] })
}
