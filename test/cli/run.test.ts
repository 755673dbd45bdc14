import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Command, type Ended, fixture } from './command.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-cli-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const start = (...args: readonly string[]) => Command.start(folder, ...args)
const espalier = (...args: readonly string[]): Promise<Ended> => start(...args).ended
const readResult = (file: string) => JSON.parse(readFileSync(join(folder, file), 'utf8'))

describe('espalier run', () => {
  test('tells each event, then the whole run', async () => {
    const { code, stdout, stderr } = await espalier(
      'run',
      fixture('counting'),
      '--run-id',
      'r1',
      '--input',
      'goal=2',
      'name=x',
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout
      .replaceAll(/\d+(\.\d)?m?s\b/g, '<t>')
      .replaceAll(/^ +<t>/gm, '<t>')
      .split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        'counting  run r1',
        '<t>  ▸ n0 step 1  running',
        '<t>    n0 step 1: step 1',
        '<t>  ✓ n0 step 1  (<t>)',
        '<t>  → n0 step 1  score 0.5  grew 2 (n1 step 2 · n2 a wrong turn): go on (cut: 1 by maxChildrenPerNode)',
        '<t>  ✗ n2 a wrong turn  (<t>)  failed: this way is closed',
        '<t>  → n1 step 2  score 1  satisfied: the goal is reached',
      ]),
    )
    expect(lines.filter((line) => line.startsWith('<t>  ✓ n0'))).toHaveLength(1)
    expect(lines[lines.indexOf('Tree') - 1]).toBe('')
    const report = lines.slice(lines.indexOf('Tree'))
    expect(report.slice(0, 5)).toEqual([
      'Tree',
      '✓ n0 step 1  score 0.5  (<t>)',
      '  → grew 2: go on (cut: 1 by maxChildrenPerNode)',
      '  ✓ n1 step 2  score 1  (<t>)',
      '    → satisfied: the goal is reached',
    ])
    expect(report.filter((line) => line.startsWith('slot '))).toHaveLength(2)
    expect(report.slice(-6)).toEqual([
      '',
      '✓ counting completed after <t>  run r1',
      '  why    satisfied by n1 step 2: the goal is reached',
      "  value  { steps: 2, name: 'x' }",
      '  file   results/counting-r1.json',
      '',
    ])
    expect(readResult('results/counting-r1.json')).toMatchObject({
      runId: 'r1',
      status: 'completed',
      reason: 'satisfied',
      value: { steps: 2, name: 'x' },
      tree: { rootIds: ['n0'], nodes: { n1: { label: 'step 2', status: 'completed' } } },
    })
  })

  test('exits with 1 when the run fails, and tells why', async () => {
    const { code, stdout, stderr } = await espalier('run', fixture('failing'), '--quiet', '--run-id', 'r1')
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(stdout.replace(/\d+ms/, '<t>').split('\n')).toEqual([
      '✗ failing failed after <t>  run r1',
      '  why    failed: no luck today',
      '  file   results/failing-r1.json',
      '',
    ])
    expect(readResult('results/failing-r1.json').error).toMatchObject({
      name: 'Error',
      message: 'no luck today',
    })
  })

  test('prints one JSON document with --json, whatever the workflow prints', async () => {
    const { code, stdout, stderr } = await espalier('run', fixture('chatty'), '--json', '--run-id', 'r1')
    const document = JSON.parse(stdout)
    expect(document).toMatchObject({
      runId: 'r1',
      status: 'completed',
      reason: 'exhausted',
      file: 'results/chatty-r1.json',
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'loaded\nprinted by a handler, in parts' })
    expect({ ...readResult(document.file), file: document.file }).toEqual(document)
  })

  test('never overwrites a result', async () => {
    const args = ['run', fixture('chatty'), '--quiet', '--run-id', 'r1']
    await espalier(...args)
    expect((await espalier(...args)).stdout).toContain('  file   results/chatty-r1-2.json\n')
    expect(readdirSync(join(folder, 'results')).toSorted()).toEqual(['chatty-r1-2.json', 'chatty-r1.json'])
    writeFileSync(join(folder, 'mine.json'), 'precious')
    const { code, stderr } = await espalier(...args, '--out', 'mine.json')
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('--out names mine.json, which exists'),
    })
    expect(readFileSync(join(folder, 'mine.json'), 'utf8')).toBe('precious')
  })

  test('writes the result where --out says, and makes the folder', async () => {
    const { code } = await espalier('run', fixture('chatty'), '--quiet', '--out', 'deep/down/result.json')
    expect(code).toBe(0)
    expect(readResult('deep/down/result.json').status).toBe('completed')
  })

  test('takes what a workflow says as text', async () => {
    const { code, stdout, stderr } = await espalier('run', fixture('hostile'), '--run-id', 'r1')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u)
    expect(stdout).toContain('label red second line: log  overwritten\n')
    expect(stdout).toMatch(/failed: error red second line esrever$/m)
    expect(stdout).toContain('grew 2: why  red\n')
    const { value } = readResult('results/hostile-r1.json')
    expect(value).toMatchObject({ big: '1n', nan: 'NaN', log: '[Function: log]' })
  })

  test('goes on when nobody reads any more', async () => {
    const command = start('run', fixture('counting'), '--run-id', 'r1', '--input', 'goal=20')
    command.stopReading()
    expect((await command.ended).code).toBe(0)
    expect(readResult('results/counting-r1.json').status).toBe('completed')
  })

  test('has the resources that it is told', async () => {
    const none = await espalier('run', fixture('limited'), '--quiet')
    expect([none.code, none.stdout]).toEqual([1, expect.stringContaining('(`--limit` of `espalier run`)')])
    const told = await espalier('run', fixture('limited'), '--limit', 'device=1', '--limit', 'other=2')
    expect([told.code, told.stdout.match(/^slot \d/gm)]).toEqual([0, ['slot 0']])
    for (const limit of ['device', 'device=', 'device=-1', '=1']) {
      const { code, stderr } = await espalier('run', fixture('limited'), '--limit', limit)
      expect([code, stderr]).toEqual([2, expect.stringContaining('Give a name and how much, such as gpu=1')])
    }
  })

  test('runs as many jobs at a time as it is told', async () => {
    const { stdout } = await espalier('run', fixture('counting'), '--max-parallel-jobs', '1')
    expect(stdout.match(/^slot \d/gm)).toEqual(['slot 0'])
  })
})

