import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CommandLine, type CommandResult, JobPool, type JobSpec } from 'espalier'
import { createCommandExecutor } from 'espalier/executors/command'
import { afterAll, describe, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'espalier-command-'))
const pool = new JobPool({ executorType: 'command', maxParallelJobs: 4, timeoutMs: 20_000 })
afterAll(async () => {
  await pool.shutdown()
  rmSync(folder, { recursive: true })
})

const run = (execute: CommandLine, rest: Partial<JobSpec> = {}) =>
  pool.submitJob({ execute, ...rest }).result()
const value = async <Value = CommandResult>(execute: CommandLine, rest: Partial<JobSpec> = {}) =>
  (await pool.submitJob({ execute, ...rest }).value()) as Value
/** A line for a shell that the test starts on purpose. */
const sh = (line: string, rest: Partial<CommandLine> = {}): CommandLine => ({
  command: 'sh',
  args: ['-c', line],
  ...rest,
})

describe('a command', () => {
  test('gives its exit code and what it wrote', async () => {
    expect(await value(sh('echo out; echo err >&2'))).toEqual({
      exitCode: 0,
      stdout: 'out\n',
      stderr: 'err\n',
      truncated: { stdout: false, stderr: false },
    })
  })

  test('gets its arguments as they are: no shell reads them', async () => {
    const args = ['%s|', '$(echo a)', '`b`', '*', 'c d', "'e'", '"', ';', '--', '\n', '']
    const { stdout } = await value({ command: 'printf', args })
    expect(stdout).toBe(
      args
        .slice(1)
        .map((arg) => `${arg}|`)
        .join(''),
    )
  })

  test('gets an environment of few variables and its own, and none of the secrets', async () => {
    process.env.SECRET_TOKEN = 'canary'
    try {
      const { stdout } = await value(
        { command: 'env', env: { MINE: '1', HOME: '/home' } },
        { id: 'env', nodeId: 'n' },
      )
      expect(stdout).not.toContain('canary')
      const env = Object.fromEntries(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split('=')),
      )
      expect(env).toMatchObject({
        MINE: '1',
        HOME: '/home',
        ESPALIER_JOB_ID: 'env',
        ESPALIER_NODE_ID: 'n',
        ESPALIER_ATTEMPT: '1',
      })
      expect(env.PATH).toBe(process.env.PATH)
    } finally {
      delete process.env.SECRET_TOKEN
    }
  })

  test('can be given more of the environment by name', async () => {
    process.env.REGION = 'eu'
    const executor = createCommandExecutor({ inheritEnv: ['REGION', 'PATH'] })
    await using other = new JobPool({ executors: [executor] })
    const job = other.submitJob({ executor: 'command', execute: { command: 'env', result: 'text' } })
    expect(await job.value()).toMatch(/^REGION=eu$/m)
    expect(await job.value()).not.toMatch(/^HOME=/m)
  })

  test('runs where it is told to', async () => {
    expect(await value<string>({ command: 'pwd', args: ['-P'], cwd: '/', result: 'text' })).toBe('/\n')
  })

  test.each([
    ['text', 'über\n'],
    ['bytes', new Uint8Array([0x61, 0x00, 0xff])],
  ])('reads %s from stdin', async (_, stdin) => {
    const { stdout } = await value({ command: 'od', args: ['-An', '-tx1'], stdin })
    expect(Buffer.from(stdout.replace(/\s/g, ''), 'hex')).toEqual(Buffer.from(stdin as string))
  })

  test("reads the job's args as lines of JSON, when no other stdin is given", async () => {
    const args = [{ k: 3, text: 'a\nb' }, [1, null]]
    expect(await value<string>({ command: 'cat', result: 'text' }, { args })).toBe(
      '{"k":3,"text":"a\\nb"}\n[1,null]\n',
    )
    expect(await value<string>({ command: 'cat', result: 'text' })).toBe('')
  })

  test('that does not read its stdin is no fault', async () => {
    expect((await run({ command: 'true', stdin: 'x'.repeat(1_000_000) })).status).toBe('completed')
  })

  test('is the handler of a workflow too: its input comes as JSON, its JSON is the value', async () => {
    const { defineWorkflow, node, runWorkflow } = await import('espalier')
    const workflow = defineWorkflow({
      name: 'commands',
      handlers: { double: { command: process.execPath, args: ['-e', DOUBLE], result: 'json' } },
      root: () => node({ handler: 'double', input: { n: 21 }, executor: 'command' }),
    })
    const { tree } = await runWorkflow(workflow)
    expect(tree.nodes.n0?.result?.value).toEqual({ n: 42 })
  })
})

