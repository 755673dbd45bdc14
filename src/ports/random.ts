/** Chance, for the jitter of backoffs. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
}

/** Fresh names. */
export interface Ids {
  /** A name that no other call in any process returns. */
  next(): string
}
