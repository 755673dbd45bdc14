import type { DecisionRecord, JobResult, NodeStatus, TreeNode } from 'espalier'
import { describe, expect, test } from 'vitest'
import type { Algorithm } from '../../examples/clustering/cluster.ts'
import { expand } from '../../examples/clustering/expand.ts'
import { type Report, report } from '../../examples/clustering/report.ts'
import { type ClusterInput, type Clustering, settingsSchema } from '../../examples/clustering/values.ts'

const settings = settingsSchema.parse({})
const kMeans = (groups: number): Algorithm => ({ method: 'k-means', groups })
const ward = (groups: number): Algorithm => ({ method: 'hierarchical', linkage: 'ward', groups })
const average = (groups: number): Algorithm => ({ method: 'hierarchical', linkage: 'average', groups })
const density = (radius: number): Algorithm => ({ method: 'density', radius, neighbours: 5 })

const TOO_SMALL = new Error('RADIUS_TOO_SMALL: Use a larger radius.')
const TOO_LARGE = new Error('RADIUS_TOO_LARGE: Use a smaller radius.')

interface Planted {
  readonly above?: string
  readonly status?: NodeStatus
  readonly input?: unknown
  readonly value?: unknown
  readonly error?: Error
  readonly revisions?: number
  readonly isUndecided?: boolean
}

/** A tree drawn by hand; nodes are decided unless they say otherwise. */
class Garden {
  readonly nodes: Record<string, TreeNode> = {}

  plant(id: string, handler: string, key: string, options: Planted = {}): this {
    const status = options.status ?? 'completed'
    const isEnded = status === 'completed' || status === 'failed'
    const decision: DecisionRecord = {
      type: 'stop',
      why: undefined,
      score: undefined,
      nodeIds: [],
      cut: [],
      error: undefined,
      at: 0,
    }
    this.nodes[id] = {
      id,
      parentId: options.above,
      depth: 0,
      children: [],
      handler,
      label: key,
      key,
      input: options.input,
      jobId: id,
      status,
      result: isEnded ? resultOf(id, status, options.value, options.error) : undefined,
      score: undefined,
      decision: isEnded && !options.isUndecided ? decision : undefined,
      revisions: options.revisions ?? 0,
    }
    const parent = this.nodes[options.above ?? '']
    if (parent !== undefined) this.nodes[parent.id] = { ...parent, children: [...parent.children, id] }
    return this
  }

  /** A clustering of `n2` unless `above` says otherwise. */
  cluster(
    id: string,
    key: string,
    algorithm: Algorithm,
    score: number | Error | NodeStatus,
    options: Planted = {},
  ) {
    const input: ClusterInput = { pointsNode: 'n2', truthNode: 'n0', algorithm, seed: 1 }
    const state: Planted =
      typeof score === 'number'
        ? { value: clusteringOf(algorithm, score) }
        : score instanceof Error
          ? { status: 'failed', error: score }
          : { status: score }
    return this.plant(id, 'cluster', key, { above: 'n2', input, ...state, ...options })
  }

  ask(id: string, budget: { nodes?: number; depth?: number; revisions?: number } = {}) {
    const node = { ...this.nodes[id]!, decision: undefined }
    this.nodes[id] = node
    return expand({
      node,
      result: node.result!,
      tree: { rootIds: ['n0'], nodes: this.nodes },
      budget: { nodes: 50, children: 6, depth: 4, revisions: 3, runMs: Number.POSITIVE_INFINITY, ...budget },
      input: settings,
    })
  }
}

function resultOf(jobId: string, status: 'completed' | 'failed', value: unknown, error: Error | undefined) {
  return {
    ...{
      jobId,
      nodeId: jobId,
      treeId: 'tree',
      status,
      value,
      error,
      reason: undefined,
      cancelledBy: undefined,
      causedBy: undefined,
    },
    ...{ attempts: 1, queuedAt: 0, startedAt: 0, endedAt: 0, durationMs: 0, metadata: undefined },
    usage: undefined,
  } as JobResult
}

function clusteringOf(algorithm: Algorithm, score: number): Clustering {
  const groups = 'groups' in algorithm ? algorithm.groups : 2
  return {
    ...{ scaling: 'standard', projection: 'raw', algorithm, noise: 0, adjustedRandIndex: 0 },
    groups: Array.from({ length: groups }, () => ({ size: 1, species: {} })),
    ...{ silhouette: score, chanceSilhouette: 0, stability: 1, score },
  }
}

/** The penguins, one scaling and its raw layout, all decided. */
const planted = () =>
  new Garden()
    .plant('n0', 'load', 'penguins')
    .plant('n1', 'scale', 'standard', { above: 'n0' })
    .plant('n2', 'project', 'standard/raw', {
      above: 'n1',
      input: { rowsNode: 'n1', projection: 'raw', settings },
      value: { spacing: 2 },
    })