const DOUBLE = `
  const { n } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
  console.log(JSON.stringify({ n: n * 2 }))
`

describe('the result of a command', () => {
  test('is the JSON it writes to stdout, on request; stderr does not disturb it', async () => {
    expect(await value(sh('echo working >&2; echo \'{"a":[1,2]}\'', { result: 'json' }))).toEqual({
      a: [1, 2],
    })
  })

  test('is the JSON of a file that it writes, on request', async () => {
    const execute = sh('echo [1] > result.json', { cwd: folder, result: { file: 'result.json' } })
    expect(await value(execute)).toEqual([1])
    // And again: it is not the file of before.
    expect(
      await value({ ...execute, args: ['-c', '[ ! -e result.json ] && echo [2] > result.json'] }),
    ).toEqual([2])
  })

  test.each<[string, CommandLine, RegExp]>([
    ['is no JSON', sh('echo nonsense', { result: 'json' }), /JSON on stdout, but got "nonsense/],
    ['was not written', sh('true', { cwd: folder, result: { file: 'no.json' } }), /did not write it/],
    ['was there before', sh('true', { cwd: folder, result: { file: 'old.json' } }), /did not write it/],
  ])('is a failure when it %s', async (_, execute, text) => {
    writeFileSync(join(folder, 'old.json'), '1')
    const { status, error } = await run(execute)
    expect(status).toBe('failed')
    expect(error).toMatchObject({ code: 'ESP_COMMAND_RESULT', message: expect.stringMatching(text) })
  })

  test('may be 50 MB, and no more than the executor allows', async () => {
    const write = `process.stdout.write(JSON.stringify('x'.repeat(50e6)))`
    const execute: CommandLine = { command: process.execPath, args: ['-e', write], result: 'json' }
    expect(await value<string>(execute)).toHaveLength(50e6)
    await using small = new JobPool({ executorType: createCommandExecutor({ resultBytesMax: 1_000 }) })
    const { error } = await small.submitJob({ execute }).result()
    expect(error?.message).toMatch(/at most 1000 bytes on stdout, but wrote more/)
  })

  test('of another exit code is a success when the command says so', async () => {
    const execute: CommandLine = { command: 'grep', args: ['needle'], stdin: 'hay', okExitCodes: [0, 1] }
    expect(await value(execute)).toMatchObject({ exitCode: 1, stdout: '' })
  })
})

describe('what a command writes', () => {
  test('comes as events while it runs, characters whole', async () => {
    const chunks: string[] = []
    const off = pool.on('job.output', ({ jobId, stream, chunk }) => {
      if (jobId === 'said') chunks.push(`${stream} ${chunk}`)
    })
    // The command waits for a word from this test: the event came before its end.
    const go = join(folder, 'go')
    const heard = new Promise<void>((resolve) =>
      pool.on('job.output', ({ jobId }) => void (jobId === 'said' && resolve())),
    )
    const script = `printf '\\303'; while [ ! -e ${go} ]; do sleep 0.01; done; printf '\\274 €'; echo e >&2`
    const job = pool.submitJob({ id: 'said', execute: sh(`printf a; ${script}`) })
    await heard
    writeFileSync(go, '')
    expect(((await job.value()) as CommandResult).stdout).toBe('aü €')
    off()
    expect(
      chunks
        .filter((chunk) => chunk.startsWith('stdout '))
        .map((chunk) => chunk.slice(7))
        .join(''),
    ).toBe('aü €')
    expect(chunks).toContain('stderr e\n')
  })

  test('is cut after 1 MiB a stream; 1 GB of it neither stops the command nor fills the memory', async () => {
    let heard = 0
    let flagged = 0
    pool.on('job.output', ({ jobId, chunk, truncated }) => {
      if (jobId !== 'flood') return
      heard += chunk.length
      if (truncated) flagged++
    })
    const before = process.memoryUsage().rss
    const { stdout, truncated } = await value(
      { command: 'head', args: ['-c', '1000000000', '/dev/zero'] },
      { id: 'flood' },
    )
    expect(stdout).toHaveLength(1_048_576)
    expect(truncated).toEqual({ stdout: true, stderr: false })
    expect(heard).toBe(1_048_576)
    expect(flagged).toBe(1)
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6)
  })
})

