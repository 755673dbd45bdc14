import { describe, expect, test } from 'vitest'
import { type Algorithm, cluster, describeAlgorithm } from '../../examples/clustering/cluster.ts'
import { distance, nearestNeighbours, type Points, quantile } from '../../examples/clustering/geometry.ts'
import { project, typicalSpacing } from '../../examples/clustering/project.ts'
import { radiusFault, requireGroups } from '../../examples/clustering/radius.ts'
import { createRandom } from '../../examples/clustering/random.ts'
import { adjustedRandIndex, NOISE } from '../../examples/clustering/scores.ts'

/** Clouds around the given centres, and which centre each point belongs to. */
function clouds(centres: Points, count: number, spread: number): { points: Points; truth: number[] } {
  const random = createRandom(1, 'clouds')
  const truth = centres.flatMap((_, centre) => Array<number>(count).fill(centre))
  const points = truth.map((centre) => centres[centre]!.map((value) => value + spread * (random() - 0.5)))
  return { points, truth }
}

const density = (radius: number): Algorithm => ({ method: 'density', radius, neighbours: 5 })
const random = () => createRandom(1, 'test')

describe('every algorithm', () => {
  const { points, truth } = clouds(
    [
      [0, 0],
      [10, 0],
      [0, 10],
    ],
    30,
    2,
  )
  const algorithms: Algorithm[] = [
    { method: 'k-means', groups: 3 },
    { method: 'hierarchical', linkage: 'ward', groups: 3 },
    { method: 'hierarchical', linkage: 'average', groups: 3 },
    density(1.5),
  ]

  test.each(algorithms.map((algorithm) => [describeAlgorithm(algorithm), algorithm] as const))(
    '%s finds clouds that lie apart',
    (_, algorithm) => {
      expect(adjustedRandIndex(cluster(points, algorithm, random()), truth)).toBe(1)
    },
  )

  test('gives the number of groups asked for', () => {
    const algorithm: Algorithm = { method: 'hierarchical', linkage: 'ward', groups: 5 }
    expect(new Set(cluster(points, algorithm, random())).size).toBe(5)
  })
})

test("Ward's linkage merges what raises the sum of squares least, worked out by hand", () => {
  // Adding 1 to the pair at 0 costs 2/3 · 1²; joining 100 and 101.25 costs 1/2 · 1.25², which is more.
  const points = [[0], [0.001], [1], [100], [101.25]]
  const labels = cluster(points, { method: 'hierarchical', linkage: 'ward', groups: 3 }, random())
  expect(adjustedRandIndex(labels, ['pair', 'pair', 'pair', 'a', 'b'])).toBe(1)
})

test('density-based groups are those of the definition', () => {
  const { points } = clouds(
    [
      [0, 0],
      [3, 1],
    ],
    40,
    3,
  )
  for (const radius of [0.3, 0.45, 0.6, 0.9]) {
    const labels = cluster(points, density(radius), random())
    const near = points.map((point) =>
      points.flatMap((other, i) => (distance(point, other) < radius ? [i] : [])),
    )
    const isCore = near.map((neighbours) => neighbours.length >= 5)
    for (const [index, neighbours] of near.entries()) {
      const cores = neighbours.filter((neighbour) => isCore[neighbour])
      if (cores.length === 0) expect(labels[index]).toBe(NOISE)
      else expect(cores.map((core) => labels[core])).toContain(labels[index])
      if (isCore[index]) expect(new Set(cores.map((core) => labels[core])).size).toBe(1)
    }
  }
})

