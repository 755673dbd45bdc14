import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const launcher = join(import.meta.dirname, '../../src/cli/launcher.js')

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function runNode(node: string, ...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(node, args, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

/** Every other `node` on PATH with the version it tells, first one first. */
async function otherNodes(): Promise<{ path: string; version: string }[]> {
  const folders = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
  const paths = folders.map((folder) => join(folder, 'node')).filter((path) => existsSync(path))
  return Promise.all(
    paths.map(async (path) => ({ path, version: (await runNode(path, '--version')).stdout.trim().slice(1) })),
  )
}

/** A preload that makes this Node tell another version. */
function fakeVersion(version: string): string {
  const code = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`
  return `--import=data:text/javascript,${encodeURIComponent(code)}`
}

function refusal(version: string): Ended {
  const stderr =
    `espalier needs Node.js 24 or newer, but this is ${version}. Use "npm run -s espalier -- …" in a clone ` +
    '(it brings its own Node), or install Node 24 from https://nodejs.org.\n'
  return { code: 1, stdout: '', stderr }
}

const old = (await otherNodes()).find(({ version }) => Number.parseInt(version, 10) < 24)

describe('the launcher', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'espalier-launcher-'))
    copyFileSync(launcher, join(folder, 'launcher.js'))
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    writeFileSync(join(folder, 'main.ts'), 'console.log(process.argv.slice(2).join() as string)')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test.each(['12.22.12', '20.20.2', '23.11.1'])('refuses Node %s in one line', async (version) => {
    const ended = await runNode(process.execPath, fakeVersion(version), join(folder, 'launcher.js'), 'run')
    expect(ended).toEqual(refusal(version))
  })

  // The machine decides whether there is an old Node to try; the test above runs everywhere.
  if (old)
    test(`refuses the real Node ${old.version} of this machine`, async () => {
      expect(await runNode(old.path, join(folder, 'launcher.js'), 'run')).toEqual(refusal(old.version))
    })

  test.each([process.versions.node, '24.0.0', '100.0.0'])('starts main with Node %s', async (version) => {
    const ended = await runNode(
      process.execPath,
      fakeVersion(version),
      join(folder, 'launcher.js'),
      'run',
      'it',
    )
    expect(ended).toEqual({ code: 0, stdout: 'run,it\n', stderr: '' })
  })

  test('is written in the syntax of Node 12', () => {
    const { program, errors } = parseSync('launcher.js', readFileSync(launcher, 'utf8'))
    const newer: string[] = []
    new Visitor({
      ChainExpression: () => newer.push('?.'),
      LogicalExpression: ({ operator }) => operator === '??' && newer.push('??'),
      AssignmentExpression: ({ operator }) =>
        ['??=', '||=', '&&='].includes(operator) && newer.push(operator),
      AwaitExpression: () => newer.push('await'),
      ClassBody: () => newer.push('class'),
      ImportDeclaration: () => newer.push('import'),
    }).visit(program)
    expect({ errors, newer }).toEqual({ errors: [], newer: [] })
  })
})