describe('Ctrl-C', () => {
  test('cancels the run, and the result is still told and written', async () => {
    const command = start('run', fixture('endless'), '--run-id', 'r1')
    await command.prints('waiting')
    command.kill('SIGINT')
    const { code, stdout } = await command.ended
    expect(code).toBe(130)
    expect(stdout).toContain('○ endless cancelled after')
    expect(readResult('results/endless-r1.json')).toMatchObject({ status: 'cancelled', reason: 'cancelled' })
  })

  test('cancels a run that prints JSON, too', async () => {
    const command = start('run', fixture('endless'), '--json', '--input', 'announced=true')
    await command.prints('waiting', 'stderr')
    command.kill('SIGINT')
    const { code, stdout } = await command.ended
    expect(code).toBe(130)
    expect(JSON.parse(stdout).status).toBe('cancelled')
  })

  test('twice exits at once', async () => {
    const command = start('run', fixture('endless'), '--input', 'deaf=true')
    await command.prints('waiting')
    const pressing = setInterval(() => command.kill('SIGINT'), 50)
    const { code, stdout } = await command.ended
    clearInterval(pressing)
    expect(code).toBe(130)
    expect(stdout).not.toContain('Tree')
  })

  test('that arrives twice at the same time, as npm makes it, counts once', async () => {
    const command = start('run', fixture('endless'))
    await command.prints('waiting')
    // Two of one kind could become one on their way; which of these comes first is for the system to say.
    command.kill('SIGINT')
    command.kill('SIGTERM')
    const { code, stdout } = await command.ended
    expect([130, 143]).toContain(code)
    expect(stdout).toContain('endless cancelled')
  })

  test('SIGTERM does the same', async () => {
    const command = start('run', fixture('endless'))
    await command.prints('waiting')
    command.kill('SIGTERM')
    expect(await command.ended).toMatchObject({
      code: 143,
      stdout: expect.stringContaining('endless cancelled'),
    })
  })
})

