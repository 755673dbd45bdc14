// No-op jobs in a pool that is watched in several ways, which take turns in this process. Arguments: how many jobs, how many rounds,
// and the ways. Prints a `Cost` for each round, by the name of the way.
import { JobPool, PRIORITIES } from 'espalier'
import { createInspector } from 'espalier/http'
import { breathe } from '../suite.ts'
import { looksOn } from './looks-on.ts'

const SLOTS = 8
const WARM_UP_ROUNDS = 3
/** What a pool and its watching do before a round is timed: the thread that makes blocks for a page begins with nothing compiled. */
const WARM_UP_JOBS = 20_000
/** What a page is sent last, and what follows from it, is over then, in ms. */
const AFTERMATH_MS = 150
const noop = async () => {}

/** Of a round. */
export interface Cost {
  readonly jobsPerSecond: number
  /** Processor time of the pool's thread for a job, in µs, with what comes within {@link AFTERMATH_MS} of the last. */
  readonly ownMicroseconds: number
}

/** How a pool may be watched. */
const WAYS = {
  alone: () => ({ close: async () => {} }),
  recorded: createInspector,
  viewed: looksOn,
} satisfies Record<string, (pool: JobPool) => Closable | Promise<Closable>>
export type Way = keyof typeof WAYS

interface Closable {
  close(): Promise<void>
}

async function round(way: Way, jobs: number): Promise<Cost> {
  const pool = new JobPool({ maxParallelJobs: SLOTS })
  const watching = await WAYS[way](pool)
  await work(pool, WARM_UP_JOBS)
  await breathe()
  const before = process.threadCpuUsage()
  const startedAt = performance.now()
  await work(pool, jobs)
  const seconds = (performance.now() - startedAt) / 1000
  await new Promise((resolve) => setTimeout(resolve, AFTERMATH_MS))
  const { user, system } = process.threadCpuUsage(before)
  await watching.close()
  return { jobsPerSecond: jobs / seconds, ownMicroseconds: (user + system) / jobs }
}

async function work(pool: JobPool, jobs: number): Promise<void> {
  const results: Promise<unknown>[] = new Array(jobs)
  for (let index = 0; index < jobs; index++) {
    const priority = PRIORITIES[index % PRIORITIES.length] ?? 'normal'
    results[index] = pool.submitJob({ execute: noop, priority }).result()
  }
  await Promise.all(results)
}

/** The next round begins with another way, so that none always follows the same one. */
async function inTurns(ways: readonly Way[], jobs: number, rounds: number): Promise<Record<Way, Cost[]>> {
  const costs = new Map<Way, Cost[]>(ways.map((way) => [way, []]))
  for (let turn = 0; turn < WARM_UP_ROUNDS + rounds; turn++) {
    for (let index = 0; index < ways.length; index++) {
      const way = ways[(turn + index) % ways.length] as Way
      const cost = await round(way, jobs)
      if (turn >= WARM_UP_ROUNDS) costs.get(way)?.push(cost)
    }
  }
  return Object.fromEntries(costs) as Record<Way, Cost[]>
}

const [jobs = '', rounds = '', ...ways] = process.argv.slice(2)
console.log(JSON.stringify(await inTurns(ways as Way[], Number(jobs), Number(rounds))))
