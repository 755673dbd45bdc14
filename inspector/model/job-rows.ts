import { i32 } from './column.ts'

/** The rows of a table that tells of jobs, linked job by job: those of one are found without going through all. */
export class JobRows {
  /** The row of the same job before this one, -1 for none. */
  readonly #previous = i32()
  /** By job, its last row, -1 for none; no longer than the last job that has one. */
  #last = new Int32Array(0)

  /** Takes the next rows: the job of each. */
  add(jobs: ArrayLike<number>): void {
    for (let place = 0; place < jobs.length; place++) {
      const job = jobs[place]!
      if (job >= this.#last.length) this.#makeRoom(job + 1)
      const row = this.#previous.length
      this.#previous.push(this.#last[job]!)
      this.#last[job] = row
    }
  }

  /** The rows of a job, first one first. */
  of(job: number): number[] {
    return walkBack(this.#last[job] ?? -1, this.#previous.data)
  }

  #makeRoom(jobs: number): void {
    const grown = new Int32Array(Math.ceil(jobs * 1.5)).fill(-1)
    grown.set(this.#last)
    this.#last = grown
  }
}

/** All that lie before the last one, and that one, first one first. */
export function walkBack(last: number, previous: Int32Array): number[] {
  const found: number[] = []
  for (let index = last; index >= 0; index = previous[index]!) found.push(index)
  return found.reverse()
}
