import { DBSCAN } from 'density-clustering'
import { agnes } from 'ml-hclust'
import { kmeans } from 'ml-kmeans'
import { distance, type Points } from './geometry.ts'
import type { Random } from './random.ts'
import { NOISE } from './scores.ts'

/** One way to group points. */
export type Algorithm =
  | { readonly method: 'k-means'; readonly groups: number }
  | { readonly method: 'hierarchical'; readonly linkage: 'ward' | 'average'; readonly groups: number }
  | {
      /** DBSCAN. */
      readonly method: 'density'
      /** Points nearer than this are neighbours, in units of the projection. */
      readonly radius: number
      /** How many neighbours, itself included, make a point a group's core. */
      readonly neighbours: number
    }

/** The neighbours that all density-based clusterings here ask for: the radius alone is searched. */
export const CORE_NEIGHBOURS = 5

/** k-means finds a local best only: it is started this often, and the tightest groups are kept. */
const RESTARTS = 5

/** Groups the points; answers the group of each, counted from 0, or {@link NOISE}. */
export function cluster(points: Points, algorithm: Algorithm, random: Random): number[] {
  switch (algorithm.method) {
    case 'k-means':
      return clusterByMeans(points, algorithm.groups, random)
    case 'hierarchical':
      return clusterByMerging(points, algorithm.linkage, algorithm.groups)
    case 'density':
      return label(points.length, new DBSCAN().run(points, algorithm.radius, algorithm.neighbours))
  }
}

/** Names an algorithm for people, such as `k-means, 3 groups`. */
export function describeAlgorithm(algorithm: Algorithm): string {
  switch (algorithm.method) {
    case 'k-means':
      return `k-means, ${algorithm.groups} groups`
    case 'hierarchical':
      return `${algorithm.linkage} linkage, ${algorithm.groups} groups`
    case 'density':
      return `density, radius ${Number(algorithm.radius.toPrecision(3))}`
  }
}

function clusterByMeans(points: Points, groups: number, random: Random): number[] {
  let best: { labels: number[]; spread: number } | undefined
  for (let start = 0; start < RESTARTS; start++) {
    const { clusters, centroids } = kmeans(points, groups, { seed: Math.floor(random() * 2 ** 31) })
    const spread = points.reduce(
      (sum, point, index) => sum + distance(point, centroids[clusters[index]!]!) ** 2,
      0,
    )
    if (best === undefined || spread < best.spread) best = { labels: clusters, spread }
  }
  return best!.labels
}

function clusterByMerging(points: Points, linkage: 'ward' | 'average', groups: number): number[] {
  // Ward's rule is defined on squared distances, and ml-hclust applies it to the distances as given.
  const power = linkage === 'ward' ? 2 : 1
  const distances = points.map((point) => points.map((other) => distance(point, other) ** power))
  const dendrogram = agnes(distances, { method: linkage, isDistanceMatrix: true })
  return label(
    points.length,
    dendrogram.group(groups).children.map((group) => group.indices()),
  )
}

function label(count: number, groups: readonly (readonly number[])[]): number[] {
  const labels = new Array<number>(count).fill(NOISE)
  for (const [group, members] of groups.entries()) for (const member of members) labels[member] = group
  return labels
}
