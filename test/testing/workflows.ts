import { defineWorkflow, grow, node, revise, satisfy, stop } from 'espalier'

const handlers = { work: () => 'done' }

/** One job, three that wait for it, and one that waits for these. */
export const diamond = defineWorkflow({
  name: 'diamond',
  handlers,
  root: () => [
    node({ handler: 'work', key: 'a' }),
    node({ handler: 'work', key: 'b', dependencies: ['a'] }),
    node({ handler: 'work', key: 'c', dependencies: ['a'] }),
    node({ handler: 'work', key: 'd', dependencies: ['a'] }),
    node({ handler: 'work', key: 'e', dependencies: ['b', 'c', 'd'] }),
  ],
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
  root: () => node({ handler: 'work', key: 'root' }),
  expand: async ({ node: asked, result, budget }) => {
    if (result.status === 'failed')
      return budget.revisions > 0 ? revise({ input: 'again' }) : stop('given up')
    if (asked.depth === 2) return satisfy(asked.id)
    return grow([0, 1].map((place) => node({ handler: 'work', key: `${asked.id}/${place}` })))
  },
})
