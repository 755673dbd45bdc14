import { type RunOutcome, runWorkflow, type TreeNode } from 'espalier'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Report } from '../../examples/clustering/report.ts'
import { clusteringOf } from '../../examples/clustering/survey.ts'
import workflow from '../../examples/clustering/workflow.ts'

const input = { seed: 1, bootstrapRounds: 2, shuffleRounds: 1, umapEpochs: 60, sampleSize: 120 }
const run = (options: { executor?: string } = {}) =>
  runWorkflow(workflow, { input, maxParallelJobs: 3, ...options })

const nodesOf = (outcome: RunOutcome) => Object.values(outcome.tree.nodes)
const keysOf = (nodes: readonly TreeNode[]) => nodes.map(({ key }) => key)

describe('a small run on threads', () => {
  let outcome: RunOutcome
  let nodes: readonly TreeNode[]
  beforeAll(async () => {
    outcome = await run()
    nodes = nodesOf(outcome)
  })

  test('is satisfied', () => {
    expect(outcome).toMatchObject({ status: 'completed', reason: 'satisfied' })
    expect(nodes.filter(({ decision }) => decision?.type === 'satisfy')).toHaveLength(1)
  })

  test('grows scalings below the penguins, projections below those, and clusterings below those', () => {
    const below = (node: TreeNode) => node.children.map((id) => outcome.tree.nodes[id]!)
    const root = outcome.tree.nodes[outcome.tree.rootIds[0]!]!
    expect(root.key).toBe('penguins')
    expect(keysOf(below(root))).toEqual(['standard', 'unit', 'none'])
    for (const scaling of below(root)) {
      expect(keysOf(below(scaling))).toEqual(['raw', 'pca', 'umap'].map((name) => `${scaling.key}/${name}`))
      for (const projection of below(scaling)) {
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

  test('prunes unscaled data before its costly projection has run', () => {
    expect(nodes.find(({ key }) => key === 'none/umap')).toMatchObject({ status: 'pruned' })
    expect(nodes.filter(({ decision }) => decision?.type === 'prune').length).toBeGreaterThan(0)
  })

  test('follows promising clusterings further', () => {
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

  /** What both runs have tried: which results come first decides about neighbours of lesser clusterings. */
  const scored = (run: RunOutcome) =>
    new Map(nodesOf(run).flatMap((node) => (clusteringOf(node) ? [[node.key, node.result?.value]] : [])))

  test('comes to the same answer on processes', async () => {
    const other = await run({ executor: 'process' })
    const { nodeId, ...winner } = (outcome.value as Report).winner
    expect((other.value as Report).winner).toMatchObject(winner)
    const [here, there] = [scored(outcome), scored(other)]
    const both = [...here.keys()].filter((key) => there.has(key))
    expect(both.length).toBeGreaterThan(20)
    for (const key of both) expect(there.get(key), key).toEqual(here.get(key))
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
