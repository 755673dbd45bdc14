import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type JobRecord, openSqliteStore, type RunStore, type TraceEntry } from 'espalier'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Failpoint } from './fixtures/failpoints.ts'
import { expectFolded } from './world.ts'

const root = mkdtempSync(join(tmpdir(), 'espalier-kill-'))
afterAll(() => rmSync(root, { recursive: true }))

const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name)

/** Runs the victim in its own process. */
function run(
  folder: string,
  failpoint = '',
): Promise<{ readonly signal: string | null; readonly out: string }> {
  const args = ['--conditions=espalier-source', '--import', fixture('failpoints.ts'), fixture('victim.ts')]
  const child = spawn(process.execPath, [...args, join(folder, 'runs.db')], {
    env: { ...process.env, FAILPOINT: failpoint },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (text) => {
    out += text
  })
  return new Promise((resolve) => child.on('close', (_, signal) => resolve({ signal, out })))
}

const newFolder = () => mkdtempSync(join(root, 'run-'))
const lines = (folder: string, file: string) =>
  existsSync(join(folder, file))
    ? readFileSync(join(folder, file), 'utf8').trim().split('\n').filter(Boolean)
    : []

/** What the runtime promises, of a store whose work is done. */
function expectPromises(store: RunStore, folder: string): JobRecord[] {
  const jobs = [...store.jobs(undefined), ...store.jobs('r')]
  const byId = new Map(jobs.map((job) => [job.id, job]))
  const acks = lines(folder, 'acks').map((line) => line.split(' ') as [string, string])
  for (const [type, id] of acks) {
    const job = byId.get(id)
    // What was acknowledged is there, and how it was said to end is how it ended.
    expect(job?.end, id).toBeDefined()
    if (type !== 'job.submitted') expect(`job.${job?.state}`, id).toBe(type)
  }
  for (const { id, attempt, lost } of jobs) expect(attempt - lost, id).toBeLessThanOrEqual(2)
  const trace = [...store.trace()]
  expectOneEnd(trace)
  expectOrder(trace, byId)
  expectFolded(store)
  return jobs
}

function expectOneEnd(trace: readonly TraceEntry[]): void {
  expect(trace.map(({ seq }) => seq)).toEqual(trace.map((_, index) => index + 1))
  const completed = trace.filter(({ event }) => event.type === 'attempt.completed').map(({ id }) => id)
  expect(completed).toEqual([...new Set(completed)])
}

/** No attempt starts before its dependencies have completed, nor after its job was cancelled. */
function expectOrder(trace: readonly TraceEntry[], jobs: ReadonlyMap<string, JobRecord>): void {
  const completed = new Set<string>()
  const cancelled = new Set<string>()
  for (const { id, event } of trace) {
    if (event.type === 'attempt.completed') completed.add(id)
    if (event.type === 'job.cancel') cancelled.add(id)
    if (event.type !== 'slot.granted') continue
    expect(cancelled.has(id), `${id} starts after its cancel`).toBe(false)
    for (const needed of jobs.get(id)?.submitted.dependencies ?? []) {
      expect(completed.has(needed), `${id} starts before ${needed} completed`).toBe(true)
    }
  }
}

/** How often each job's effect was made. */
function effectsOf(folder: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const line of lines(folder, 'effects')) {
    const id = line.slice(0, line.indexOf('#'))
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

function inspect(folder: string, work: (store: RunStore) => void): void {
  const store = openSqliteStore(join(folder, 'runs.db'))
  try {
    work(store)
  } finally {
    store.close()
  }
}

describe('a process that is killed with SIGKILL', () => {
  let expected = ''
  beforeAll(async () => {
    const folder = newFolder()
    const { out } = await run(folder)
    expected = out
    inspect(folder, (store) => {
      expectPromises(store, folder)
      expect(store.job('unwanted')?.state).toBe('cancelled')
      for (const [id, count] of effectsOf(folder)) expect(count, id).toBe(1)
    })
    expect(JSON.parse(out)).toHaveLength(12)
  })

  const points: Failpoint[] = [
    'before-commit',
    'in-transaction',
    'after-commit',
    'before-effect',
    'after-effect',
    'before-decision',
    'after-decision',
  ]
  const grid = points.flatMap((point) => [1, 2, 10].map((hit) => [point, hit] as const))

  test.concurrent.each(grid)('%s, hit %i: goes on, and keeps its promises', async (point, hit) => {
    const folder = newFolder()
    const killed = await run(folder, `${point}:${hit}`)
    expect(killed.signal, 'the failpoint was never passed').toBe('SIGKILL')
    const { out, signal } = await run(folder)
    expect([signal, out]).toEqual([null, expected])
    inspect(folder, (store) => {
      const jobs = expectPromises(store, folder)
      const effects = effectsOf(folder)
      const twice = [...effects].filter(([, count]) => count > 1)
      // A body runs again only where its end was not committed.
      for (const [id, count] of twice) expect(count, id).toBeLessThanOrEqual(1 + (store.job(id)?.lost ?? 0))
      if (point === 'after-effect')
        expect(twice.length, 'the effect that was not committed').toBeGreaterThan(0)
      for (const { id, state } of jobs)
        if (state === 'completed') expect(effects.get(id), id).toBeGreaterThanOrEqual(1)
    })
  })

  test('again and again while it recovers, loses nothing and counts each lost attempt once', async () => {
    const folder = newFolder()
    await run(folder, 'after-effect:3')
    for (const point of [
      'before-commit:1',
      'in-transaction:2',
      'before-commit:3',
      'in-transaction:1',
      'after-commit:2',
    ])
      expect((await run(folder, point)).signal, point).toBe('SIGKILL')
    expect((await run(folder)).out).toBe(expected)
    inspect(folder, (store) => {
      const jobs = expectPromises(store, folder)
      const lost = jobs.reduce((sum, job) => sum + job.lost, 0)
      const told = [...store.trace()].filter(
        ({ event }) => event.type === 'attempt.failed' && event.reason === 'lost',
      )
      expect(lost).toBe(told.length)
    })
  })
})
