import type { HandlerContext } from 'espalier'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Algorithm } from '../../examples/clustering/cluster.ts'
import type { Dataset } from '../../examples/clustering/data.ts'
import { cluster, load, project, scale } from '../../examples/clustering/handlers.ts'
import type { Projection } from '../../examples/clustering/project.ts'
import { radiusFault } from '../../examples/clustering/radius.ts'
import type { Scaling } from '../../examples/clustering/scale.ts'
import { type Clustering, type Projected, settingsSchema } from '../../examples/clustering/values.ts'

const settings = settingsSchema.parse({ bootstrapRounds: 3, shuffleRounds: 2, umapEpochs: 40 })

function contextOf(parentResults: Record<string, unknown>, signal = new AbortController().signal) {
  const fractions: number[] = []
  const lines: string[] = []
  const context: HandlerContext = {
    jobId: 'job',
    nodeId: 'n',
    treeId: 'tree',
    attempt: 1,
    signal,
    parentResults,
    progress: (fraction) => void fractions.push(fraction),
    log: (line) => void lines.push(line),
    move: () => {},
  }
  return { ...context, fractions, lines }
}

const layOut = (data: Dataset, scaling: Scaling, projection: Projection, context = contextOf({})) => {
  const rows = scale({ dataNode: 'data', scaling }, contextOf({ data }))
  return project({ rowsNode: 'rows', projection, settings }, { ...context, parentResults: { rows } })
}

const group = (points: Projected, data: Dataset, algorithm: Algorithm, context = contextOf({})) =>
  cluster(
    { pointsNode: 'points', truthNode: 'data', algorithm, seed: 1 },
    { ...context, parentResults: { points, data } },
  )

const kMeans = (groups: number): Algorithm => ({ method: 'k-means', groups })

let data: Dataset
let standard: Projected
beforeAll(async () => {
  data = await load({ seed: 1, sampleSize: undefined }, contextOf({}))
  standard = await layOut(data, 'standard', 'raw')
})

test('loading logs what was read and what was left out', async () => {
  const context = contextOf({})
  await load({ seed: 1, sampleSize: undefined }, context)
  expect(context.lines).toEqual([
    '333 penguins from vega-datasets/data/penguins.json; 11 incomplete records left out',
  ])
})

describe('projecting', () => {
  test('lays out the data, its shuffled and its resampled copies', () => {
    expect(standard.points).toHaveLength(333)
    expect(standard.shuffled).toHaveLength(2)
    expect(standard.resamples).toHaveLength(3)
    for (const { rows, points } of standard.resamples) {
      expect(points).toHaveLength(rows.length)
      expect(points[0]).toEqual(standard.points[rows[0]!])
    }
  })

  test('draws the same resamples for every pipeline, so that clusterings are compared on equal terms', async () => {
    const other = await layOut(data, 'unit', 'pca')
    const rowsOf = (projected: Projected) => projected.resamples.map(({ rows }) => rows)
    expect(rowsOf(other)).toEqual(rowsOf(standard))
  })

  test('reports progress up to 1', async () => {
    const context = contextOf({})
    await layOut(data, 'standard', 'pca', context)
    expect(context.fractions).toHaveLength(1 + 2 + 3)
    expect(context.fractions).toEqual([...context.fractions].sort((a, b) => a - b))
    expect(context.fractions.at(-1)).toBe(1)
  })
})

