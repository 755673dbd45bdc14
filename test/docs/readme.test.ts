import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { root } from '../../scripts/tool.ts'
import { blocks, documents, read, runCode, section } from './documents.ts'

const readme = read('README.md')
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

describe('the README', () => {
  test('begins with the two commands, whose scripts exist', () => {
    const [first] = blocks(readme, 'sh')
    const commands = first
      ?.trim()
      .split('\n')
      .map((line) => line.replace(/\s+#.*/, ''))
    expect(commands).toEqual(['npm install && npm start', 'npm install-test'])
    expect(scripts).toMatchObject({ start: expect.any(String), test: expect.any(String) })
  })

  test('shows the embedding example as it is, and what it prints', async () => {
    const shown = section(readme, 'embedding')
    const code = read('examples/embedding.ts')
    expect(blocks(shown, 'ts')).toEqual([code])
    expect(blocks(shown, 'text')).toEqual([await runCode(code)])
  })

  test('shows what its workflow prints', async () => {
    const shown = section(readme, 'workflow')
    const [code, ...others] = blocks(shown, 'ts')
    expect(others).toEqual([])
    expect(blocks(shown, 'text')).toEqual([await runCode(code as string)])
  })

  test('shows how a job is waited for as an actor', async () => {
    const shown = section(readme, 'actor')
    expect(blocks(shown, 'text')).toEqual([await runCode(blocks(shown, 'ts').join('\n'))])
  })
})

test('a run survives kill -9, as the README shows', async () => {
  const shown = section(readme, 'durable')
  const command = `${process.execPath} --conditions=espalier-source ${root}/src/cli/launcher.js`
  const lines = (blocks(shown, 'sh')[0] ?? '')
    .replaceAll('npm run -s espalier --', command)
    .replace('examples/', `${root}/examples/`)
    .replace(' &\n', ' > log &\n')
    // Five seconds are enough for a person's machine.
    .replace('sleep 5', 'until grep -q "18  running" log; do sleep 0.1; done')
  const folder = mkdtempSync(join(tmpdir(), 'espalier-readme-'))
  try {
    // A terminal's shell has job control.
    const { stdout } = await promisify(execFile)('bash', ['-c', `set -m\n${lines}`], { cwd: folder })
    expect(stdout).toContain((blocks(shown, 'text')[0] ?? '').trim())
    expect(stdout).not.toMatch(/▸ n0 20 {2}running/)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe('every document', () => {
  test.each(documents)('%s names npm scripts that exist', (file) => {
    const named = [...read(file).matchAll(/npm run (?:-s )?([\w-]+)/g)].map(([, name]) => name as string)
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([])
  })

  test.each(documents)('%s links to files that exist', (file) => {
    const links = [...read(file).matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)].map(([, link]) => link as string)
    const folder = file.includes('/') ? file.slice(0, file.lastIndexOf('/') + 1) : ''
    for (const link of links) expect(() => read(folder + link), link).not.toThrow()
  })
})
