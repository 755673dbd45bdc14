import * as z from 'zod'
import type { Algorithm } from './cluster.ts'
import type { Points } from './geometry.ts'
import { type Projection, UMAP_NEIGHBOURS } from './project.ts'
import type { Scaling } from './scale.ts'

/** What a run of the analysis is given. */
export const settingsSchema = z.strictObject({
  /** Equal seeds give equal numbers. */
  seed: z.int().min(0).default(1),
  /** On how many resamples the stability of a clustering is measured. */
  bootstrapRounds: z.int().min(1).max(100).default(12),
  /** On how many shuffled copies of the data a chance silhouette is measured. */
  shuffleRounds: z.int().min(1).max(20).default(3),
  /** How long UMAP improves each layout. */
  umapEpochs: z.int().min(10).max(1_000).default(300),
  /** Analyses a random sample of this many penguins; default: all. A resample of it must still suit UMAP. */
  sampleSize: z
    .int()
    .min(4 * UMAP_NEIGHBOURS)
    .optional(),
})
export type Settings = z.infer<typeof settingsSchema>

/** What `load` is asked. */
export type LoadInput = Pick<Settings, 'seed' | 'sampleSize'>

/** What `scale` is asked. */
export interface ScaleInput {
  /** The node with the {@link Dataset}. */
  readonly dataNode: string
  readonly scaling: Scaling
}

/** What `scale` answers. */
export interface Scaled {
  readonly scaling: Scaling
  readonly rows: Points
}

/** What `project` is asked. */
export interface ProjectInput {
  /** The node with the {@link Scaled} rows. */
  readonly rowsNode: string
  readonly projection: Projection
  readonly settings: Settings
}

/**
 * What `project` answers: the data laid out, and the same done to shuffled and to resampled data.
 *
 * All clusterings of a projection are judged on these same copies, so that they differ by the clustering alone,
 * and a layout that only chance or these very penguins produced gives itself away.
 */
export interface Projected {
  readonly scaling: Scaling
  readonly projection: Projection
  readonly points: Points
  /** The radius within which nine of ten points have the neighbours a density-based clustering asks for. */
  readonly spacing: number
  readonly shuffled: readonly Points[]
  readonly resamples: readonly { readonly rows: readonly number[]; readonly points: Points }[]
}

/** What `cluster` is asked. */
export interface ClusterInput {
  /** The node with the {@link Projected} points. */
  readonly pointsNode: string
  /** The node with the {@link Dataset}, for its species. */
  readonly truthNode: string
  readonly algorithm: Algorithm
  readonly seed: number
}

/** What `cluster` answers: a grouping, and how good it is. */
export interface Clustering {
  readonly scaling: Scaling
  readonly projection: Projection
  readonly algorithm: Algorithm
  /** The groups, largest first. */
  readonly groups: readonly Group[]
  /** How many penguins are in no group. */
  readonly noise: number
  /** How well the groups are separated in the projection, -1 to 1. */
  readonly silhouette: number
  /** The silhouette that the same steps reach in shuffled data. */
  readonly chanceSilhouette: number
  /** How far the groups come back when the steps are repeated on resamples: 1 always, 0 never. */
  readonly stability: number
  /** What the search goes by, 0 to 1: the silhouette adjusted for chance, times the stability. */
  readonly score: number
  /** Agreement with the known species: 1 the same, 0 unrelated. The search never looks at it. */
  readonly adjustedRandIndex: number
}

/** A group of penguins, and how many of each known species are in it. */
export interface Group {
  readonly size: number
  readonly species: Readonly<Record<string, number>>
}
