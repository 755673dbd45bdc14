import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUILT_IN_INVARIANTS, FAULT_TYPES } from 'espalier/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../../scripts/tool.ts'
import { Command } from '../cli/command.ts'
import { blocks, read, runCode, section } from './documents.ts'

const page = read('docs/testing.md')

let folder: string
beforeAll(() => {
  // Inside the package, so that the workflow finds it by its name.
  mkdirSync(join(root, 'results'), { recursive: true })
  folder = mkdtempSync(join(root, 'results', 'testing-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const only = (name: string, language: string): string => {
  const [block, ...others] = blocks(section(page, name), language)
  expect(others).toEqual([])
  return block as string
}

const untimed = (text: string): string => text.replaceAll(/after [\d.]+m?s/g, 'after a while')

async function checkReport(code: string): Promise<string> {
  writeFileSync(join(folder, 'report.ts'), code)
  const { stdout } = await Command.start(folder, 'check', 'report.ts').ended
  return untimed(stdout)
}

describe('docs/testing.md', () => {
  test('shows a workflow with a bug, and the run that shows it', async () => {
    expect(await checkReport(only('workflow', 'ts'))).toContain(untimed(only('found', 'text')))
  })

  test('shows the mend, after which no promise is broken', async () => {
    const [, removed, added] = /^-(.*)\n\+(.*)\n$/.exec(only('mend', 'diff')) ?? []
    const code = only('workflow', 'ts')
    expect(code).toContain(`${removed}\n`)
    const mended = code.replace(`${removed}\n`, `${added}\n`)
    expect(await checkReport(mended)).toContain(untimed(only('mended', 'text')))
  })

  test('shows what its test prints', async () => {
    expect(await runCode(only('test', 'ts'))).toBe(only('test', 'text'))
  })

  const namesIn = (name: string) =>
    [...section(page, name).matchAll(/^\| `([\w-]+)` \|/gm)].map(([, found]) => found)

  test('names every fault and every promise', () => {
    expect(namesIn('faults').sort()).toEqual([...FAULT_TYPES].sort())
    expect(namesIn('promises')).toEqual(Object.keys(BUILT_IN_INVARIANTS))
    for (const says of Object.values(BUILT_IN_INVARIANTS)) expect(page).toContain(says.replace(/\.$/, ''))
  })
})
