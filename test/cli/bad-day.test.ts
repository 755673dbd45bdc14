import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Command, type Ended, fixture } from './command.ts'

// What a user meets when the world around a command does not play along.

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-bad-day-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const espalier = (...args: readonly string[]): Promise<Ended> => Command.start(folder, ...args).ended

describe('a report that cannot be written is told before the run', () => {
  test.each([
    ['is there already', 'there.csv', /^--report names there\.csv, which exists, and is not overwritten\./],
    [
      'would be in a file',
      'there.csv/x.csv',
      /^--report names there\.csv\/x\.csv, .*there\.csv is not a folder/,
    ],
    ['has no known ending', 'x.doc', /^A report's file name tells its format/],
  ])('one that %s', async (_, report, message) => {
    writeFileSync(join(folder, 'there.csv'), 'precious')
    const { code, stdout, stderr } = await espalier('run', fixture('counting'), '--report', report)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
    expect(readdirSync(folder)).toEqual(['there.csv'])
  })

  test('one in a folder that is not there yet is written, and the folder made', async () => {
    const { code } = await espalier('run', fixture('counting'), '--quiet', '--report', 'deep/down/x.csv')
    expect(code).toBe(0)
    expect(existsSync(join(folder, 'deep/down/x.csv'))).toBe(true)
  })
})

describe('an outcome that cannot be written is told before the run', () => {
  test.each([
    [
      'is a link that leads nowhere',
      'link',
      /^--out names link, .*link is a link to what is not there\. Name/,
    ],
    ['would be below such a link', 'link/x.json', /^--out names link\/x\.json, .*link is a link to what is/],
    ['is a link to itself', 'itself', /^--out names itself, .*ELOOP/],
    ['is a folder by its name', 'folder/', /^--out names folder\/, .*a file has a name/],
    ['has no name', '', /^--out names , .*a file has a name/],
    ['has too long a name', 'x'.repeat(300), /^--out names x+, .*ENAMETOOLONG/],
  ])('one that %s', async (_, out, message) => {
    symlinkSync('nowhere/x', join(folder, 'link'))
    symlinkSync('itself', join(folder, 'itself'))
    const { code, stdout, stderr } = await espalier('run', fixture('counting'), '--out', out)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(message)
    expect(readdirSync(folder)).toEqual(['itself', 'link'])
  })
})

describe('a port for the page', () => {
  test('that another program has is told before the run', async () => {
    const server = createServer()
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const { port } = server.address() as AddressInfo
    const { code, stderr } = await espalier('run', fixture('counting'), '--inspect-port', String(port))
    server.close()
    expect(code).toBe(2)
    expect(stderr).toBe(
      `The page cannot be served: port ${port} is taken. Name another with --inspect-port, or leave it out for any free one.\n`,
    )
  })

  test.each(['0', '65536', 'x'])('%s is none', async (port) => {
    const { code, stderr } = await espalier('run', fixture('counting'), '--inspect-port', port)
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('a port from 1 to 65535') })
  })
})

test.each(['r'.repeat(100), 'r1-', '.r1'])(
  'the outcome of run %s is in the file that is named after it',
  async (runId) => {
    expect((await espalier('run', fixture('counting'), '--quiet', '--run-id', runId)).code).toBe(0)
    expect(readdirSync(join(folder, 'results'))).toEqual([`counting-${runId}.json`])
  },
)

test('a clock that was set back while a run lasted makes no negative times', async () => {
  await espalier('run', fixture('counting'), '--store', 'runs.db', '--run-id', 'r1', '--quiet')
  const db = new DatabaseSync(join(folder, 'runs.db'))
  db.exec('UPDATE runs SET ended_at = created_at - 3600000')
  db.close()
  expect((await espalier('runs')).stdout).toMatch(/^r1 .*, took 0ms$/m)
})

