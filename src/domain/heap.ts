/** What an {@link IndexedHeap} holds: each item knows its own place, so that it can be taken out again. */
export interface HeapItem {
  /** The item's place in the heap, -1 when in none; the heap's to write. */
  heapIndex: number
}

/** A binary heap from which any item can be removed in O(log n). An item is in at most one heap. */
export class IndexedHeap<Item extends HeapItem> {
  readonly #items: Item[] = []
  readonly #isBefore: (a: Item, b: Item) => boolean

  /** @param isBefore - Whether `a` comes out before `b`. */
  constructor(isBefore: (a: Item, b: Item) => boolean) {
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#items.length
  }

  peek(): Item | undefined {
    return this.#items[0]
  }

  push(item: Item): void {
    this.#items.push(item)
    this.#rise(item, this.#items.length - 1)
  }

  shift(): Item | undefined {
    const first = this.#items[0]
    if (first !== undefined) this.remove(first)
    return first
  }

  /** Takes an item out; nothing happens when it is in no heap. */
  remove(item: Item): void {
    const index = item.heapIndex
    if (index < 0) return
    item.heapIndex = -1
    const last = this.#items.pop() as Item
    if (last === item) return
    if (index > 0 && this.#isBefore(last, this.#items[(index - 1) >> 1] as Item)) this.#rise(last, index)
    else this.#sink(last, index)
  }

  clear(): void {
    for (const item of this.#items) item.heapIndex = -1
    this.#items.length = 0
  }

  /** All items, in no particular order. */
  [Symbol.iterator](): Iterator<Item> {
    return this.#items[Symbol.iterator]()
  }

  #rise(item: Item, from: number): void {
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = this.#items[parentIndex] as Item
      if (!this.#isBefore(item, parent)) break
      this.#place(parent, index)
      index = parentIndex
    }
    this.#place(item, index)
  }

  #sink(item: Item, from: number): void {
    const size = this.#items.length
    let index = from
    for (;;) {
      let childIndex = 2 * index + 1
      if (childIndex >= size) break
      let child = this.#items[childIndex] as Item
      const right = this.#items[childIndex + 1]
      if (right !== undefined && this.#isBefore(right, child)) {
        child = right
        childIndex++
      }
      if (!this.#isBefore(child, item)) break
      this.#place(child, index)
      index = childIndex
    }
    this.#place(item, index)
  }

  #place(item: Item, index: number): void {
    this.#items[index] = item
    item.heapIndex = index
  }
}
