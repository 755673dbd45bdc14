import { Fifo } from '../../domain/fifo.ts'

/**
 * Tells of submissions one after another.
 *
 * What somebody submits who hears of one comes after it: told at once, it would be told on a stack that grows with each.
 */
export class Introductions {
  readonly #waiting = new Fifo<() => void>()
  #isTelling = false

  /** @param introduce - Tells of jobs that were submitted together, and then connects them. */
  add(introduce: () => void): void {
    this.#waiting.push(introduce)
    if (this.#isTelling) return
    this.#isTelling = true
    try {
      for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next()
    } finally {
      this.#isTelling = false
    }
  }
}
