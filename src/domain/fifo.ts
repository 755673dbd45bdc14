/** Below this many places a drained queue keeps its array: making a new one costs more than it holds. */
const KEPT_PLACES = 1024

/** A first-in, first-out queue with constant-time ends. */
export class Fifo<Item> {
  #items: (Item | undefined)[] = []
  #head = 0
  #tail = 0

  get size(): number {
    return this.#tail - this.#head
  }

  push(item: Item): void {
    this.#items[this.#tail++] = item
  }

  peek(): Item | undefined {
    return this.#head === this.#tail ? undefined : this.#items[this.#head]
  }

  /** The item pushed last. */
  last(): Item | undefined {
    return this.#head === this.#tail ? undefined : this.#items[this.#tail - 1]
  }

  shift(): Item | undefined {
    if (this.#head === this.#tail) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head === this.#tail) this.clear()
    else if (this.#head >= KEPT_PLACES && this.#head * 2 >= this.#tail) this.#compact()
    return item
  }

  clear(): void {
    if (this.#items.length > KEPT_PLACES) this.#items = []
    else if (this.#head !== this.#tail) this.#items.fill(undefined, this.#head, this.#tail)
    this.#head = 0
    this.#tail = 0
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let index = this.#head; index < this.#tail; index++) yield this.#items[index] as Item
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head, this.#tail)
    this.#tail -= this.#head
    this.#head = 0
  }
}
