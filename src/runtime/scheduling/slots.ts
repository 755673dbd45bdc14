/** What holds a slot. */
interface Holder {
  readonly slot: number
}

/**
 * The slots of a pool: which are held, and by whom.
 *
 * A slot is reserved in the step that makes a job running, taken when its attempt starts, and freed in the step that ends
 * it, or, when the executor has not confirmed the end by then, when it does. It is another's only once that step is committed.
 */
export class Slots<Attempt extends Holder> {
  readonly #holders: (Attempt | undefined)[] = []
  readonly #free: number[] = []
  readonly #zombies = new Set<Attempt>()
  /** Zombies whose slot is free. */
  readonly #released = new Set<Attempt>()
  #busy = 0

  /** How many slots are not free. */
  get busy(): number {
    return this.#busy
  }

  get zombies(): ReadonlySet<Attempt> {
    return this.#zombies
  }

  reserve(): void {
    this.#busy++
  }

  /** The number of a free slot, for an attempt that has one reserved and will hold it. */
  claim(): number {
    return this.#free.pop() ?? this.#holders.length
  }

  hold(attempt: Attempt): void {
    this.#holders[attempt.slot] = attempt
  }

  /** A slot more may be reserved; whoever held it has yet to leave it. */
  free(): void {
    this.#busy--
  }

  /** The job goes on without this attempt, which has not ended. */
  abandon(attempt: Attempt, release: boolean): void {
    this.#zombies.add(attempt)
    if (!release) return
    this.#released.add(attempt)
    this.#busy--
  }

  /** A zombie has ended. */
  bury(attempt: Attempt): void {
    this.#zombies.delete(attempt)
    if (!this.#released.delete(attempt)) this.#busy--
    this.vacate(attempt)
  }

  /** Its slot may be another's. */
  vacate(attempt: Attempt): void {
    if (this.#holders[attempt.slot] !== attempt) return
    this.#holders[attempt.slot] = undefined
    this.#free.push(attempt.slot)
  }

  /**
   * Gives an attempt its slot back: that it ended has not happened.
   *
   * @param attempt - Absent when the slot was reserved and never taken.
   * @returns `false` when it had its slot still, as a zombie.
   */
  retake(attempt: Attempt | undefined): boolean {
    if (attempt === undefined) {
      this.#busy++
      return true
    }
    const isReleased = this.#released.delete(attempt)
    if (this.#zombies.delete(attempt) && !isReleased) return false
    this.#busy++
    this.#holders[attempt.slot] = attempt
    const place = this.#free.indexOf(attempt.slot)
    if (place >= 0) this.#free.splice(place, 1)
    return true
  }

  isZombie(attempt: Attempt): boolean {
    return this.#zombies.size > 0 && this.#zombies.has(attempt)
  }

  /** The attempts in their slots, zombies included unless released. */
  holders(): Attempt[] {
    return this.#holders.filter((attempt) => attempt !== undefined)
  }
}
