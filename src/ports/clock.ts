/** Time, for everything that runs jobs. */
export interface Clock {
  /** Epoch ms; may have a fraction. */
  now(): number
  /**
   * Calls `wake` once, at `at` (epoch ms) or as soon after it as possible; never before.
   *
   * @returns A function that withdraws the wish.
   */
  wakeAt(at: number, wake: () => void): () => void
  /** Calls `run` once, after the work at hand, before any timer. */
  soon(run: () => void): void
}