describe('a command is refused', () => {
  const refused: readonly [string, unknown, RegExp][] = [
    ['as a closure', () => 1, /\{ command, args\?/],
    ['as a line for a shell', 'ls -l', /ESP_UNKNOWN_HANDLER.*`\{ command, args \}`/],
    ['without a program', { command: '' }, /name or path/],
    ['with a NUL in its name', { command: 'a\0b' }, /name or path/],
    ['with a NUL in an argument', { command: 'echo', args: ['a\0b'] }, /without NUL/],
    ['with arguments in one text', { command: 'echo', args: 'a b' }, /array of strings/],
    ['with a number among its arguments', { command: 'echo', args: [1] }, /array of strings/],
    ['with a variable that is no text', { command: 'env', env: { A: 1 } }, /as `env`/],
    ['with "=" in the name of a variable', { command: 'env', env: { 'A=B': '' } }, /as `env`/],
    ['with its variables in a Map', { command: 'env', env: new Map([['A', '1']]) }, /as `env`/],
    ['with its variables in a list', { command: 'env', env: ['A=1'] }, /as `env`/],
    ['with a NUL in a variable', { command: 'env', env: { A: '\0' } }, /as `env`/],
    ['with shell: true', { command: 'ls', shell: true }, /without `shell`/],
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is wrong.
    ['with a hole in its arguments', { command: 'echo', args: ['a', ,] }, /array of strings/],
    ['with a result nobody knows', { command: 'ls', result: 'yaml' }, /as `result`/],
    ['with a result file without a name', { command: 'ls', result: { file: '' } }, /as `result`/],
    ['with a result of null', { command: 'ls', result: null }, /as `result`/],
    [
      'with more than a file as its result',
      { command: 'ls', result: { file: 'a.json', y: 1 } },
      /as `result`, without `y`/,
    ],
    ['with a stdin that is no text', { command: 'cat', stdin: 1 }, /as `stdin`/],
    ['with an exit code nobody has', { command: 'ls', okExitCodes: [256] }, /as `okExitCodes`/],
    ['with an exit code below 0', { command: 'ls', okExitCodes: [-1] }, /as `okExitCodes`/],
    ['with half an exit code', { command: 'ls', okExitCodes: [0.5] }, /as `okExitCodes`/],
    ['with an exit code as text', { command: 'ls', okExitCodes: ['0'] }, /as `okExitCodes`/],
    ['with no exit code that is a success', { command: 'ls', okExitCodes: [] }, /one or more.*`okExitCodes`/],
    // biome-ignore lint/suspicious/noSparseArray: a hole is what is wrong.
    ['with a hole in its exit codes', { command: 'ls', okExitCodes: [0, ,] }, /as `okExitCodes`/],
    ['with one exit code without its list', { command: 'ls', okExitCodes: 0 }, /as `okExitCodes`/],
  ]
  test.each(refused)('%s, when it is submitted', (_, execute, text) => {
    expect(() => pool.submitJob({ execute: execute as CommandLine })).toThrow(text)
  })

  test('with arguments of its job that JSON would lose, naming the place', async () => {
    const args = [{ ok: 1, deep: [new Map()] }]
    const { status, reason, error } = await run({ command: 'cat' }, { args })
    expect({ status, reason }).toEqual({ status: 'failed', reason: 'rejected' })
    expect(error).toMatchObject({
      code: 'ESP_CANNOT_CARRY',
      details: { path: '$[0].deep[0]', found: 'a Map' },
    })
  })
})

test.runIf(process.platform === 'linux')('its usage is measured', async () => {
  const script = `const held = Buffer.alloc(150e6, 1); while (process.cpuUsage().user < 600e3); held.at(0)`
  const { usage } = await run({ command: process.execPath, args: ['-e', script] })
  expect(usage?.cpuMs).toBeGreaterThan(150)
  expect(usage?.cpuMs).toBeLessThan(5_000)
  expect(usage?.peakMemoryBytes).toBeGreaterThan(150e6)
  expect(usage?.peakMemoryBytes).toBeLessThan(500e6)
})
