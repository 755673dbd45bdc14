import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Counterexample, replay } from 'espalier/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from '../../scripts/tool.ts'
import { Command, fixture } from './command.ts'
import racing, { check } from './fixtures/racing.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-check-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const espalierCheck = (...args: readonly string[]) => Command.start(folder, 'check', ...args).ended

/** Vitest on the tests of a folder, as its user would start it, with the conditions of this project. */
function runVitest(folder: string): { readonly status: number | null; readonly stdout: string } {
  const config = join(folder, 'vitest.config.js')
  writeFileSync(
    config,
    `const conditions = ['espalier-source']
export default { resolve: { conditions }, ssr: { resolve: { conditions } }, test: { root: ${JSON.stringify(folder)} } }
`,
  )
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const { VITEST, VITEST_WORKER_ID, VITEST_POOL_ID, ...env } = process.env
  const args = [vitest, 'run', '--config', config, '--root', folder]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    env: { ...env, NO_COLOR: '1' },
    encoding: 'utf8',
  })
  return { status, stdout: stdout + stderr }
}

/** What an emitted test imports, where its user would have installed it. */
function linkPackages(folder: string): void {
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/espalier'), 'junction')
  symlinkSync(join(root, 'node_modules/vitest'), join(folder, 'node_modules/vitest'), 'junction')
}

describe('espalier check', () => {
  test('tells the shortest run that breaks a promise as a story and as a diagram, and exits with 1', async () => {
    const { code, stdout } = await espalierCheck(fixture('racing'))
    expect(stdout).toMatch(/^checking racing {2}faults fail, timeout, cancel\n/)
    expect(stdout).toMatch(/explored {3}\d+ states, \d+ transitions, depth 3/)
    expect(stdout).toContain('✗ leftIsPreferred was broken')
    expect(stdout).toMatch(/ 1\. .*question ends → .*left starts; right starts\n/)
    expect(stdout).toContain('✗ leftIsPreferred: right was answered, though left has completed')
    expect(stdout).toMatch(/```mermaid\nsequenceDiagram\n {2}participant p0 as world\n/)
    expect(code).toBe(1)
  })

  test('exits with 0 when no promise was broken, having simulated after it has explored', async () => {
    const { code, stdout } = await espalierCheck(
      fixture('failing'),
      '--faults',
      'fail,cancel',
      '--runs',
      '30',
      '--seed',
      '5',
    )
    expect(stdout).toContain('all there are')
    expect(stdout).toMatch(/simulated {2}30 runs from seed 5, \d+ attempts/)
    expect(stdout).toMatch(/covered {4}job \d+\/\d+ · pool \d+\/\d+ · orchestrator \d+\/\d+ transitions/)
    expect(stdout).toContain('✓ no promise was broken')
    expect(stdout).toContain('No handler is run')
    expect(code).toBe(0)
  })

  test('tells where expand failed, which breaks no promise but leaves much untried', async () => {
    const args = [fixture('undecided'), '--runs', '1'] as const
    const { code, stdout } = await espalierCheck(...args)
    expect(stdout).toMatch(/undecided {2}1 node: ESP_EXPAND_FAILED: expand threw for node "\S+": Cannot read/)
    expect(stdout).toContain('✓ no promise was broken')
    expect(code).toBe(0)
    const { failedDecisions } = JSON.parse((await espalierCheck(...args, '--json')).stdout)
    expect(failedDecisions).toMatchObject([{ message: expect.stringContaining('ESP_EXPAND_FAILED') }])
    expect((await espalierCheck(fixture('failing'), '--runs', '0')).stdout).not.toContain('undecided')
  })

  test('prints one JSON document, whose counterexample can be replayed', async () => {
    const { code, stdout } = await espalierCheck(fixture('racing'), '--json')
    const report = JSON.parse(stdout)
    expect(report).toMatchObject({
      workflow: 'racing',
      holds: false,
      violation: { invariant: 'leftIsPreferred' },
    })
    const { violation } = await replay(racing, report.counterexample as Counterexample, check)
    expect(violation).toEqual(report.violation)
    expect(code).toBe(1)
  })

  test('paints what was taken on the charts, and lists what never was', async () => {
    const { stdout } = await espalierCheck(fixture('racing'), '--coverage', 'coverage')
    expect(stdout).toContain('The coverage of the charts is in coverage.')
    const text = (name: string) => readFileSync(join(folder, 'coverage', name), 'utf8')
    for (const name of ['job', 'pool', 'orchestrator']) {
      expect(text(`${name}.svg`)).toMatch(/^<svg .*>✗ /s)
      expect(text(`${name}.mmd`)).toContain('✗')
    }
    expect(text('job.svg')).toMatch(/>\d+× attempt.completed/)
    const report = JSON.parse(text('coverage.json')) as readonly {
      machine: string
      missed: { id: string }[]
    }[]
    expect(report.map(({ machine }) => machine)).toEqual(['job', 'pool', 'orchestrator'])
    expect(report[0]?.missed.map(({ id }) => id)).toContain('job.running.stopping:attempt.completed:0')
  })

  test('writes the run as a Vitest file', async () => {
    const file = join(folder, 'racing.test.ts')
    const { stdout } = await espalierCheck(fixture('racing'), '--emit-test', file)
    expect(stdout).toContain(`A test of this run is in ${file}.`)
    const text = readFileSync(file, 'utf8')
    expect(text).toMatch(/^import workflow, \{ check \} from ".*fixtures\/racing\.ts"$/m)
    expect(text).toContain('test("racing keeps its promise: leftIsPreferred"')
    const literal = /const counterexample: Counterexample = (\{.*?\n\})\n/s.exec(text)?.[1]
    const counterexample = JSON.parse(
      `${literal}`.replaceAll(/^ {2}(\w+):/gm, '"$1":').replaceAll(/,(\s*[}\]])/g, '$1'),
    )
    expect((await replay(racing, counterexample, check)).violation).toMatchObject({
      invariant: 'leftIsPreferred',
    })
    const again = await espalierCheck(fixture('racing'), '--emit-test', file)
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be written') })
  })

  test('writes a test that fails under Vitest while the promise is broken, and passes once it is mended', async () => {
    const own = mkdtempSync(join(tmpdir(), 'espalier-emitted-'))
    try {
      linkPackages(own)
      copyFileSync(fixture('racing'), join(own, 'racing.ts'))
      await Command.start(own, 'check', 'racing.ts', '--emit-test', 'racing.test.ts').ended
      const broken = runVitest(own)
      expect(broken.stdout).toContain('racing keeps its promise: leftIsPreferred')
      expect(broken.stdout).toContain('right was answered, though left has completed')
      expect(broken.status).toBe(1)
      const mended = readFileSync(join(own, 'racing.ts'), 'utf8').replace("=== 'right'", "=== 'neither'")
      writeFileSync(join(own, 'racing.ts'), mended)
      const whole = runVitest(own)
      expect(whole.stdout).toMatch(/Tests\s+1 passed/)
      expect(whole.status).toBe(0)
    } finally {
      rmSync(own, { recursive: true })
    }
  }, 60_000)

  test.each([
    [['--faults', 'fail,gremlins'], 'gremlins'],
    [['--runs', 'many'], '--runs'],
    [['--max-states', '0'], '--max-states'],
  ])('refuses %j', async (args, named) => {
    const { code, stderr } = await espalierCheck(fixture('racing'), ...args)
    expect(stderr).toContain(named)
    expect(code).toBe(2)
  })
})
