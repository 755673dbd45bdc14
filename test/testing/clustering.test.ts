import { createHash } from 'node:crypto'
import type { HandlerContext } from 'espalier'
import { eventually, explore, type HandlerModels, simulate, simulateMany } from 'espalier/testing'
import { describe, expect, test } from 'vitest'
import type { Report } from '../../examples/clustering/report.ts'
import type {
  ClusterInput,
  Clustering,
  Projected,
  ProjectInput,
  ScaleInput,
} from '../../examples/clustering/values.ts'
import workflow from '../../examples/clustering/workflow.ts'
import { shapeOf } from '../examples/tree-shape.ts'

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

/** Data in which other things are to be found: scores drawn from a number, but for what is not scaled. */
function landscape(number: number): HandlerModels {
  const draw = (...parts: unknown[]) =>
    createHash('sha256')
      .update(JSON.stringify([number, ...parts]))
      .digest()
      .readUInt16BE() /
    2 ** 16
  return {
    load: { returns: { rows: [] } },
    scale: ({ scaling }: ScaleInput) => ({ scaling }),
    project: ({ rowsNode, projection }: ProjectInput, { parentResults }: HandlerContext) => ({
      ...(parentResults[rowsNode] as object),
      projection,
      spacing: 2,
    }),
    cluster: (input: ClusterInput, { parentResults }: HandlerContext) => {
      const { scaling, projection } = parentResults[input.pointsNode] as Projected
      const drawn = draw(scaling, projection, input.algorithm)
      const score = scaling === 'none' ? drawn / 10 : drawn
      return { ...clusteringOf(input), scaling, projection, score }
    },
  }
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

  test.each([1, 2, 3, 4])(
    'grows the same tree in whatever order results arrive, crashes or not, in landscape %i',
    async (number) => {
      // A limit cuts what comes last: it is the one thing that does depend on the order.
      const unlimited = within({ maxNodes: 1_000 })
      const run = async (seed: number, maxParallelJobs: number, crashes = 0) => {
        const { violation, outcome, journal } = await simulate(unlimited, {
          ...{ seed, handlers: landscape(number), input: {} },
          faults: Array.from({ length: crashes }, (_, index) => ({
            type: 'crash' as const,
            at: 20 * (index + 1),
          })),
          pool: { maxParallelJobs, maxLost: 10 },
        })
        expect(violation).toBeUndefined()
        const isCrash = ({ step }: (typeof journal)[number]) => JSON.stringify(step)?.includes('"crash"')
        expect(journal.filter(isCrash)).toHaveLength(crashes)
        const { nodeId, ...winner } = (outcome!.value as Report).winner
        return { reason: outcome?.reason, winner, tree: shapeOf(outcome!.tree) }
      }
      const first = await run(1, 1)
      expect(first.reason).toBe('satisfied')
      expect(first.tree['none/umap']?.status).toBe('pruned')
      expect(Object.keys(first.tree).length).toBeGreaterThan(30)
      for (const limit of [1, 2, 4, 30]) {
        for (let seed = 1; seed <= 5; seed++) expect(await run(seed, limit)).toEqual(first)
        for (let seed = 6; seed <= 8; seed++) expect(await run(seed, limit, 4)).toEqual(first)
      }
    },
  )
})

const isClustering = ({ handler, status }: { readonly handler: string; readonly status: string }) =>
  handler === 'cluster' && status === 'completed'
