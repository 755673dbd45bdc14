import { PCA } from 'ml-pca'
import { UMAP } from 'umap-js'
import { columns, nearestNeighbours, type Points, quantile } from './geometry.ts'
import { permutation, type Random } from './random.ts'

/** How points are laid out: `raw` as they are, `pca` and `umap` in a plane. */
export type Projection = 'raw' | 'pca' | 'umap'

/** How many neighbours UMAP tries to keep together; it needs more points than this. */
export const UMAP_NEIGHBOURS = 15

/** Epochs of UMAP between two pauses: a few milliseconds. */
const EPOCHS_PER_PAUSE = 25

/**
 * Lays the points out.
 *
 * @param options.epochs - How long UMAP improves its layout.
 * @param options.pause - Awaited now and then; throws to give up.
 */
export async function project(
  points: Points,
  projection: Projection,
  options: { readonly epochs: number; readonly random: Random; readonly pause: () => Promise<void> },
): Promise<Points> {
  switch (projection) {
    case 'raw':
      return points
    case 'pca':
      return new PCA(points).predict(points, { nComponents: 2 }).to2DArray()
    case 'umap': {
      const umap = new UMAP({
        nComponents: 2,
        nNeighbors: UMAP_NEIGHBOURS,
        nEpochs: options.epochs,
        random: options.random,
      })
      // Exact neighbours: for some hundred points quicker than the package's own search, and not random.
      const { indices, distances } = nearestNeighbours(points, UMAP_NEIGHBOURS)
      umap.setPrecomputedKNN(indices, distances)
      umap.initializeFit(points)
      for (let epoch = 0; epoch < options.epochs; epoch++) {
        umap.step()
        if (epoch % EPOCHS_PER_PAUSE === 0) await options.pause()
      }
      return umap.getEmbedding()
    }
  }
}

/**
 * Shuffles every column on its own: each measurement keeps its distribution, and nothing relates one to another.
 *
 * What an analysis still finds in such data, it made up.
 */
export function shuffleColumns(rows: Points, random: Random): Points {
  const shuffled = columns(rows).map((column) =>
    permutation(column.length, random).map((row) => column[row]!),
  )
  return rows.map((_, row) => shuffled.map((column) => column[row]!))
}

/** The radius within which nine of ten points have the given number of neighbours, themselves included. */
export function typicalSpacing(points: Points, neighbours: number): number {
  const { distances } = nearestNeighbours(points, neighbours)
  return quantile(
    distances.map((row) => row.at(-1)!),
    0.9,
  )
}