describe('wrong use is told in one message, exit code 2', () => {
  test.each([
    [
      'no such file',
      ['run', 'none.ts'],
      /^There is no file none\.ts \(looked for .*none\.ts\)\. Check the path\.$/,
    ],
    ['no default export', ['run', fixture('no-default')], /no-default\.ts has no default export/],
    [
      'no workflow',
      ['run', fixture('no-workflow')],
      /is not a workflow\. ESP_INVALID_WORKFLOW: .* a function `root`/,
    ],
    [
      'a module that throws',
      ['run', fixture('throwing')],
      /cannot even be loaded \(.*throwing\.ts:\d+:\d+\)$/,
    ],
    [
      'a bad input',
      ['run', fixture('counting'), '--input', 'goal=0'],
      /^ESP_INVALID_INPUT: .*"counting".* goal: /,
    ],
    [
      'input that is no JSON',
      ['run', fixture('counting'), '--input', '{goal: 1}'],
      /is not JSON at line 1, column 2/,
    ],
    [
      'a number of jobs',
      ['run', fixture('counting'), '--max-parallel-jobs', '0'],
      /a whole number of at least 1/,
    ],
    [
      'a run id',
      ['run', fixture('counting'), '--run-id', '../x'],
      /'--run-id <id>' argument '\.\.\/x' is invalid/,
    ],
    [
      'a run id like an option',
      ['run', fixture('counting'), '--run-id', '-x'],
      /argument '-x' is invalid.* no dash at the beginning/,
    ],
    [
      'an unknown option',
      ['run', fixture('counting'), '--jason'],
      /unknown option '--jason'\n\(Did you mean --json\?\)/,
    ],
    [
      'an option cut short',
      ['run', fixture('counting'), '--max-paralel=2'],
      /unknown option '--max-paralel=2'\n\(Did you mean --max-parallel-jobs\?\)/,
    ],
    ['an unknown command', ['rum'], /unknown command 'rum'\n\(Did you mean run\?\)/],
    ['help on an unknown command', ['help', 'rnu'], /^error: unknown command 'rnu'\n\(Did you mean run\?\)/],
    [
      'an unknown command and --help',
      ['rnu', '--help'],
      /^error: unknown command 'rnu'\n\(Did you mean run\?\)/,
    ],
    ['no workflow named', ['run'], /missing required argument 'workflow'/],
    ['nothing at all', [], /^Usage: espalier/],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await espalier(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr.trim()).toMatch(message)
    expect(stderr).not.toMatch(/^ {4}at /m)
    expect(readdirSync(folder)).toEqual([])
  })

  test.each([
    ["import 'zodd'", /Cannot find package 'zodd' .* npm install zodd\.$/],
    [
      'enum Kind { A }\nexport default Kind',
      /enum is not supported .*broken\.ts:1\)\. Node only strips types/,
    ],
    [
      "import { defineWorkflow } from 'espalier'\n\nexport default defineWorkflow({ name: 'x', handlers: {}, rot: 1 })",
      /ESP_INVALID_WORKFLOW: .* a function `root`.*broken\.ts:3:\d+\)$/,
    ],
  ])('an import that fails tells where, and what to do: %s', async (code, message) => {
    // Below the package, so that it finds espalier by its name.
    const here = mkdtempSync(join(import.meta.dirname, 'broken-'))
    try {
      writeFileSync(join(here, 'broken.ts'), code)
      const { code: exit, stderr } = await espalier('run', join(here, 'broken.ts'))
      expect(exit).toBe(2)
      expect(stderr.trim()).toMatch(message)
    } finally {
      rmSync(here, { recursive: true })
    }
  })

  test('syntax errors tell file and line', async () => {
    writeFileSync(join(folder, 'broken.ts'), 'export default {\n  name:: 1\n}\n')
    const { code, stderr } = await espalier('run', 'broken.ts')
    expect(code).toBe(2)
    expect(stderr).toMatch(/^broken\.ts cannot be imported: SyntaxError: .* \(.*broken\.ts:2\)\n$/)
  })

  test.each([
    ['wf.ts', "import 'node:fs'"],
    ['wf.js', 'export default {}'],
  ])('a module in a package of CommonJS tells what to change: %s', async (name, code) => {
    writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }')
    writeFileSync(join(folder, name), code)
    const ran = await espalier('run', name)
    expect(ran.code).toBe(2)
    const advice = `Set "type": "module" in the package.json that is nearest, or name the file wf.m${name.slice(3)}.\n`
    expect(ran.stderr).toMatch(/^wf\.[jt]s cannot be imported: SyntaxError: .* \(.*wf\.[jt]s:1\)\. Set/m)
    expect(ran.stderr.endsWith(advice)).toBe(true)
  })

  test('a folder that cannot be written is told before the run', async () => {
    writeFileSync(join(folder, 'results'), 'not a folder')
    const { code, stdout, stderr } = await espalier('run', fixture('chatty'))
    expect({ code, stdout }).toEqual({ code: 2, stdout: 'loaded\n' })
    expect(stderr).toMatch(/^The result cannot be written to results/)
  })

  test('--debug adds the stack', async () => {
    const { code, stderr } = await espalier('run', fixture('throwing'), '--debug')
    expect(code).toBe(2)
    expect(stderr).toMatch(/^ {4}at .*throwing\.ts/m)
  })
})

