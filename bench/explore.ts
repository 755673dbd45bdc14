import { defineWorkflow, grow, node } from 'espalier'
import { explore, simulateMany } from 'espalier/testing'
import { atLeast, atMost, type Measures, measureAll, type Row, seconds } from './suite.ts'

const handlers = { work: () => {} }
const work = (key: string, dependencies: readonly string[] = []) =>
  node({ handler: 'work', key, dependencies })

const diamond = defineWorkflow({
  name: 'diamond',
  handlers,
  root: () => [work('a'), work('b', ['a']), work('c', ['a']), work('d', ['a']), work('e', ['b', 'c', 'd'])],
})

const growing = defineWorkflow({
  name: 'growing',
  handlers,
  limits: { maxNodes: 30 },
  root: () => node({ handler: 'work' }),
  expand: () => grow([node({ handler: 'work' }), node({ handler: 'work' }), node({ handler: 'work' })]),
})

const manyJobs = { name: 'jobs', jobs: Array.from({ length: 2_000 }, (_, place) => ({ id: `j${place}` })) }

const pool = { maxParallelJobs: 2, maxRetries: 1 }
const RUNS = 1_000

/** Seconds, states a second, or jobs a second. */
export const measures = {
  diamond: async () => (await exploreDiamond()).seconds,
  states: async () => {
    const { states, seconds } = await exploreDiamond()
    return states / seconds
  },
  simulations: () =>
    seconds(() => simulateMany(growing, { runs: RUNS, pool, faults: ['fail', 'timeout', 'cancel'] })),
  jobs: async () => {
    const taken = await seconds(() => simulateMany(manyJobs, { runs: 1, pool: { maxParallelJobs: 8 } }))
    return manyJobs.jobs.length / taken
  },
} satisfies Measures

/** The bars of exploration and simulation: absolute ones, so the peer is the bar itself. */
export async function exploration(progress: (what: string) => void): Promise<Row[]> {
  const { diamond, states, simulations, jobs } = await measureAll('explore', measures, progress)
  return [
    atMost('diamond', 'a diamond of 5 jobs, every order of events, beside 20 s', diamond, 20, 1, 's'),
    {
      ...atLeast('states', 'the same, states a second, beside what 20 s allow', states, 115, 1),
      unit: 'states/s',
    },
    atMost('simulations', '1,000 simulations of a tree of 30 nodes, beside 6 s', simulations, 6, 1, 's'),
    atLeast('jobs', 'simulated jobs a second, beside 20,000', jobs, 20_000, 1),
  ]
}

async function exploreDiamond(): Promise<{ states: number; seconds: number }> {
  let states = 0
  const taken = await seconds(async () => {
    const report = await explore(diamond, { pool, faults: ['fail', 'timeout', 'cancel'] })
    if (report.violation !== undefined || report.cutBy !== undefined)
      throw new Error(
        `Expected an exhaustive search without violation, but got ${JSON.stringify(report.violation)}.`,
      )
    states = report.states
  })
  return { states, seconds: taken }
}