test('a folder in which no token can be kept is told, and what to do', async () => {
  writeFileSync(join(folder, 'file'), '')
  process.env.XDG_STATE_HOME = join(folder, 'file')
  const { code, stderr } = await espalier('run', fixture('counting'), '--inspect')
  delete process.env.XDG_STATE_HOME
  expect(code).toBe(2)
  expect(stderr).toMatch(/^The inspector's token cannot be kept in .*: .*ESPALIER_INSPECTOR_TOKEN/)
})

describe.runIf(process.platform !== 'win32')(
  'a token for the page, where the environment names no folder for it',
  () => {
    const startWith = (setting: string) =>
      Command.inShell(
        folder,
        `unset XDG_STATE_HOME ESPALIER_INSPECTOR_TOKEN; export ${setting}; exec "$@"`,
        ...['run', fixture('counting'), '--inspect', '--quiet'],
      ).ended

    test.each(['HOME=', 'HOME=there', 'HOME=there XDG_STATE_HOME=here'])(
      '%s: it is told, and no secret is put where the command was called',
      async (setting) => {
        const { code, stderr } = await startWith(setting)
        expect(code).toBe(2)
        expect(stderr).toMatch(/^The inspector's token .* no home .*ESPALIER_INSPECTOR_TOKEN.*\n$/)
        expect(readdirSync(folder)).toEqual([])
      },
    )

    test('a relative XDG_STATE_HOME counts for nothing', async () => {
      const { code } = await startWith(`HOME=${folder}/home XDG_STATE_HOME=here`)
      expect(code).toBe(0)
      expect(readdirSync(folder)).toEqual(['home', 'results'])
    })
  },
)

describe.runIf(process.platform !== 'win32')('a disk without room', () => {
  /** Starts where no file may have more than so many blocks of 512 bytes. */
  const startWithRoom = (blocks: number, ...args: readonly string[]) =>
    Command.inShell(folder, `ulimit -f ${blocks}; exec "$@"`, ...args)

  test('for the store: what is committed stays, and how to go on is told', async () => {
    const run = ['run', fixture('counting'), '--input', 'goal=40', '--store', 'runs.db', '--run-id', 'r1']
    const command = startWithRoom(400, ...run, '--quiet')
    await command.prints('ESP_STORE_REFUSED', 'stderr')
    // The pool would wait for room.
    command.kill('SIGINT')
    const { stderr } = await command.ended
    expect(stderr).toMatch(/^Then go on with: espalier resume r1 --store runs\.db$/m)
    const resumed = await espalier('resume', 'r1', '--store', 'runs.db', '--json')
    expect(resumed.code).toBe(0)
    expect(JSON.parse(resumed.stdout)).toMatchObject({ reason: 'satisfied', value: { steps: 40 } })
  })

  test('for the result: it is told, and half a file is not left behind', async () => {
    const run = ['run', fixture('counting'), '--out', 'x.json', '--quiet']
    const { code, stdout, stderr } = await startWithRoom(1, ...run).ended
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining('counting completed') })
    expect(stderr).toMatch(/^The result could not be written to x\.json: EFBIG/)
    expect(readdirSync(folder)).toEqual([])
  })
})

describe.runIf(existsSync('/dev/full'))('an stdout that cannot be written', () => {
  const intoFull = (...args: readonly string[]) =>
    Command.inShell(folder, 'exec "$@" > /dev/full', ...args).ended

  test('does not end a run: its file is written, and the store has its end', async () => {
    const run = ['run', fixture('counting'), '--run-id', 'r1', '--store', 'runs.db', '--input', 'goal=4']
    expect(await intoFull(...run)).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Stdout could not be written: ENOSPC: no space left on device, write.\n',
    })
    expect(JSON.parse(readFileSync(join(folder, 'results/counting-r1.json'), 'utf8'))).toMatchObject({
      status: 'completed',
    })
    expect((await espalier('runs')).stdout).toMatch(/^r1 {2}counting {2}completed /)
  })

  test('is told by a command that lists, in one line', async () => {
    await espalier('run', fixture('counting'), '--store', 'runs.db', '--quiet')
    for (const args of [['runs'], ['runs', '--json'], ['--help']]) {
      const { code, stderr } = await intoFull(...args)
      expect([code, stderr]).toEqual([1, expect.stringMatching(/^Stdout could not be written: ENOSPC.*\n$/)])
    }
  })
})
