import { defineWorkflow, type ExpandRequest, grow, node, prune, revise, satisfy, stop } from 'espalier'
import type { ExploreOptions } from 'espalier/testing'

const handlers = { work: () => 'done' }
const work = (key: string, dependencies: readonly string[] = []) =>
  node({ handler: 'work', key, dependencies })

/** One job, three that wait for it, and one that waits for these. */
export const diamond = defineWorkflow({
  name: 'diamond',
  handlers,
  root: () => [work('a'), work('b', ['a']), work('c', ['a']), work('d', ['a']), work('e', ['b', 'c', 'd'])],
})

/** Grows to 30 nodes, three children each. */
export const growing = defineWorkflow({
  name: 'growing',
  handlers,
  limits: { maxNodes: 30 },
  root: () => node({ handler: 'work' }),
  expand: () => grow([node({ handler: 'work' }), node({ handler: 'work' }), node({ handler: 'work' })]),
})

/** Asks asynchronously, revises what fails, and is satisfied by the first node at depth 2 that completes. */
export const searching = defineWorkflow({
  name: 'searching',
  handlers,
  limits: { maxNodes: 12, maxRevisions: 1 },
  root: () => work('root'),
  expand: async ({ node: asked, result, budget }) => {
    if (result.status === 'failed')
      return budget.revisions > 0 ? revise({ input: 'again' }) : stop('given up')
    if (asked.depth === 2) return satisfy(asked.id)
    return grow([0, 1].map((place) => work(`${asked.id}/${place}`)))
  },
})

/** Two branches below one root; the join waits for both, and one of them may break for good. */
const fanIn = defineWorkflow({
  name: 'fan-in with a failing branch',
  handlers: { ...handlers, fragile: handlers.work },
  root: () => work('root'),
  expand: ({ node: { key }, result }) => {
    if (key !== 'root' || result.status === 'failed') return stop()
    return grow([
      work('left'),
      node({ handler: 'fragile', key: 'right' }),
      work('join', ['left', 'right']),
      work('after', ['join']),
    ])
  },
})

/** What breaks is tried again with another input, and what waited for it with it. */
const reviseLoop = defineWorkflow({
  name: 'revise loop',
  handlers: { ...handlers, fragile: handlers.work },
  limits: { maxRevisions: 2 },
  root: () => work('root'),
  expand: ({ node: { key, revisions }, result, budget }) => {
    if (key === 'root') return grow([node({ handler: 'fragile', key: 'try' }), work('use', ['try'])])
    if (result.status === 'failed' && key === 'try' && budget.revisions > 0)
      return revise({ input: revisions })
    return stop()
  },
})

/** Answers that take a while, while anything may be cancelled. */
const slowAnswers = defineWorkflow({
  name: 'cancel during expansion',
  handlers,
  limits: { maxParallelExpands: 1 },
  root: () => [work('one'), work('two')],
  expand: async ({ node: { id, depth } }: ExpandRequest) => (depth === 0 ? grow([work(`${id}/a`)]) : stop()),
})

/** The first answer ends the run while others run, wait and are being decided. */
export const satisfied = (onSatisfied: 'drain' | 'cancel') =>
  defineWorkflow({
    name: `satisfied while running, ${onSatisfied}`,
    handlers,
    onSatisfied,
    root: () => [work('one'), work('two'), work('three', ['two']), work('four')],
    expand: async ({ node: { key }, result }) => {
      if (result.status === 'failed') return stop()
      return key === 'four' ? prune(['two']) : satisfy(key)
    },
  })

interface Explored {
  readonly workflow: Parameters<typeof defineWorkflow>[0]
  readonly options: ExploreOptions
}

/** Small workflows that are hard to get right, each with what may go wrong in it. */
export const adversarial: readonly Explored[] = [
  {
    workflow: diamond,
    options: { pool: { maxParallelJobs: 2, maxRetries: 1 }, faults: ['fail', 'timeout', 'cancel'] },
  },
  {
    workflow: fanIn,
    options: {
      pool: { maxParallelJobs: 2, maxRetries: 1, maxLost: 1, backoff: { type: 'fixed', delayMs: 0 } },
      handlers: { fragile: [{ throws: 'broken' }, { returns: 'whole' }] },
      faults: ['lost', 'duplicate', { type: 'cancel', on: 'left' }],
    },
  },
  {
    workflow: reviseLoop,
    options: {
      pool: { maxParallelJobs: 2, maxRetries: 1 },
      handlers: { fragile: [{ throws: 'broken' }, { returns: 'whole' }] },
      faults: ['timeout', 'duplicate', 'cancel'],
    },
  },
  {
    workflow: slowAnswers,
    options: { pool: { maxParallelJobs: 2 }, faults: ['fail', 'timeout', 'cancel'] },
  },
  {
    workflow: satisfied('drain'),
    options: { pool: { maxParallelJobs: 2 }, faults: ['fail', 'cancel', 'pause'] },
  },
  {
    workflow: satisfied('cancel'),
    options: { pool: { maxParallelJobs: 2 }, faults: ['fail', 'deaf', 'timeout', 'shutdown'] },
  },
]
