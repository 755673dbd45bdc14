import { defineWorkflow, type ExpandRequest, grow, node, revise, stop } from 'espalier'
import type { ExploreOptions, JobSet, Subject } from 'espalier/testing'
import { satisfied } from '../testing/workflows.ts'

/** What a mutant is put to the test in. */
export interface Scenario {
  readonly subject: Subject
  readonly options: ExploreOptions
}

const handlers = { work: () => {} }
const work = (key: string, dependencies: readonly string[] = []) =>
  node({ handler: 'work', key, dependencies })
const set = (name: string, jobs: JobSet['jobs']): JobSet => ({ name, jobs })
const fixed = (delayMs: number) => ({ type: 'fixed', delayMs }) as const

/** Small worlds, each of which some promise is easily broken in. */
export const scenarios = {
  diamond: {
    subject: defineWorkflow({
      name: 'diamond',
      handlers,
      root: () => [work('a'), work('b', ['a']), work('c', ['a']), work('d', ['b', 'c'])],
    }),
    options: { pool: { maxParallelJobs: 2, maxRetries: 1 }, faults: ['fail', 'timeout', 'cancel'] },
  },
  chain: {
    subject: set('chain', [
      { id: 'a' },
      { id: 'b', dependencies: ['a'] },
      { id: 'c', dependencies: ['b'] },
      { id: 'either', dependencies: ['a', 'c'], onDependencyFailure: 'run' },
      { id: 'other' },
      { id: 'both', dependencies: ['b', 'other'] },
    ]),
    options: { pool: { maxParallelJobs: 2 }, faults: ['fail', 'cancel'] },
  },
  slots: {
    subject: set('slots', [{ id: 'a' }, { id: 'b' }, { id: 'c' }]),
    options: {
      pool: { maxParallelJobs: 2, maxRetries: 1, maxLost: 1, backoff: fixed(0) },
      faults: ['lost', 'timeout', 'deaf', 'duplicate', 'cancel'],
    },
  },
  priorities: {
    subject: set('priorities', [
      { id: 'low', priority: 'low' },
      { id: 'normal 1' },
      { id: 'normal 2' },
      { id: 'scored', score: 2 },
      { id: 'high', priority: 'high' },
      { id: 'critical', priority: 'critical', delayMs: 10 },
    ]),
    options: {
      pool: { maxParallelJobs: 1, maxRetries: 1, backoff: fixed(0) },
      faults: ['pause', { type: 'fail', on: 'normal 1' }],
    },
  },
  delays: {
    subject: set('delays', [{ id: 'a', delayMs: 50 }, { id: 'b' }, { id: 'c', dependencies: ['b'] }]),
    options: {
      pool: { maxParallelJobs: 1, maxRetries: 2, backoff: fixed(100) },
      faults: ['fail', 'timeout', 'cancel', 'duplicate'],
    },
  },
  drain: {
    subject: set('drain', [{ id: 'a' }, { id: 'b' }, { id: 'c', dependencies: ['a'] }]),
    options: { pool: { maxParallelJobs: 1, timeoutMs: 60_000 }, faults: ['shutdown', 'timeout', 'pause'] },
  },
  slowAnswers: {
    subject: defineWorkflow({
      name: 'slow answers',
      handlers,
      limits: { maxParallelExpands: 1 },
      root: () => [work('one'), work('two')],
      expand: async ({ node: { id, depth } }: ExpandRequest) => {
        if (depth > 0) throw new Error('no answer')
        return grow([work(`${id}/a`)])
      },
    }),
    options: { pool: { maxParallelJobs: 2 }, faults: ['cancel'] },
  },
  limits: {
    subject: defineWorkflow({
      name: 'limits',
      handlers,
      limits: { maxNodes: 3, maxChildrenPerNode: 3, maxDepth: 1, maxRevisions: 1 },
      root: () => work('root'),
      expand: ({ node: { id, key, depth }, result }: ExpandRequest) => {
        if (result.status === 'failed') return revise({ input: 'again' })
        return depth < 2 ? grow(['a', 'b', 'c'].map((each) => work(`${key ?? id}/${each}`))) : stop()
      },
    }),
    options: { pool: { maxParallelJobs: 2 }, faults: ['fail'] },
  },
  satisfied: {
    subject: satisfied('cancel'),
    options: { pool: { maxParallelJobs: 2 }, faults: ['fail', 'deaf'] },
  },
  hurried: {
    subject: defineWorkflow({
      name: 'hurried',
      handlers,
      limits: { maxRunMs: 1_000 },
      failFast: true,
      root: () => work('root'),
      expand: ({ node: { key } }: ExpandRequest) =>
        key === 'root' ? grow([work('a'), work('b', ['a'])]) : stop(),
    }),
    options: { pool: { maxParallelJobs: 2, timeoutMs: 5_000 }, faults: ['timeout', 'deaf', 'fail'] },
  },
  crashes: {
    subject: set('crashes', [{ id: 'a' }, { id: 'b', delayMs: 20 }, { id: 'c', dependencies: ['a'] }]),
    options: {
      pool: { maxParallelJobs: 1, maxRetries: 1, maxLost: 1, backoff: fixed(50) },
      faults: ['crash', 'fail', 'cancel'],
    },
  },
  resources: {
    subject: set('resources', [
      { id: 'a', resources: { gpu: 1 } },
      { id: 'b', resources: { gpu: 2, disk: 1 } },
      { id: 'c', resources: { gpu: 1 } },
      { id: 'd', priority: 'low' },
    ]),
    options: {
      pool: { maxParallelJobs: 3, maxRetries: 1, limits: { gpu: 2, disk: 1 }, backoff: fixed(0) },
      faults: ['fail', 'timeout', 'deaf', 'cancel'],
    },
  },
  refusals: {
    subject: set('refusals', [{ id: 'a' }, { id: 'b' }, { id: 'c', dependencies: ['a'] }]),
    options: { pool: { maxParallelJobs: 1, maxRetries: 1, backoff: fixed(20) }, faults: ['refuse', 'fail'] },
  },
} satisfies Record<string, Scenario>

export type ScenarioName = keyof typeof scenarios
