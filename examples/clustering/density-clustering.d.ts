/** The part of `density-clustering` that this example uses; the package ships no types. */
declare module 'density-clustering' {
  export class DBSCAN {
    /**
     * Returns the clusters as lists of row numbers; rows in none of them are noise.
     *
     * @param radius - Points nearer than this are neighbours.
     * @param neighbours - How many neighbours, itself included, make a point a cluster's core.
     */
    run(points: number[][], radius: number, neighbours: number): number[][]
  }
}