/** With a first look that scored 0.4. */
const started = () => planted().cluster('look', 'standard/raw/k-means 2', kMeans(2), 0.4)

describe('growing', () => {
  test('the penguins are scaled in every way', () => {
    const decision = new Garden().plant('n0', 'load', 'penguins').ask('n0')
    expect(decision).toMatchObject({
      type: 'grow',
      nodes: [
        { handler: 'scale', key: 'standard', input: { dataNode: 'n0', scaling: 'standard' } },
        { handler: 'scale', key: 'unit' },
        { handler: 'scale', key: 'none' },
      ],
    })
  })

  test('a scaling is first seen as it is', () => {
    expect(planted().ask('n1')).toMatchObject({
      type: 'grow',
      nodes: [
        { handler: 'project', key: 'standard/raw', input: { rowsNode: 'n1', projection: 'raw', settings } },
      ],
    })
  })

  test('the raw layout is clustered in every way and projected further, all after a first look', () => {
    const decision = planted().ask('n2')
    const firstLook = 'standard/raw/k-means 2'
    expect(decision).toMatchObject({
      type: 'grow',
      nodes: [
        { handler: 'cluster', key: firstLook, dependencies: ['n0'] },
        { key: 'standard/raw/k-means 3', dependencies: ['n0', firstLook] },
        { key: 'standard/raw/ward 2', dependencies: ['n0', firstLook] },
        {
          key: 'standard/raw/density',
          input: { pointsNode: 'n2', truthNode: 'n0', algorithm: density(0.5) },
          dependencies: ['n0', firstLook],
        },
        {
          handler: 'project',
          key: 'standard/pca',
          input: { rowsNode: 'n1', projection: 'pca', settings },
          dependencies: ['n1', firstLook],
        },
        { handler: 'project', key: 'standard/umap', dependencies: ['n1', firstLook] },
      ],
    })
    const scores = decision.type === 'grow' ? decision.nodes.map(({ score }) => score!) : []
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
  })

  test('another projection is only clustered', () => {
    const input = { rowsNode: 'n1', projection: 'pca', settings }
    const decision = planted().plant('n3', 'project', 'standard/pca', { above: 'n2', input }).ask('n3')
    const keys = decision.type === 'grow' ? decision.nodes.map(({ key }) => key) : []
    expect(keys).toEqual(
      ['k-means 2', 'k-means 3', 'ward 2', 'density'].map((kind) => `standard/pca/${kind}`),
    )
  })

  test('a clustering that gains over the first look gets its neighbours, which depend on its projection', () => {
    const garden = started().cluster('n3', 'standard/raw/ward 2', ward(2), 0.5)
    expect(garden.ask('n3')).toMatchObject({
      type: 'grow',
      why: 'gains 0.1 over 0.4: try its neighbours',
      score: 0.5,
      nodes: [
        { key: 'standard/raw/ward 3', score: 0.5, dependencies: ['n2', 'n0'], input: { algorithm: ward(3) } },
        { key: 'standard/raw/average 2', input: { pointsNode: 'n2' } },
      ],
    })
  })

  test('a first look grows nothing: its neighbour is tried anyway', () => {
    const garden = started().cluster('n4', 'standard/raw/k-means 3', kMeans(3), 'running')
    expect(garden.ask('look')).toMatchObject({ type: 'stop', score: 0.4 })
  })

  test('a neighbour is compared with the clustering it came from', () => {
    const garden = started()
      .cluster('n3', 'standard/raw/ward 2', ward(2), 0.5)
      .cluster('n4', 'standard/raw/ward 3', ward(3), 0.52, { above: 'n3' })
      .cluster('n5', 'standard/raw/average 2', average(2), 0.51, { above: 'n3' })
    // The linkage is changed once only: each clustering has one way that leads to it.
    expect(garden.ask('n4')).toMatchObject({ type: 'grow', nodes: [{ key: 'standard/raw/ward 4' }] })
    expect(garden.ask('n5')).toMatchObject({ type: 'stop', why: 'gains nothing over 0.5' })
  })

  test('what else has ended changes no decision', () => {
    const garden = started().cluster('n3', 'standard/raw/ward 2', ward(2), 0.43)
    const alone = garden.ask('n3')
    expect(alone).toMatchObject({ type: 'grow' })
    garden.cluster('n4', 'standard/raw/density', density(1), 0.9)
    expect(garden.ask('n3')).toEqual(alone)
  })

  test('what chance does as well is not followed, even where it gains', () => {
    const garden = planted()
      .cluster('look', 'standard/raw/k-means 2', kMeans(2), 0)
      .cluster('n3', 'standard/raw/density', density(1), 0.09)
      .cluster('n4', 'standard/raw/ward 2', ward(2), 'running')
    expect(garden.ask('n3')).toMatchObject({ type: 'stop', why: 'hardly more than chance' })
  })

  test('a radius is tried wider and narrower, then only further the same way', () => {
    const garden = started().cluster('n3', 'standard/raw/density', density(1), 0.5)
    expect(garden.ask('n3')).toMatchObject({
      nodes: [
        { key: 'standard/raw/density wider', input: { algorithm: density(1.5) } },
        { key: 'standard/raw/density narrower', input: { algorithm: density(0.6667) } },
      ],
    })
    garden.cluster('n4', 'standard/raw/density wider', density(1.5), 0.6, { above: 'n3' })
    expect(garden.ask('n4')).toMatchObject({
      type: 'grow',
      nodes: [{ key: 'standard/raw/density wider wider', input: { algorithm: density(2.25) } }],
    })
    garden.cluster('n5', 'standard/raw/density narrower', density(0.6667), 0.7, { above: 'n3' })
    const narrower = garden.ask('n5')
    expect(narrower).toMatchObject({ nodes: [{ key: 'standard/raw/density narrower narrower' }] })
  })

  test.each([
    ['no nodes are left', { nodes: 0 }],
    ['its children would be too deep to be asked about', { depth: 1 }],
  ])('nothing grows when %s', (_, budget) => {
    const garden = started()
      .cluster('n3', 'standard/raw/k-means 3', kMeans(3), 0.5)
      .cluster('n4', 'standard/raw/ward 2', ward(2), 'running')
    expect(garden.ask('n3', budget)).toMatchObject({ type: 'stop', why: 'the limits allow no more' })
  })
})

