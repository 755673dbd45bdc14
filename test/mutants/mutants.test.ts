import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { BUILT_IN_INVARIANTS } from 'espalier/testing'
import { describe, expect, test } from 'vitest'
import { mutants } from './mutants.ts'
import type { ScenarioName } from './scenarios.ts'
import { scenarios } from './scenarios.ts'
import type { Trial, Verdict } from './trial.ts'

/** Judges trials in a thread of their own, where Node loads the sources and what is planted in them by itself. */
function judge(trials: readonly Trial[]): Promise<readonly Verdict[]> {
  const script = new URL('./trial.ts', import.meta.url)
  const worker = new Worker(script, { workerData: trials, execArgv: ['--conditions=espalier-source'] })
  const verdicts: Verdict[] = []
  worker.on('message', (verdict: Verdict) => verdicts.push(verdict))
  return new Promise((resolve, reject) => {
    worker.on('error', reject)
    worker.on('exit', () => resolve(verdicts))
  })
}

const hunts = [...new Map(mutants.map(({ hunt }) => [`${hunt.scenario} ${hunt.by}`, hunt])).values()]

/** All that is judged, in two threads: each mutant, and each scenario without one. */
const trials: readonly Trial[] = [
  ...mutants.map(({ hunt, ...mutant }) => ({ mutant, hunt })),
  ...hunts.map((hunt) => ({ hunt: { ...hunt, within: 10_000 } })),
]
const halves = [0, 1].map((half) => trials.filter((_, index) => index % 2 === half))
const judged = Promise.all(halves.map(judge))

async function verdictOn(index: number): Promise<Verdict> {
  const verdict = (await judged)[index % 2]?.[index >> 1]
  if (verdict === undefined) throw new Error('The thread has ended before this trial.')
  if (verdict.fault !== undefined) throw new Error(verdict.fault)
  return verdict
}

describe('a planted bug is caught', () => {
  test.each(mutants.map(({ name, hunt }, index) => ({ name, hunt, index })))(
    '$name: by $hunt.by, within $hunt.within',
    async ({ hunt, index }) => {
      const { caughtBy, took } = await verdictOn(index)
      expect(caughtBy).toBeDefined()
      expect(took).toBeLessThanOrEqual(hunt.within)
    },
    240_000,
  )

  test('there are twenty of them at least, and each is of its own', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(20)
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
    expect(new Set(mutants.map(({ find, replace }) => find + replace)).size).toBe(mutants.length)
  })
})

test('every promise is broken by a planted bug', async () => {
  const broken = new Set<string | undefined>()
  for (const index of mutants.keys()) broken.add((await verdictOn(index)).caughtBy)
  expect(Object.keys(BUILT_IN_INVARIANTS).filter((promise) => !broken.has(promise))).toEqual([])
}, 240_000)

test('the report tells of each planted bug, and of no other', () => {
  const report = readFileSync(new URL('./report.md', import.meta.url), 'utf8')
  const rows = [...report.matchAll(/^\| (.+?) \| `(\w+)` \| `[\w-]+` \| \d+ \|$/gm)]
  expect(rows.map(([, name, scenario]) => [name, scenario])).toEqual(
    mutants.map(({ name, hunt }) => [name, hunt.scenario]),
  )
})

describe('without a planted bug, no promise is broken', () => {
  test.each(hunts.map((hunt, index) => ({ ...hunt, index: mutants.length + index })))(
    '$scenario: by $by',
    async ({ index }) => expect((await verdictOn(index)).caughtBy).toBeUndefined(),
    240_000,
  )

  test('every scenario is hunted in', () => {
    const hunted = new Set<ScenarioName>(mutants.map(({ hunt }) => hunt.scenario))
    expect([...hunted].sort()).toEqual(Object.keys(scenarios).sort())
  })
})