test.each(['--version', '--help', 'help run'])('espalier %s prints to stdout', async (args) => {
  const { code, stdout, stderr } = await espalier(...args.split(' '))
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))
  expect(stdout).toContain(args === '--version' ? `${manifest.version}\n` : 'Usage: espalier')
})

test.each([
  ['assigned to module.exports', 'module.exports = workflow'],
  [
    'that a compiler made of a default export',
    "Object.defineProperty(exports, '__esModule', { value: true })\nexports.default = workflow",
  ],
])('the workflow of a CommonJS module is found: %s', async (_, assignment) => {
  const workflow =
    "const workflow = { name: 'common', handlers: { a: () => 1 }, root: () => ({ handler: 'a' }) }"
  writeFileSync(join(folder, 'common.cjs'), `${workflow}\n${assignment}\n`)
  const { code, stdout, stderr } = await espalier('run', 'common.cjs', '--quiet')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^✓ common completed/)
})

test.each(['run', 'check'])('a module that never finishes loading is told as such: %s', async (command) => {
  writeFileSync(join(folder, 'loading.mjs'), 'export default await new Promise(() => {})')
  const { code, stderr } = await espalier(command, 'loading.mjs')
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^The run stands still: .* at the top level of its module\.\n$/),
  })
  expect(stderr).not.toContain('jobs')
})

test('a run that nothing can end any more ends with an error', async () => {
  writeFileSync(
    join(folder, 'stuck.mjs'),
    "export default { name: 'stuck', handlers: {}, root: () => ({ handler: 'x' }), input: { '~standard': { validate: () => new Promise(() => {}) } } }",
  )
  const { code, stderr } = await espalier('run', 'stuck.mjs')
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/^The run stands still: /) })
})
