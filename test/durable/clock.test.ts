import { type Fault, simulateMany } from 'espalier/testing'
import { expect, test } from 'vitest'

const HOUR_MS = 3_600_000

/** Jobs that wait for a time, for each other, for a retry and for their timeout. */
const jobs = Array.from({ length: 12 }, (_, index) => ({
  id: `j${index}`,
  delayMs: index % 3 === 0 ? 200 * index : 0,
  dependencies: index % 4 === 3 ? [`j${index - 1}`] : [],
  backoff: { type: 'fixed' as const, delayMs: 500 },
  maxRetries: 1,
  timeoutMs: 1_000,
}))

const handlers = Object.fromEntries(jobs.map(({ id }) => [id, [{ returns: 1 }, { throws: 'not yet' }]]))

// A step forward of the clock looks the same from inside: of one back, see the system's clock and `recovery.test.ts`.
test.each<[string, Fault[]]>([
  ['is suspended for eight hours', [{ type: 'stall', at: 300, ms: 8 * HOUR_MS }]],
  [
    'has its clock set an hour ahead, again and again',
    [100, 700, 1_300].map((at) => ({ type: 'stall', at, ms: HOUR_MS })),
  ],
  [
    'is suspended, and dies then',
    [
      { type: 'stall', at: 300, ms: 8 * HOUR_MS },
      { type: 'crash', at: 300 + 8 * HOUR_MS },
    ],
  ],
])('in a process that %s nothing is early, and no more starts than there are slots', async (_, faults) => {
  const { failed, attempts } = await simulateMany(
    { jobs },
    { runs: 30, handlers, faults, pool: { maxParallelJobs: 3 } },
  )
  expect(failed?.violation).toBeUndefined()
  expect(attempts).toBeGreaterThan(30 * 8)
})