describe('revising', () => {
  test('a radius that failed is first set to the spacing of the points', () => {
    const garden = started().cluster('n3', 'standard/raw/density', density(0.5), TOO_SMALL)
    expect(garden.ask('n3')).toMatchObject({
      type: 'revise',
      why: 'a radius of 0.5 is too small',
      patch: { label: 'density, radius 2', input: { pointsNode: 'n2', algorithm: density(2) } },
    })
  })

  test('then it is widened or narrowed step by step', () => {
    const small = started().cluster('n3', 'standard/raw/density', density(1), TOO_SMALL, { revisions: 1 })
    expect(small.ask('n3')).toMatchObject({ type: 'revise', patch: { input: { algorithm: density(1.5) } } })
    const large = started().cluster('n3', 'standard/raw/density', density(3), TOO_LARGE, { revisions: 1 })
    expect(large.ask('n3')).toMatchObject({ type: 'revise', patch: { input: { algorithm: density(2) } } })
  })

  test('a spacing on the wrong side of the radius is not used', () => {
    const garden = started().cluster('n3', 'standard/raw/density', density(0.5), TOO_LARGE)
    expect(garden.ask('n3')).toMatchObject({
      type: 'revise',
      patch: { input: { algorithm: density(0.3333) } },
    })
  })

  test('it ends when no revision is left', () => {
    const garden = planted().cluster('n3', 'standard/raw/density', density(2), TOO_SMALL, { revisions: 3 })
    expect(garden.ask('n3', { revisions: 0 })).toMatchObject({
      type: 'stop',
      why: 'the radius is still too small',
    })
  })

  test('a neighbour that fails is left: its origin stood at the edge', () => {
    const garden = started()
      .cluster('n3', 'standard/raw/density', density(1), 0.5)
      .cluster('n4', 'standard/raw/density wider', density(1.5), TOO_LARGE, { above: 'n3' })
      .cluster('n5', 'standard/raw/density narrower', density(0.7), 'running', { above: 'n3' })
    expect(garden.ask('n4')).toMatchObject({ type: 'stop', why: 'failed for good' })
  })

  test('other failures are not revised', () => {
    const disk = new Error('disk full')
    expect(planted().cluster('n3', 'x/density', density(1), disk).ask('n3')).toMatchObject({ type: 'stop' })
    const garden = planted().plant('n4', 'project', 'standard/pca', {
      above: 'n1',
      status: 'failed',
      error: disk,
    })
    expect(garden.ask('n4')).toMatchObject({ type: 'stop', why: 'failed for good' })
  })
})

