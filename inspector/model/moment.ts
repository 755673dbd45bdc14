import { upperBound } from './column.ts'
import { ABSENT, isRunning, STATE_COUNT } from './job-states.ts'
import type { RunStore } from './run-store.ts'

/** A run at one instant: where each job is, how many are in each state, what holds each slot. */
export class Moment {
  readonly #store: RunStore
  #states = new Uint8Array(0)
  readonly counts = new Uint32Array(STATE_COUNT)
  /** How many events have happened. */
  step = 0
  /** Epoch ms. */
  at: number

  constructor(store: RunStore) {
    this.#store = store
    this.at = store.epoch
  }

  /**
   * The state of each job that the store knows, also of those that came since the last seek; {@link ABSENT} for one that is
   * not there yet.
   *
   * It is never shorter: one read beyond its end, and V8 runs the loop that did it ten times slower from then on.
   */
  get states(): Uint8Array {
    const { jobCount } = this.#store
    if (this.#states.length < jobCount) this.#makeRoom(jobCount)
    return this.#states
  }

  /** Goes to an instant, forwards or back. */
  seek(at: number): void {
    const { log } = this.#store
    this.seekStep(upperBound(log.at.data, at, 0, log.at.length), at)
  }

  /** Goes to the instant after so many events. */
  seekStep(target: number, at?: number): void {
    const { log, checkpoints, epoch } = this.#store
    const step = Math.max(0, Math.min(target, log.at.length))
    this.at = at ?? (step === 0 ? epoch : log.at.data[step - 1]!)
    const { counts, states } = this
    const checkpoint = checkpoints.before(step)
    if (step < this.step || (checkpoint !== undefined && checkpoint.step > this.step)) {
      states.fill(ABSENT)
      counts.fill(0)
      if (checkpoint !== undefined) {
        states.set(checkpoint.states)
        counts.set(checkpoint.counts)
      }
      this.step = checkpoint?.step ?? 0
    }
    const { data: jobs } = log.job
    const { data: after } = log.state
    for (let index = this.step; index < step; index++) {
      const job = jobs[index]!
      if (job < 0) continue
      const from = states[job]!
      const to = after[index]!
      if (from === to) continue
      if (from !== ABSENT) counts[from]!--
      counts[to]!++
      states[job] = to
    }
    this.step = step
  }

  /** How many jobs there are at this instant. */
  get total(): number {
    return this.counts.reduce((sum, count) => sum + count, 0)
  }

  stateOf(job: number): number {
    return this.states[job] ?? ABSENT
  }

  /** The attempt of a job that is the current or last one at this instant; -1 before its first. */
  sliceOf(job: number): number {
    const { slices, jobs } = this.#store
    let slice = jobs.lastSlice.data[job] ?? -1
    while (slice >= 0 && slices.start.data[slice]! > this.at) slice = slices.previous.data[slice]!
    return slice
  }

  /** How many attempts of a job have begun at this instant. */
  attemptsOf(job: number): number {
    const slice = this.sliceOf(job)
    return slice < 0 ? 0 : this.#store.slices.attempt.data[slice]!
  }

  /** How many slots are held by attempts that were abandoned. */
  get zombies(): number {
    const { slices } = this.#store
    let count = 0
    for (const slice of slices.zombieUntil.keys()) count += Number(slices.isZombie(slice, this.at))
    return count
  }

  /** The job that holds each slot, as a zombie too, -1 for a free one. */
  slots(): Int32Array {
    const { slices } = this.#store
    const held = new Int32Array(slices.lanes.length).fill(-1)
    slices.lanes.forEach((lane, slot) => {
      const slice = slices.lastIn(lane, this.at)
      if (slice < 0) return
      const job = slices.job.data[slice]!
      const runs = !(slices.end.data[slice]! < this.at) && isRunning(this.stateOf(job))
      if (runs || slices.isZombie(slice, this.at)) held[slot] = job
    })
    return held
  }

  #makeRoom(jobs: number): void {
    const grown = new Uint8Array(Math.ceil(jobs * 1.25)).fill(ABSENT)
    grown.set(this.#states)
    this.#states = grown
  }
}