describe('a radius that does not suit', () => {
  const { points } = clouds(
    [
      [0, 0],
      [10, 0],
    ],
    30,
    2,
  )
  const fail = (radius: number) => {
    const labels = cluster(points, density(radius), random())
    try {
      requireGroups(labels, density(radius))
    } catch (error) {
      return error as Error
    }
    return undefined
  }

  test('too small: the error says so, and what to do', () => {
    const error = fail(0.01)
    expect(error?.message).toMatch(/only 0 of 60 points .* Use a larger radius\.$/)
    expect(radiusFault(error)).toBe('too small')
  })

  test('too large: the error says so, and what to do', () => {
    const error = fail(50)
    expect(error?.message).toMatch(/60 of 60 points hang together as one\. Use a smaller radius\.$/)
    expect(radiusFault(error)).toBe('too large')
  })

  test('a single small group among noise means too small, not too large', () => {
    const labels = [...Array<number>(10).fill(0), ...Array<number>(50).fill(NOISE)]
    expect(() => requireGroups(labels, density(1))).toThrow(/^RADIUS_TOO_SMALL: /)
  })

  test('two groups are enough', () => {
    expect(fail(1.5)).toBeUndefined()
  })

  test('the fault is read from the text, which every executor and store carries', () => {
    expect(radiusFault(new Error(fail(50)!.message))).toBe('too large')
    expect(radiusFault(new Error('something else'))).toBeUndefined()
    expect(radiusFault(undefined)).toBeUndefined()
  })

  test('other algorithms that give one group fail without blaming a radius', () => {
    const one: Algorithm = { method: 'k-means', groups: 1 }
    expect(() => requireGroups([0, 0, 0], one)).toThrow(/k-means, 1 groups gave 1/)
  })
})

describe('projections', () => {
  const options = (purpose: string) => ({
    epochs: 40,
    random: createRandom(1, purpose),
    pause: () => Promise.resolve(),
  })
  const { points, truth } = clouds(
    [
      [0, 0, 0],
      [20, 0, 0],
    ],
    30,
    2,
  )

  test('raw gives the points back, the others a plane', async () => {
    expect(await project(points, 'raw', options('x'))).toEqual(points)
    for (const projection of ['pca', 'umap'] as const) {
      const laidOut = await project(points, projection, options('x'))
      expect(laidOut).toHaveLength(points.length)
      expect(laidOut.every((point) => point.length === 2 && point.every(Number.isFinite))).toBe(true)
    }
  })

  test('pca puts the direction of most spread first', async () => {
    const laidOut = await project(points, 'pca', options('x'))
    const labels = laidOut.map(([first]) => (first! > 0 ? 1 : 0))
    expect(adjustedRandIndex(labels, truth)).toBe(1)
  })

  test('umap keeps clouds apart, and repeats itself for the same random numbers', async () => {
    const laidOut = await project(points, 'umap', options('x'))
    const labels = cluster(laidOut, { method: 'k-means', groups: 2 }, random())
    expect(adjustedRandIndex(labels, truth)).toBe(1)
    expect(await project(points, 'umap', options('x'))).toEqual(laidOut)
    expect(await project(points, 'umap', options('y'))).not.toEqual(laidOut)
  })

  test('umap gives up when a pause throws', async () => {
    const pause = () => Promise.reject(new Error('enough'))
    await expect(project(points, 'umap', { ...options('x'), pause })).rejects.toThrow('enough')
  })

  test('the typical spacing is the radius at which nine of ten points are cores', () => {
    const spacing = typicalSpacing(points, 5)
    const cores = points.filter(
      (point) => points.filter((other) => distance(point, other) <= spacing).length >= 5,
    )
    expect(cores.length / points.length).toBeCloseTo(0.9, 1)
  })
})

test('nearest neighbours come in order, each point first among its own', () => {
  const { indices, distances } = nearestNeighbours([[0], [3], [1]], 2)
  expect(indices).toEqual([
    [0, 2],
    [1, 2],
    [2, 0],
  ])
  expect(distances).toEqual([
    [0, 1],
    [0, 2],
    [0, 1],
  ])
})

test('quantiles are interpolated', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5)
  expect(quantile([4, 1, 3, 2], 1)).toBe(4)
  expect(quantile([7], 0.9)).toBe(7)
})
