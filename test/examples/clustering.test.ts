import { type RunOutcome, runWorkflow, type TreeNode } from 'espalier'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Report } from '../../examples/clustering/report.ts'
import { clusteringOf } from '../../examples/clustering/survey.ts'
import workflow from '../../examples/clustering/workflow.ts'
import { shapeOf } from './tree-shape.ts'

const input = { seed: 1, bootstrapRounds: 2, shuffleRounds: 1, umapEpochs: 60, sampleSize: 120 }
const run = (maxParallelJobs: number, executor = 'thread') =>
  runWorkflow(workflow, { input, maxParallelJobs, executor })

const nodesOf = (outcome: RunOutcome) => Object.values(outcome.tree.nodes)
const keysOf = (nodes: readonly TreeNode[]) => nodes.map(({ key }) => key)

describe('a small run on threads', () => {
  let outcome: RunOutcome
  let nodes: readonly TreeNode[]
  beforeAll(async () => {
    outcome = await run(2)
    nodes = nodesOf(outcome)
  })

  test('is satisfied', () => {
    expect(outcome).toMatchObject({ status: 'completed', reason: 'satisfied' })
    expect(nodes.filter(({ decision }) => decision?.type === 'satisfy')).toHaveLength(1)
  })

  test('grows scalings below the penguins, and below each its raw layout, with clusterings and other projections', () => {
    const below = (node: TreeNode) => node.children.map((id) => outcome.tree.nodes[id]!)
    const root = outcome.tree.nodes[outcome.tree.rootIds[0]!]!
    expect(root.key).toBe('penguins')
    expect(keysOf(below(root))).toEqual(['standard', 'unit', 'none'])
    for (const scaling of below(root)) {
      const [raw, ...none] = below(scaling)
      expect([raw?.key, none]).toEqual([`${scaling.key}/raw`, []])
      const [pca, umap] = below(raw!).slice(4)
      expect(keysOf([pca!, umap!])).toEqual([`${scaling.key}/pca`, `${scaling.key}/umap`])
      for (const projection of [pca!, umap!]) {
        expect(below(projection)).toHaveLength(projection.status === 'completed' ? 4 : 0)
      }
    }
  })

  test('revises a radius that found no group, and that node then completes', () => {
    const revised = nodes.find(({ key }) => key === 'none/raw/density')!
    expect(revised.revisions).toBeGreaterThan(0)
    expect(revised.status).toBe('completed')
    expect(clusteringOf(revised)?.algorithm).toMatchObject({ method: 'density', radius: expect.any(Number) })
    expect(clusteringOf(revised)?.algorithm).not.toMatchObject({ radius: 0.5 })
  })

  test('prunes what waits for a poor first look at unscaled data, its costly projection too', () => {
    const pruned = nodes.filter(({ status }) => status === 'pruned')
    expect(keysOf(pruned)).toEqual(['raw/k-means 3', 'raw/ward 2', 'pca', 'umap'].map((key) => `none/${key}`))
  })

  test('follows clusterings that gain further', () => {
    const followed = nodes.filter(({ handler, children }) => handler === 'cluster' && children.length > 0)
    expect(followed.length).toBeGreaterThan(0)
    expect(Math.max(...nodes.map(({ depth }) => depth))).toBeGreaterThan(3)
  })

  test('reports the best of its clusterings as the winner, and the best for each number of groups', () => {
    const { winner, leaders, tried } = outcome.value as Report
    const scores = nodes.flatMap((node) => clusteringOf(node)?.score ?? [])
    expect(winner.score).toBe(Math.max(...scores))
    expect(outcome.tree.nodes[winner.nodeId]?.result?.value).toMatchObject({ score: winner.score })
    expect(leaders).toContainEqual(winner)
    expect(leaders.map(({ groups }) => groups.length)).toContain(3)
    expect(tried).toBeLessThanOrEqual(scores.length)
  })

  test('keeps to its limits', () => {
    expect(nodes.length).toBeLessThanOrEqual(workflow.limits!.maxNodes!)
    expect(Math.max(...nodes.map(({ revisions }) => revisions))).toBeLessThanOrEqual(
      workflow.limits!.maxRevisions!,
    )
    expect(nodes.flatMap(({ decision }) => decision?.cut ?? [])).toEqual([])
  })

  test.each([
    [1, 'thread'],
    [4, 'thread'],
    [3, 'process'],
  ])('grows the same tree with %i at a time, on a %s each', async (limit, executor) => {
    const other = await run(limit, executor)
    expect(other.reason).toBe(outcome.reason)
    expect(shapeOf(other.tree)).toEqual(shapeOf(outcome.tree))
    const { nodeId: _, ...winner } = (outcome.value as Report).winner
    expect((other.value as Report).winner).toMatchObject(winner)
  })

  test('measures what its handlers took where they ran', () => {
    const [root] = nodes
    expect(root?.result?.usage).toMatchObject({
      cpuMs: expect.any(Number),
      peakMemoryBytes: expect.any(Number),
    })
  })
})

test('settings out of range are refused before anything runs', async () => {
  await expect(runWorkflow(workflow, { input: { bootstrapRounds: 0 } })).rejects.toThrow(/bootstrapRounds/)
})
