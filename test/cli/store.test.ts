import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Command, fixture } from './command.ts'

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

    run.kill('SIGKILL')
    await run.ended
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
