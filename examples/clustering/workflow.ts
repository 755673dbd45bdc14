import { defineWorkflow, type ModuleHandler, node } from 'espalier'
import { expand } from './expand.ts'
import type * as handlers from './handlers.ts'
import { settingsSchema } from './values.ts'

/** A handler by its name: it runs in a thread or process of its own, which loads the module itself. */
const handler = (name: keyof typeof handlers): ModuleHandler => ({
  module: import.meta.resolve('./handlers.ts'),
  export: name,
})

/** Searches for the clearest repeatable groups among the Palmer penguins, without being told their species. */
export default defineWorkflow({
  name: 'clustering',
  input: settingsSchema,
  handlers: {
    load: handler('load'),
    scale: handler('scale'),
    project: handler('project'),
    cluster: handler('cluster'),
  },
  executor: 'thread',
  limits: { maxNodes: 80, maxChildrenPerNode: 6, maxDepth: 8, maxRunMs: 600_000, maxRevisions: 3 },
  strategy: 'best-first',
  onSatisfied: 'cancel',
  root: ({ seed, sampleSize }) =>
    node({ handler: 'load', key: 'penguins', label: 'penguins', input: { seed, sampleSize } }),
  expand,
})
