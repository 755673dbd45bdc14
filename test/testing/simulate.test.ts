import { Coverage, simulate, simulateMany } from 'espalier/testing'
import { describe, expect, test } from 'vitest'
import { diamond, growing, searching } from './workflows.ts'

const everything = [
  'fail',
  'timeout',
  'lost',
  'rejected',
  'deaf',
  'late',
  'duplicate',
  'cancel',
  'pause',
  'stall',
] as const

describe('simulate', () => {
  test('runs a workflow to its end, on time of its own', async () => {
    const { outcome, violation, attempts, simulatedMs } = await simulate(growing, { latency: 10 })
    expect(violation).toBeUndefined()
    expect(outcome).toMatchObject({ status: 'completed', reason: 'limit', metrics: { nodes: 30 } })
    expect(attempts).toBe(30)
    expect(simulatedMs).toBeGreaterThan(0)
  })

  test.each([diamond, growing, searching])(
    'keeps all promises whatever goes wrong in $name',
    async (workflow) => {
      const pool = { maxParallelJobs: 2, maxRetries: 1, timeoutMs: 150, killGraceMs: 20 }
      const { failed } = await simulateMany(workflow, { runs: 500, pool, faults: everything })
      expect(failed?.violation).toBeUndefined()
    },
  )

  test.each([diamond, growing, searching])(
    'keeps all promises when the process dies in $name, at a commit too',
    async (workflow) => {
      const deaths = [1, 2, 3].flatMap((commit) =>
        [true, false].map(
          (isRecorded) => ({ type: 'crash', at: 30 * commit, commit, isRecorded, chance: 0.2 }) as const,
        ),
      )
      const faults = ['fail', 'timeout', 'cancel', 'crash', ...deaths] as const
      const { failed } = await simulateMany(workflow, {
        runs: 100,
        faults,
        pool: { maxParallelJobs: 2, maxRetries: 1 },
      })
      expect(failed?.violation).toBeUndefined()
    },
  )

  test.each([diamond, growing, searching])(
    'keeps all promises when the store refuses a commit in $name',
    async (workflow) => {
      const refusals = [1, 2, 3].map(
        (commit) => ({ type: 'refuse', at: 30 * commit, commit, chance: 0.3 }) as const,
      )
      const faults = ['fail', 'timeout', 'cancel', 'crash', 'deaf', 'refuse', ...refusals] as const
      const pool = { maxParallelJobs: 2, maxRetries: 1, timeoutMs: 150, killGraceMs: 20 }
      const { failed } = await simulateMany(workflow, { runs: 100, pool, faults })
      expect(failed?.violation).toBeUndefined()
    },
  )

  test('keeps all promises of a pool that looks at its machine itself, under pressure that comes and goes', async () => {
    const coverage = new Coverage()
    const pressures = [0, 300].map((at) => ({ type: 'pressure', at, ms: 150, chance: 1 }) as const)
    const { failed } = await simulateMany(growing, {
      runs: 50,
      pool: { maxParallelJobs: 3, pressure: { sampleMs: 20 } },
      faults: ['fail', ...pressures],
      coverage,
    })
    expect(failed?.violation).toBeUndefined()
    expect(coverage.has('pool.dispatch.open:pressure.raised:0')).toBe(true)
    expect(coverage.has('pool.dispatch.throttled:pressure.cleared:0')).toBe(true)
  })

  test('gives the same journal for the same seed, byte for byte', async () => {
    const options = { seed: 7, faults: everything, pool: { maxRetries: 2 } }
    const first = await simulate(searching, options)
    const second = await simulate(searching, options)
    expect(JSON.stringify(first.journal)).toBe(JSON.stringify(second.journal))
    const other = await simulate(searching, { ...options, seed: 8 })
    expect(JSON.stringify(other.journal)).not.toBe(JSON.stringify(first.journal))
  })
})
