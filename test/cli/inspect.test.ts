import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runWorkflow } from 'espalier'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { decodeRecording, JOB_STATES } from '../../src/protocol/index.ts'
import { Page } from '../http/client.ts'
import { Command, type Ended, fixture } from './command.ts'
import counting from './fixtures/counting.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'espalier-inspect-'))
  process.env.XDG_STATE_HOME = folder
})
afterEach(() => {
  delete process.env.XDG_STATE_HOME
  rmSync(folder, { recursive: true })
})

const start = (...args: readonly string[]) => Command.start(folder, ...args)
const espalier = (...args: readonly string[]): Promise<Ended> => start(...args).ended
const file = (name: string) => join(folder, name)
const tokenFile = () => file('espalier/inspector-token')
const token = () => readFileSync(tokenFile(), 'utf8').trim()

/** Waits for the address that a command tells. */
async function addressOf(command: Command, stream: 'stdout' | 'stderr'): Promise<URL> {
  await command.prints('#code=', stream)
  return new URL(/inspector: (\S+)/.exec(command[stream])?.[1] ?? '')
}

describe('espalier run --inspect', () => {
  test('serves the run live to whoever has the token, which only the user can read, until it is interrupted', async () => {
    const command = start('run', fixture('endless'), '--inspect')
    const { origin, hash } = await addressOf(command, 'stderr')
    expect(statSync(tokenFile()).mode & 0o777).toBe(0o600)
    expect(hash).not.toContain(token())
    expect((await fetch(`${origin}/api/status`)).status).toBe(401)
    using page = new Page({ origin, bearer: { authorization: `Bearer ${token()}` } })
    await page.until(() => (page.model.jobCounts[JOB_STATES.indexOf('running.executing')] ?? 0) > 0)
    expect(page.find('welcome')?.recording.title).toMatch(/^endless /)
    command.kill('SIGINT')
    await page.closed()
    expect((await command.ended).code).toBe(130)
  })

  test('refuses a token that others can read', async () => {
    expect((await espalier('run', fixture('counting'), '--inspect', '--quiet')).code).toBe(0)
    chmodSync(tokenFile(), 0o644)
    const { code, stderr } = await espalier('run', fixture('counting'), '--inspect', '--quiet')
    expect([code, stderr]).toEqual([2, expect.stringContaining('can be read by others (mode 644)')])
  })
})

describe('a recorded run', () => {
  test('is written, shown again, and written as a page; nothing is overwritten', async () => {
    const ran = await espalier('run', fixture('counting'), '--quiet', '--report', 'run.espalier')
    expect(ran.code).toBe(0)
    const { header, blocks } = decodeRecording(readFileSync(file('run.espalier')))
    expect(header.title).toMatch(/^counting /)
    expect(blocks.length).toBeGreaterThan(0)

    expect((await espalier('report', 'run.espalier', '-o', 'run.html')).code).toBe(0)
    expect(readFileSync(file('run.html'), 'utf8')).toContain('id="payload"')
    const again = await espalier('report', 'run.espalier', '-o', 'run.html')
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('which exists')])

    const shown = start('inspect', 'run.espalier')
    const { origin } = await addressOf(shown, 'stdout')
    using page = new Page({ origin, bearer: { authorization: `Bearer ${token()}` } })
    await page.until(() => page.find('ended') !== undefined)
    expect(page.find('welcome')?.canControl).toBe(false)
    expect(page.model.jobCounts[JOB_STATES.indexOf('completed')]).toBeGreaterThan(0)
    shown.kill('SIGINT')
    expect((await shown.ended).code).toBe(0)
  })

  test('of a store is one too', async () => {
    const store = ['--store', 'runs.db']
    expect((await espalier('run', fixture('counting'), '--quiet', '--run-id', 'r1', ...store)).code).toBe(0)
    expect((await espalier('report', 'r1', ...store, '-o', 'r1.csv')).code).toBe(0)
    const [head, ...lines] = readFileSync(file('r1.csv'), 'utf8').trimEnd().split('\r\n')
    expect(head).toMatch(/^job,kind,label,/)
    expect(lines.map((line) => line.split(',').slice(0, 6).join())).toEqual(
      expect.arrayContaining([
        'r1.n0,count,step 1,n0,r1,completed',
        'r1.n2,refuse,a wrong turn,n2,r1,failed',
      ]),
    )
    const unknown = await espalier('report', 'r2', ...store, '-o', 'r2.csv')
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('ESP_UNKNOWN_RUN')])
  })

  test('of a store is found by its id, whatever files are called', async () => {
    mkdirSync(file('results'))
    writeFileSync(file('night'), 'no recording')
    for (const runId of ['v1.2', 'results', 'night'])
      await runWorkflow(counting, { input: {}, runId, store: file('runs.db') })
    const report = (...args: readonly string[]) => espalier('report', ...args, '-o', `${args.join('')}.csv`)
    const store = ['--store', 'runs.db']
    const found = await Promise.all([report('v1.2'), report('results'), report('night', ...store)])
    expect(found.map(({ code, stderr }) => [code, stderr])).toEqual(found.map(() => [0, '']))
    expect(readFileSync(file('results.csv'), 'utf8')).toContain('\nresults.n0,')
    writeFileSync(file('v1.3'), '')
    const refused = await Promise.all([report('night'), report('v1.4'), report('v1.3', ...store)])
    expect(refused.map(({ stderr }) => stderr)).toEqual([
      expect.stringContaining('The file night is no recording.'),
      expect.stringMatching(/No run "v1\.4" is in the store runs\.db\..* Nor is there a file v1\.4/),
      expect.stringMatching(/No run "v1\.3" is in .* To read the file v1\.3, leave out --store\.$/m),
    ])
  })

  test.each(['found.json', 'found.espalier'])(
    'that breaks a promise is shown with all that led to it, from %s',
    async (name) => {
      const args = name.endsWith('.json') ? ['--json'] : ['--report', name]
      const checked = await espalier('check', fixture('racing'), ...args)
      expect(checked.code).toBe(1)
      if (name.endsWith('.json')) writeFileSync(file(name), checked.stdout)
      const shown = start('inspect', name)
      const { origin } = await addressOf(shown, 'stdout')
      using page = new Page({ origin, bearer: { authorization: `Bearer ${token()}` } })
      await page.until(() => page.find('ended') !== undefined)
      expect(page.find('welcome')?.recording.title).toBe('racing: leftIsPreferred')
      const { model } = page
      const ids = Array.from({ length: model.jobs.state.length }, (_, row) => model.jobId(row, ''))
      expect(ids).toEqual(['run.n0', 'run.n1', 'run.n2'])
      expect(model.jobCounts[JOB_STATES.indexOf('completed')]).toBe(3)
      shown.kill('SIGINT')
      expect((await shown.ended).code).toBe(0)
    },
  )

  test('that breaks a promise is written as a page', async () => {
    const { stdout, code } = await espalier('check', fixture('racing'), '--report', 'found.html')
    expect(stdout).toContain('The run is recorded in found.html.')
    expect(code).toBe(1)
    expect(readFileSync(file('found.html'), 'utf8')).toContain('id="payload"')
  })

  test('is refused when it is none, or the format is not known, before anything has run', async () => {
    writeFileSync(file('no.espalier'), '{}')
    expect((await espalier('report', 'no.espalier', '-o', 'x.html')).stderr).toContain('is no recording')
    expect((await espalier('inspect', 'missing.espalier')).code).toBe(2)
    const ran = await espalier('run', fixture('counting'), '--report', 'x.pdf')
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('ending in .espalier, .html')])
    expect(existsSync(file('results'))).toBe(false)
  })
})
