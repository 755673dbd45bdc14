import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { defineWorkflow, type Executor, JobPool, node, runWorkflow } from 'espalier'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Command, fixture } from './command.ts'
import counting from './fixtures/counting.ts'

describe('a run in a store', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'espalier-cli-store-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const steps = () => readFileSync(join(folder, 'steps.log'), 'utf8').trim().split('\n')
  const call = (...args: readonly string[]) => Command.start(folder, ...args).ended

  test('survives kill -9, and goes on where it was', async () => {
    const run = Command.start(folder, 'run', fixture('slow'), '--store', 'runs.db', '--run-id', 'r1')
    await run.prints('step 3  running')

    const second = await call('resume', 'r1')
    expect(second.code).toBe(2)
    expect(second.stderr).toMatch(
      /ESP_STORE_OWNED: The store runs\.db is owned by process \d+ on \S+ since \d{4}-/,
    )

    const live = await call('show', 'r1')
    expect(live.stdout).toMatch(/n1 step 2 {2}completed {2}→ grow\n {2}n2 step 3 {2}running\.executing/)

    expect((await call('runs')).stdout).toMatch(/^r1 {2}slow {2}running /)

    run.kill('SIGKILL')
    await run.ended
    expect((await call('runs')).stdout).toMatch(/^r1 {2}slow {2}interrupted /)
    expect(JSON.parse((await call('show', 'r1', '--json')).stdout).status).toBe('interrupted')
    const resumed = await call('resume', 'r1', '--json')
    expect(resumed.code).toBe(0)
    expect(JSON.parse(resumed.stdout)).toMatchObject({ runId: 'r1', reason: 'satisfied', value: 5 })
    expect(steps()).toEqual(['1#1', '2#1', '3#1', '3#2', '4#1', '5#1'])
  })

  test('is listed and shown, for people and as JSON', async () => {
    const { stdout } = await call('runs')
    expect(stdout).toMatch(/^r1 {2}slow {2}completed \(satisfied\) {2}\d{4}-\S+, took /)
    const [listed] = JSON.parse((await call('runs', '--json')).stdout)
    expect(listed).toMatchObject({ id: 'r1', workflow: 'slow', status: 'completed', value: 5 })
    const shown = JSON.parse((await call('show', 'r1', '--json')).stdout)
    expect(
      shown.nodes.map(({ id, status, attempts }: Record<string, unknown>) => [id, status, attempts]),
    ).toEqual([
      ['n0', 'completed', 1],
      ['n1', 'completed', 1],
      ['n2', 'completed', 2],
      ['n3', 'completed', 1],
      ['n4', 'completed', 1],
    ])
    expect(shown.store).toMatchObject({ runs: 1, jobs: 5 })
  })

  test('that has ended prints its outcome again, and runs nothing', async () => {
    const again = await call('resume', 'r1', '--json')
    expect(JSON.parse(again.stdout)).toMatchObject({ value: 5 })
    expect(steps()).toHaveLength(6)
    expect(readdirSync(join(folder, 'results'))).toEqual(['slow-r1.json'])
  })

  test('is forked at an event of its journal: what was done is not done again', async () => {
    const events = JSON.parse((await call('show', 'r1', '--events', '--json')).stdout)
    const isDecided = ({ event }: { event: { type: string; nodeId?: string } }) =>
      event.type === 'node.decided' && event.nodeId === 'n2'
    const at = String(events.find(isDecided).seq)
    expect((await call('show', 'r1', '--events')).stdout).toMatch(
      new RegExp(`^ *${at} {2}\\S+ {2}r1 {2}node\\.decided {2}n2 grow$`, 'm'),
    )
    const fork = await call('fork', 'r1', '--at', at, '--run-id', 'r3', '--json')
    expect(JSON.parse(fork.stdout)).toMatchObject({ runId: 'r3', reason: 'satisfied', value: 5 })
    expect(steps().slice(6)).toEqual(['4#1', '5#1'])
    const shown = JSON.parse((await call('show', 'r3', '--verify', '--json')).stdout)
    expect(shown).toMatchObject({ forkedFrom: `r1@${at}`, status: 'completed' })
  })

  test('folds to what is stored, and says so when somebody has changed it', async () => {
    expect((await call('show', 'r1', '--verify')).code).toBe(0)
    const db = new DatabaseSync(join(folder, 'runs.db'))
    db.exec("UPDATE jobs SET attempt = 9 WHERE id = 'r1.n2'")
    db.close()
    const { code, stderr } = await call('show', 'r1', '--verify')
    expect([code, stderr]).toEqual([2, expect.stringContaining('ESP_STORE_DIVERGED')])
    expect(stderr).toContain('job "r1.n2"')
  })

  test('that no process works on is cancelled, and can be explained', async () => {
    const run = Command.start(folder, 'run', fixture('slow'), '--store', 'the other.db', '--run-id', 'r2')
    await run.prints('step 3  running')
    expect((await call('cancel', 'r2', '--store', 'the other.db')).stderr).toContain('ESP_STORE_OWNED')
    const waiting = await call('why', 'r2.n2', '--store', 'the other.db')
    expect(waiting.stdout).toMatch(
      /^r2\.n2 {2}running\.executing {2}1 attempt\n {2}until \d{4}-\S+ at the latest/,
    )
    run.kill('SIGKILL')
    await run.ended
    const left = await call('why', 'r2.n2', '--store', 'the other.db')
    expect(left.stdout).toContain("`espalier resume r2 --store 'the other.db'` goes on with it")
    const cancelled = await call('cancel', 'r2', '--store', 'the other.db')
    expect([cancelled.code, cancelled.stdout]).toEqual([0, 'r2 is cancelled.\n'])
    const { stdout } = await call('why', 'r2.n2', '--store', 'the other.db')
    expect(stdout).toBe('r2.n2  cancelled  1 attempt\n  cancelled (cancelled)\n')
    const json = JSON.parse((await call('why', 'r2.n2', '--store', 'the other.db', '--json')).stdout)
    expect(json).toMatchObject({
      jobId: 'r2.n2',
      state: 'cancelled',
      causes: [{ status: 'cancelled', cancelledBy: 'tree' }],
    })
  })

  test('is cancelled without what its jobs and those beside it name', async () => {
    const store = join(folder, 'foreign.db')
    const own: Executor = { name: 'own', supports: {}, refuses: () => undefined, start: () => {} }
    const workflow = defineWorkflow({
      name: 'foreign',
      handlers: { load: () => new Promise(() => {}) },
      root: () => [
        node({ handler: 'load', key: 'a', resources: { gpu: 1 } }),
        node({ handler: 'load', executor: 'own', dependencies: ['a'] }),
      ],
    })
    const handlers = { mail: () => 'sent' }
    const pool = new JobPool({ store, handlers, executors: [own], limits: { gpu: 1 } })
    pool.pause()
    const { promise: areThere, resolve } = Promise.withResolvers<void>()
    let count = 0
    pool.on('job.submitted', () => ++count === 3 && resolve())
    pool.submitJob({ id: 'letter', execute: 'mail' })
    const left = runWorkflow(workflow, { pool, runId: 'r4' }).catch(({ code }) => code)
    await areThere
    await pool.shutdown({ wait: false })
    expect(await left).toBe('ESP_POOL_CLOSED')
    const cancelled = await call('cancel', 'r4', '--store', 'foreign.db')
    expect([cancelled.stderr, cancelled.stdout]).toEqual(['', 'r4 is cancelled.\n'])
    expect((await call('show', 'r4', '--store', 'foreign.db', '--verify')).code).toBe(0)
    const other = defineWorkflow({
      name: 'other',
      handlers: { one: () => 1 },
      root: () => node({ handler: 'one' }),
    })
    expect((await runWorkflow(other, { store })).status).toBe('completed')
    const run = await call('run', fixture('counting'), '--input', 'goal=2', '--store', 'foreign.db')
    expect([run.code, run.stderr]).toEqual([0, ''])
    const next = new JobPool({ store, handlers })
    expect((await next.waitForJob('letter')).value).toBe('sent')
    await next.shutdown()
  })

  test('names the first of many that a job waits for', async () => {
    const pool = new JobPool({ store: join(folder, 'many.db'), handlers: { noop: () => {} } })
    pool.pause()
    const dependencies = Array.from({ length: 12 }, (_, index) => `d${index}`)
    pool.submitJobs([
      ...dependencies.map((id) => ({ id, execute: 'noop' })),
      { id: 'last', execute: 'noop', dependencies },
    ])
    await pool.shutdown({ wait: false })
    const { stdout } = await call('why', 'last', '--store', 'many.db')
    expect(stdout.split('\n').slice(1)).toEqual([
      '  no process works on it: the next pool on its store goes on with it',
      ...dependencies.slice(0, 10).map((id) => `  waits for ${id}, which is queued`),
      '  and 2 more, which --json names',
      '',
    ])
    const { waitsFor } = JSON.parse((await call('why', 'last', '--store', 'many.db', '--json')).stdout)
    expect(waitsFor).toHaveLength(12)
  })

  test('is let go of by prune, with all that is its own', async () => {
    const { stdout } = await call('prune', '--store', 'the other.db', '--keep-completed', '1d')
    expect(stdout).toMatch(/^0 runs and 0 jobs of their own are gone; the store has \S+ kB/)
    const pruned = JSON.parse((await call('prune', '--keep-completed', '1', '--json')).stdout)
    expect(pruned).toMatchObject({ runs: 1, jobs: 0 })
  })

  test('is let go of by the next, when that keeps less', async () => {
    const args = (id: string) => ['run', fixture('counting'), '--store', 'kept.db', '--run-id', id]
    expect((await call(...args('k1'))).code).toBe(0)
    expect((await call(...args('k2'), '--keep-completed', '0')).code).toBe(0)
    const runs = JSON.parse((await call('runs', '--store', 'kept.db', '--json')).stdout)
    expect(runs).toMatchObject([{ id: 'k2' }])
    const nowhere = await call('run', fixture('counting'), '--keep-failed', '1d')
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('--store')])
  })

  test.each([
    ['resumed', ['resume', 'a'], 'a'],
    ['forked', ['fork', 'a', '--run-id', 'f'], 'f'],
    ['run', ['run', fixture('counting'), '--run-id', 'a'], 'a'],
  ])('is never let go of by the command that asks for it: %s', async (name, args, runId) => {
    const store = ['--store', `${name}.db`]
    for (const id of ['a', 'b'])
      await call('run', fixture('counting'), '--input', 'goal=2', '--run-id', id, ...store)
    const { code, stdout } = await call(...args, '--keep-completed', '1', '--json', ...store)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ runId, status: 'completed', value: { steps: 2 } })
    const runs = JSON.parse((await call('runs', '--json', ...store)).stdout)
    expect(runs).toContainEqual(expect.objectContaining({ id: 'a', value: { steps: 2 } }))
  })

  describe('whose id is there already', () => {
    const store = ['--store', 'ids.db']
    const run = (...args: readonly string[]) => call('run', ...args, '--run-id', 'k', ...store)
    const fork = (id: string, ...args: readonly string[]) =>
      call('fork', 'k', '--run-id', id, '--quiet', ...args, ...store)
    beforeAll(async () => {
      const input = { goal: 2, name: 'k' }
      await runWorkflow(counting, {
        input,
        runId: 'k',
        store: join(folder, 'ids.db'),
        source: fixture('counting'),
      })
    })

    test('says so, and is refused with another input', async () => {
      const again = await run(fixture('counting'), '--input', 'name=k', 'goal=2')
      // Of what ran elsewhere, nothing was measured here.
      expect(again.stdout).toMatch(/\nNumbers\n3 nodes: .*\n\d decisions, 0 revisions\n\n/)
      expect([again.code, again.stderr]).toEqual([
        0,
        'Run "k" is in the store already and had ended: its outcome is told again.\n',
      ])
      const other = await run(fixture('counting'), '--input', 'goal=3')
      expect([other.code, other.stdout]).toEqual([2, ''])
      expect(other.stderr).toMatch(
        /^Run "k" is there already and had another input: \{"goal":2,"name":"k"\}\. /,
      )
    })

    test('is no fork but of the event that it was forked at: by default the last of the other run', async () => {
      const events = JSON.parse((await call('show', 'k', '--events', '--json', ...store)).stdout)
      const [first, last] = [events.find(({ id }: { id: string }) => id === 'k').seq, events.at(-1).seq]
      expect(events.at(-1).actor).not.toBe('pool')
      expect(await fork('f')).toMatchObject({ code: 0, stderr: '' })
      expect((await fork('f', '--at', String(last))).stderr).toContain('its outcome is told again')
      expect(await fork('f', '--at', String(first))).toMatchObject({
        code: 2,
        stderr: `--run-id names run "f", which was forked from k@${last}, but a fork from k@${first} was asked for. Name another id, or none.\n`,
      })
      expect((await fork('k')).stderr).toContain('which is there and no fork, but a fork from')
    })

    test('is refused as one of a workflow of another name', async () => {
      const named = await run(fixture('slow'))
      expect([named.code, named.stderr]).toEqual([
        2,
        expect.stringMatching(
          /^Run "k" is one of the workflow "counting", but the workflow in \S+slow\.ts is named "slow"\. Choose/,
        ),
      ])
      const renamed = await call('resume', 'k', '--workflow', fixture('slow'), ...store)
      expect([renamed.code, renamed.stderr]).toEqual([2, expect.stringContaining('with --workflow.')])
    })
  })

  test('whose module has gone is told apart from a mistyped path', async () => {
    const source = join(folder, 'moved.ts')
    await runWorkflow(counting, {
      input: { goal: 2, name: 'm' },
      runId: 'm',
      store: join(folder, 'moved.db'),
      source,
    })
    for (const command of ['resume', 'fork']) {
      const { code, stderr } = await call(command, 'm', '--store', 'moved.db')
      expect(code).toBe(2)
      expect(stderr).toMatch(/^There is no file \S+moved\.ts\. .*/)
      expect(stderr).toContain('Run "m" was started from that module; name another with --workflow.')
    }
  })

  test.each([
    [['resume', 'nobody'], 'ESP_UNKNOWN_RUN: No run "nobody" is in the store runs.db.'],
    [['show', 'nobody'], 'ESP_UNKNOWN_RUN'],
    [['runs', '--store', 'nowhere.db'], 'ESP_STORE_MISSING: There is no store nowhere.db'],
    [['resume', 'r1', '--workflow', 'nowhere.ts'], 'There is no file nowhere.ts'],
  ])('%j is refused in words', async (args, words) => {
    const { code, stderr } = await call(...args)
    expect(code).toBe(2)
    expect(stderr).toContain(words)
  })
})

test('a run that was interrupted says so while another process works on another run of its store', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'espalier-cli-store-'))
  const begin = async (runId: string) => {
    const run = Command.start(folder, 'run', fixture('slow'), '--store', 'runs.db', '--run-id', runId)
    await run.prints('step 3  running')
    return run
  }
  const kill = async (run: Command) => {
    run.kill('SIGKILL')
    await run.ended
  }
  const statuses = async () =>
    JSON.parse((await Command.start(folder, 'runs', '--json').ended).stdout).map(
      ({ id, status }: Record<string, string>) => `${id} ${status}`,
    )
  await kill(await begin('r1'))
  const other = await begin('r2')
  expect(await statuses()).toEqual(['r2 running', 'r1 interrupted'])
  const why = async (job: string) => (await Command.start(folder, 'why', job).ended).stdout
  expect(await why('r1.n2')).toContain(
    'no process works on it: `espalier resume r1 --store runs.db` goes on with it',
  )
  expect(await why('r1.n1')).not.toContain('no process')
  expect(await why('r2.n2')).not.toContain('no process')
  await kill(other)
  expect(await statuses()).toEqual(['r2 interrupted', 'r1 interrupted'])
  rmSync(folder, { recursive: true })
})
