/** Chance, for the jitter of backoffs. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
}

/** Fresh names, for pools and runs; a pool makes its jobs' ids from its own name and a count. */
export interface Ids {
  /** A name that no other call in any process returns. */
  next(): string
}