describe('clustering', () => {
  test('standardized k-means with 3 groups agrees with the species to about 0.8', async () => {
    const answer = await group(standard, data, kMeans(3))
    expect(answer.adjustedRandIndex).toBeGreaterThan(0.75)
    expect(answer.adjustedRandIndex).toBeLessThan(0.85)
    expect(answer.silhouette).toBeCloseTo(0.446, 2)
  })

  test('two groups are the Gentoo and the others', async () => {
    const { groups } = await group(standard, data, kMeans(2))
    expect(groups).toEqual([
      { size: 214, species: { Adelie: 146, Chinstrap: 68 } },
      { size: 119, species: { Gentoo: 119 } },
    ])
  })

  test('body mass in grams drowns the rest: chance does as well, and the score is next to nothing', async () => {
    const answer = await group(await layOut(data, 'none', 'raw'), data, kMeans(2))
    expect(answer.silhouette).toBeGreaterThan(0.6)
    expect(answer.score).toBeLessThan(0.05)
  })

  test('every measure keeps within its bounds', async () => {
    const density: Algorithm = { method: 'density', radius: 0.5, neighbours: 5 }
    const ward: Algorithm = { method: 'hierarchical', linkage: 'ward', groups: 4 }
    for (const algorithm of [kMeans(2), kMeans(6), ward, density]) {
      const answer = await group(standard, data, algorithm)
      expect(Math.abs(answer.silhouette)).toBeLessThanOrEqual(1)
      expect(answer.chanceSilhouette).toBeGreaterThanOrEqual(0)
      expect(answer.stability).toBeGreaterThanOrEqual(0)
      expect(answer.stability).toBeLessThanOrEqual(1)
      expect(answer.score).toBeGreaterThanOrEqual(0)
      expect(answer.score).toBeLessThanOrEqual(answer.stability)
      const members = answer.groups.reduce((sum, { size }) => sum + size, 0)
      expect(members + answer.noise).toBe(333)
    }
  })

  test('that chance does badly is no merit', async () => {
    const apart = Array.from({ length: 20 }, (_, index) => [(index % 2) * 10 + index / 100, 0])
    // A ring around a few points in the middle: two groups of which the ring is badly separated.
    const angles = Array.from({ length: 17 }, (_, index) => (2 * Math.PI * index) / 17)
    const ring = angles.map((angle) => [10 * Math.cos(angle), 10 * Math.sin(angle)])
    const middle = [
      [0, 0],
      [0.1, 0],
      [0, 0.1],
    ]
    const few = { ...data, rows: data.rows.slice(0, 20), species: data.species.slice(0, 20) }
    const ringed: Projected = {
      ...standard,
      points: apart,
      shuffled: [[...ring, ...middle]],
      resamples: [{ rows: [...apart.keys()], points: apart }],
    }
    const answer = await group(ringed, few, { method: 'density', radius: 6, neighbours: 3 })
    expect(answer.groups.map(({ size }) => size)).toEqual([10, 10])
    expect(answer.chanceSilhouette).toBe(0)
    expect(answer.score).toBe(answer.silhouette)
  })

  test('groups that always come back are stable, arbitrary ones are not', async () => {
    const clear = await group(standard, data, kMeans(2))
    const arbitrary = await group(standard, data, kMeans(20))
    expect(clear.stability).toBeGreaterThan(0.98)
    expect(arbitrary.stability).toBeLessThan(0.8)
  })

  test('a radius that finds no group fails with a clear error', async () => {
    const grams = await layOut(data, 'none', 'raw')
    const error = await group(grams, data, { method: 'density', radius: 0.5, neighbours: 5 }).catch((e) => e)
    expect(radiusFault(error)).toBe('too small')
  })

  test('the spacing of the points is a radius that works there', async () => {
    const grams = await layOut(data, 'none', 'raw')
    const radius = grams.spacing
    expect(
      (await group(grams, data, { method: 'density', radius, neighbours: 5 })).groups.length,
    ).toBeGreaterThan(1)
  })

  test('the species change the report and nothing else', async () => {
    const unknown = { ...data, species: data.species.map(() => 'penguin') }
    const { groups, adjustedRandIndex, ...told } = await group(standard, data, kMeans(3))
    const { groups: others, adjustedRandIndex: none, ...untold } = await group(standard, unknown, kMeans(3))
    expect(untold).toEqual(told)
    expect(others.map(({ size }) => size)).toEqual(groups.map(({ size }) => size))
    expect([adjustedRandIndex > 0.7, none]).toEqual([true, 0])
  })

  test('reports progress up to 1', async () => {
    const context = contextOf({})
    await group(standard, data, kMeans(2), context)
    expect(context.fractions).toHaveLength(2 + 3)
    expect(context.fractions.at(-1)).toBe(1)
  })
})

test('equal seeds give equal answers, through every projection', async () => {
  const run = async (projection: Projection): Promise<Clustering> => {
    const small = await load({ seed: 4, sampleSize: 90 }, contextOf({}))
    return group(await layOut(small, 'standard', projection), small, kMeans(3))
  }
  for (const projection of ['raw', 'pca', 'umap'] as const) {
    expect(await run(projection)).toEqual(await run(projection))
  }
})

test('inputs and answers can be cloned, so that threads and stores can carry them', async () => {
  const answer = await group(standard, data, kMeans(2))
  for (const value of [data, standard, answer]) {
    expect(structuredClone(value)).toEqual(value)
    expect(JSON.parse(JSON.stringify(value))).toEqual(value)
  }
})

describe('an aborted attempt', () => {
  test('ends with the reason of its signal, while it projects and while it clusters', async () => {
    for (const projection of ['pca', 'umap'] as const) {
      const context = contextOf({}, AbortSignal.abort(new Error('no longer wanted')))
      await expect(layOut(data, 'standard', projection, context)).rejects.toThrow('no longer wanted')
      expect(context.fractions).toEqual([])
    }
    const context = contextOf({}, AbortSignal.abort(new Error('no longer wanted')))
    await expect(group(standard, data, kMeans(2), context)).rejects.toThrow('no longer wanted')
    expect(context.fractions).toEqual([])
  })
})

test('a missing parent result is named', () => {
  expect(() => scale({ dataNode: 'n0', scaling: 'none' }, contextOf({ n1: {} }))).toThrow(
    'Expected the result of node "n0" among the parent results, but only have n1. Name it as a dependency.',
  )
})
