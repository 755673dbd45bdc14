import { upperBound } from './column.ts'

const LEAST_STEPS = 16_384

/** Where all jobs were before some steps of the log: whoever seeks an instant replays from the nearest one. */
export class Checkpoints {
  readonly #steps: number[] = []
  readonly #states: Uint8Array[] = []
  readonly #counts: Uint32Array[] = []

  /** Wider apart for more jobs: a checkpoint costs a byte a job. */
  isDue(step: number, jobs: number): boolean {
    const last = this.#steps.at(-1)
    return last === undefined || step - last >= Math.max(LEAST_STEPS, jobs >> 2)
  }

  add(step: number, states: Uint8Array, counts: Uint32Array): void {
    this.#steps.push(step)
    this.#states.push(states.slice())
    this.#counts.push(counts.slice())
  }

  /** The last one that lies at or before `step`. */
  before(step: number): { step: number; states: Uint8Array; counts: Uint32Array } | undefined {
    const index = upperBound(this.#steps, step, 0, this.#steps.length) - 1
    return index < 0
      ? undefined
      : { step: this.#steps[index]!, states: this.#states[index]!, counts: this.#counts[index]! }
  }

  get bytes(): number {
    return this.#states.reduce((sum, states) => sum + states.byteLength, 0)
  }
}
