import { eventually, explore, type HandlerModels, simulateMany } from 'espalier/testing'
import { describe, expect, test } from 'vitest'
import type { ClusterInput, Clustering } from '../../examples/clustering/values.ts'
import workflow from '../../examples/clustering/workflow.ts'

/** What the analysis might find: density needs another radius first, and three groups are the clearest. */
function clusteringOf({ algorithm }: ClusterInput): Clustering {
  if (algorithm.method === 'density' && algorithm.radius < 1)
    throw new Error('RADIUS_TOO_SMALL: Use a larger radius.')
  const groups = algorithm.method === 'density' ? 2 : algorithm.groups
  const score = groups === 3 ? 0.8 : 0.5
  return {
    ...{ scaling: 'standard', projection: 'raw', algorithm, noise: 0, adjustedRandIndex: 0 },
    groups: Array.from({ length: groups }, () => ({ size: 1, species: {} })),
    ...{ silhouette: score, chanceSilhouette: 0, stability: 1, score },
  }
}

/** Outcomes instead of mathematics. */
const handlers: HandlerModels = {
  load: { returns: { rows: [] } },
  scale: { returns: { rows: [] } },
  project: { returns: { spacing: 2 } },
  cluster: clusteringOf,
}
const within = (limits: Partial<typeof workflow.limits>) => ({
  ...workflow,
  limits: { ...workflow.limits, ...limits },
})

describe('the clustering example, with outcomes instead of mathematics', () => {
  test('keeps all promises in every order of events, as far as its first clusterings', async () => {
    const small = within({ maxNodes: 9, maxChildrenPerNode: 2, maxRevisions: 1 })
    const answered = eventually('a clustering is found', ({ jobs }) => jobs.some(isClustering))
    const { violation, cutBy, states, ends } = await explore(small, {
      handlers,
      input: {},
      pool: { maxParallelJobs: 2 },
      invariants: [answered],
    })
    expect(violation).toBeUndefined()
    expect(cutBy).toBeUndefined()
    expect(states).toBeGreaterThan(50)
    expect(ends).toBeGreaterThan(1)
  })

  test('keeps them when anything fails or is cancelled once', async () => {
    const small = within({ maxNodes: 7, maxChildrenPerNode: 2, maxRevisions: 1 })
    const limits = { maxFaults: 1, maxStates: 1_500 }
    const pool = { maxParallelJobs: 2, maxRetries: 0 }
    const { violation } = await explore(small, {
      handlers,
      input: {},
      pool,
      limits,
      faults: ['fail', 'timeout', 'cancel'],
    })
    expect(violation).toBeUndefined()
  })

  test('comes to an answer at its full size, whatever the order', async () => {
    const satisfied = eventually('the run is satisfied', ({ outcome }) => outcome?.reason === 'satisfied')
    const { failed, attempts } = await simulateMany(workflow, {
      runs: 20,
      handlers,
      input: {},
      pool: { maxParallelJobs: 3 },
      invariants: [satisfied],
    })
    expect(failed?.violation).toBeUndefined()
    expect(attempts).toBeGreaterThan(20 * 30)
  })
})

const isClustering = ({ handler, status }: { readonly handler: string; readonly status: string }) =>
  handler === 'cluster' && status === 'completed'
