import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Failpoint } from './fixtures/failpoints.ts'
import { CLUSTERING, JOBS, killLoop } from './kill-loop.ts'
import { effectsOf, expectPromises, inspect, runVictim } from './victim.ts'

const root = mkdtempSync(join(tmpdir(), 'espalier-kill-'))
afterAll(() => rmSync(root, { recursive: true }))

const newFolder = () => mkdtempSync(join(root, 'run-'))

describe('a process that is killed with SIGKILL', () => {
  let expected = ''
  beforeAll(async () => {
    const folder = newFolder()
    const { out } = await runVictim(folder)
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
    const killed = await runVictim(folder, { failpoint: `${point}:${hit}` })
    expect(killed.signal, 'the failpoint was never passed').toBe('SIGKILL')
    const { out, signal } = await runVictim(folder)
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
    await runVictim(folder, { failpoint: 'after-effect:3' })
    for (const failpoint of [
      'before-commit:1',
      'in-transaction:2',
      'before-commit:3',
      'in-transaction:1',
      'after-commit:2',
    ])
      expect((await runVictim(folder, { failpoint })).signal, failpoint).toBe('SIGKILL')
    expect((await runVictim(folder)).out).toBe(expected)
    inspect(folder, (store) => {
      const jobs = expectPromises(store, folder)
      const lost = jobs.reduce((sum, job) => sum + job.lost, 0)
      const told = [...store.trace()].filter(
        ({ event }) => event.type === 'attempt.failed' && event.reason === 'lost',
      )
      expect(lost).toBe(told.length)
    })
  })

  const seed = Number(process.env.SEED ?? 20_261_124)

  test(`at moments drawn from a seed, goes on to the same end: SEED=${seed}`, async () => {
    await killLoop(newFolder, JOBS, { seed, kills: 3, isOver: (rounds) => rounds === 2 })
  })

  test(`at moments drawn from a seed, grows the tree of one that was left alone: SEED=${seed}`, async () => {
    await killLoop(newFolder, CLUSTERING, { seed, kills: 3, isOver: (rounds) => rounds === 1 })
  }, 60_000)
})
