import { defineWorkflow, node } from 'espalier'
import { expand } from './expand.ts'
import { cluster, load, project, scale } from './handlers.ts'
import { settingsSchema } from './values.ts'

/** Searches for the clearest repeatable groups among the Palmer penguins, without being told their species. */
export default defineWorkflow({
  name: 'clustering',
  input: settingsSchema,
  handlers: { load, scale, project, cluster },
  limits: { maxNodes: 80, maxChildrenPerNode: 6, maxDepth: 8, maxRunMs: 600_000, maxRevisions: 3 },
  strategy: 'best-first',
  onSatisfied: 'cancel',
  root: ({ seed, sampleSize }) =>
    node({ handler: 'load', key: 'penguins', label: 'penguins', input: { seed, sampleSize } }),
  expand,
})
