import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type JobRecord, openSqliteStore, type RunStore, type TraceEntry } from 'espalier'
import { expect } from 'vitest'
import { expectFolded } from './world.ts'

const fixture = (name: string) => join(import.meta.dirname, 'fixtures', name)

interface Life {
  /** Of the folder of fixtures; default `victim.ts`. */
  readonly script?: string
  /** Where it kills itself, such as `in-transaction:2`; absent: nowhere. */
  readonly failpoint?: string
  /** Kills it this long after its start, if it still runs; absent: never. */
  readonly killAfterMs?: number
}

/** Runs a victim in its own process. */
export function runVictim(
  folder: string,
  { script = 'victim.ts', failpoint = '', killAfterMs }: Life = {},
): Promise<{ readonly signal: string | null; readonly out: string }> {
  const args = ['--conditions=espalier-source', '--import', fixture('failpoints.ts'), fixture(script)]
  const child = spawn(process.execPath, [...args, join(folder, 'runs.db')], {
    env: { ...process.env, FAILPOINT: failpoint },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  let out = ''
  child.stdout.on('data', (text) => {
    out += text
  })
  return new Promise((resolve) =>
    child.on('close', (_, signal) => {
      clearTimeout(timer)
      resolve({ signal, out })
    }),
  )
}

const lines = (folder: string, file: string) =>
  existsSync(join(folder, file))
    ? readFileSync(join(folder, file), 'utf8').trim().split('\n').filter(Boolean)
    : []

/** What the runtime promises of `victim.ts`, once its work is done. */
export function expectPromises(store: RunStore, folder: string): JobRecord[] {
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
  expectWhole(store)
  return jobs
}

/** What holds of any store whose work is done. */
export function expectWhole(store: RunStore): void {
  const byId = new Map([...store.jobs(undefined), ...store.jobs('r')].map((job) => [job.id, job]))
  for (const { id, end } of byId.values()) expect(end, id).toBeDefined()
  const trace = [...store.trace()]
  expectOneEnd(trace)
  expectOrder(trace, byId)
  expectFolded(store)
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
export function effectsOf(folder: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const line of lines(folder, 'effects')) {
    const id = line.slice(0, line.indexOf('#'))
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

/** Looks into the store of a victim that has ended. */
export function inspect(folder: string, work: (store: RunStore) => void): void {
  const store = openSqliteStore(join(folder, 'runs.db'))
  try {
    work(store)
  } finally {
    store.close()
  }
}
