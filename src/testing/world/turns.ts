/** Says when the promises of user code have settled, and their listeners have been called. */
export class Turns {
  /** Promises of user code that have not settled. */
  #busy = 0
  #wakeUp: (() => void) | undefined
  /** Whether a promise has been settled whose listeners have not been called. */
  #needsTurn = false

  /** Whether there is something to wait for. */
  get isOpen(): boolean {
    return this.#needsTurn || this.#busy > 0
  }

  /** Notes that a promise has been settled, whose listeners are called in a turn to come. */
  need(): void {
    this.#needsTurn = true
  }

  /** Waits for a promise of user code, without which nothing may go on. */
  async whileBusy(pending: PromiseLike<unknown>): Promise<void> {
    this.#busy++
    try {
      await pending
    } catch {
      // Whoever made the promise knows.
    }
    this.#busy--
    this.#wakeUp?.()
  }

  /** Waits until nothing is open, and calls `runSoon` whenever more may have become due. */
  async settle(runSoon: () => void): Promise<void> {
    for (;;) {
      runSoon()
      if (this.#busy > 0) {
        await new Promise<void>((resolve) => {
          this.#wakeUp = resolve
        })
        this.#wakeUp = undefined
        this.#needsTurn = true
      } else if (this.#needsTurn) {
        this.#needsTurn = false
        await new Promise((resolve) => setImmediate(resolve))
      } else return
    }
  }
}