describe('pruning', () => {
  /** A first look that sees nothing, and what waits for it. */
  const poor = () =>
    planted()
      .cluster('look', 'standard/raw/k-means 2', kMeans(2), 0.05)
      .cluster('n4', 'standard/raw/k-means 3', kMeans(3), 'queued')
      .cluster('n5', 'standard/raw/ward 2', ward(2), 'running')
      .cluster('n6', 'standard/raw/density', density(0.5), 'queued')
      .plant('n7', 'project', 'standard/umap', { above: 'n2', status: 'queued' })

  test('what waits for a poor first look goes, but for the clustering that sees other shapes', () => {
    expect(poor().ask('look')).toMatchObject({
      type: 'prune',
      ids: ['n4', 'n5', 'n7'],
      score: 0.05,
      why: 'hardly more than chance; prunes the 3 that wait for it',
    })
  })

  test('of that which remains, one that finds what the first look missed is followed', () => {
    const garden = poor().cluster('n6', 'standard/raw/density', density(0.5), 0.3)
    expect(garden.ask('n6')).toMatchObject({ type: 'grow' })
  })

  test('a first look that nothing waits for, since limits have cut it, just stops', () => {
    const garden = planted()
      .cluster('look', 'standard/raw/k-means 2', kMeans(2), 0.05)
      .plant('n8', 'scale', 'unit', { above: 'n0', status: 'running' })
    expect(garden.ask('look')).toMatchObject({ type: 'stop', why: 'hardly more than chance' })
  })
})

describe('being satisfied', () => {
  const ended = () =>
    started()
      .cluster('n3', 'standard/raw/k-means 3', kMeans(3), 0.5)
      .cluster('n4', 'standard/raw/k-means 4', kMeans(4), 0.505, { above: 'n3' })

  test('a neighbour that gains too little ends the run when nothing else is outstanding', () => {
    const decision = ended().ask('n4')
    expect(decision).toMatchObject({
      type: 'satisfy',
      score: 0.505,
      why: 'gains nothing over 0.5; the score has stopped improving',
    })
    const value = decision.type === 'satisfy' ? (decision.value as Report) : undefined
    expect(value?.winner).toMatchObject({
      nodeId: 'n4',
      pipeline: 'standard → raw → k-means, 4 groups',
      score: 0.505,
    })
    expect(value?.leaders.map(({ groups, nodeId }) => [groups.length, nodeId])).toEqual([
      [2, 'look'],
      [3, 'n3'],
      [4, 'n4'],
    ])
    expect(value?.tried).toBe(3)
  })

  test.each<[string, (garden: Garden) => Garden]>([
    ['a neighbour', (g) => g.cluster('n9', 'b', kMeans(5), 'running', { above: 'n3' })],
    [
      'a clustering not decided on',
      (g) => g.cluster('n9', 'b', ward(2), 0.1, { above: 'n3', isUndecided: true }),
    ],
    ['a first clustering', (g) => g.cluster('n9', 'b', ward(2), 'queued')],
    ['a projection', (g) => g.plant('n9', 'project', 'b', { above: 'n1', status: 'running' })],
    ['a projection not decided on', (g) => g.plant('n9', 'project', 'b', { above: 'n1', isUndecided: true })],
    ['a scaling', (g) => g.plant('n9', 'scale', 'b', { above: 'n0', status: 'queued' })],
  ])('%s is waited for', (_, add) => {
    expect(add(ended()).ask('n4')).toMatchObject({ type: 'stop', score: 0.505 })
  })

  test('a failure can be the last thing that was waited for', () => {
    const garden = ended().cluster('n9', 'standard/raw/density', density(2), TOO_SMALL, { revisions: 3 })
    expect(garden.ask('n9', { revisions: 0 })).toMatchObject({ type: 'satisfy' })
  })

  test('a tree without any clustering has nothing to be satisfied with', () => {
    const garden = planted().cluster('n3', 'standard/raw/density', density(2), TOO_SMALL)
    expect(garden.ask('n3', { revisions: 0 })).toMatchObject({ type: 'stop' })
    expect(() => report({ rootIds: [], nodes: {} })).toThrow(RangeError)
  })

  test('what chance does as well is no leader', () => {
    const garden = ended().cluster('n5', 'standard/raw/ward 5', ward(5), 0)
    const { leaders, tried } = report({ rootIds: ['n0'], nodes: garden.nodes })
    expect(leaders.map(({ nodeId }) => nodeId)).toEqual(['look', 'n3', 'n4'])
    expect(tried).toBe(4)
  })
})

test('the known species change no decision', () => {
  const garden = started().cluster('n3', 'standard/raw/ward 2', ward(2), 0.5)
  const decision = garden.ask('n3')
  const value = {
    ...clusteringOf(ward(2), 0.5),
    adjustedRandIndex: 1,
    groups: [{ size: 3, species: { Gentoo: 3 } }],
  }
  expect(garden.cluster('n3', 'standard/raw/ward 2', ward(2), 0.5, { value }).ask('n3')).toEqual(decision)
})
