interface Stretch {
  readonly firstSequence: number
  readonly firstRow: number
}

/**
 * Finds the row of a job by its sequence. Nearly all jobs come one after the other, so a stretch of them costs one entry,
 * and only a gap, as a refused or a forgotten job leaves one, begins another.
 */
export class SequenceIndex {
  readonly #stretches: Stretch[] = []
  /** Jobs that came after one with a higher sequence. */
  readonly #late = new Map<number, number>()
  #rows = 0
  #nextSequence = -1

  /** Notes the sequence of the next row. */
  add(sequence: number): void {
    const row = this.#rows++
    if (sequence === this.#nextSequence) this.#nextSequence++
    else if (sequence > this.#nextSequence) {
      this.#stretches.push({ firstSequence: sequence, firstRow: row })
      this.#nextSequence = sequence + 1
    } else {
      this.#late.set(sequence, row)
      // The row is taken: what follows cannot go on with the same distance.
      this.#stretches.push({ firstSequence: this.#nextSequence, firstRow: this.#rows })
    }
  }

  /** @returns The row; -1 for a job that is in none. */
  rowOf(sequence: number): number {
    const late = this.#late.size > 0 ? this.#late.get(sequence) : undefined
    if (late !== undefined) return late
    let left = 0
    let right = this.#stretches.length - 1
    while (left < right) {
      const middle = (left + right + 1) >> 1
      if ((this.#stretches[middle] as Stretch).firstSequence <= sequence) left = middle
      else right = middle - 1
    }
    const stretch = this.#stretches[left]
    if (stretch === undefined || sequence < stretch.firstSequence) return -1
    const row = stretch.firstRow + sequence - stretch.firstSequence
    const end = this.#stretches[left + 1]?.firstRow ?? this.#rows
    return row < end ? row : -1
  }
}
