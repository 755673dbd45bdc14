import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IndexedHeap } from '../../src/domain/heap.ts'

interface Item {
  readonly key: number
  heapIndex: number
}

const item = (key: number): Item => ({ key, heapIndex: -1 })
const createHeap = () => new IndexedHeap<Item>((a, b) => a.key < b.key)
const drain = (heap: IndexedHeap<Item>): number[] => {
  const keys: number[] = []
  for (let first = heap.shift(); first !== undefined; first = heap.shift()) keys.push(first.key)
  return keys
}

describe('the indexed heap', () => {
  test('gives items in order, and nothing when empty', () => {
    const heap = createHeap()
    for (const key of [5, 1, 4, 1, 3]) heap.push(item(key))
    expect(heap.peek()?.key).toBe(1)
    expect(drain(heap)).toEqual([1, 1, 3, 4, 5])
    expect([heap.peek(), heap.shift(), heap.size]).toEqual([undefined, undefined, 0])
  })

  test('takes out an item from anywhere, once', () => {
    const heap = createHeap()
    const items = [7, 2, 9, 4, 6].map(item)
    for (const each of items) heap.push(each)
    heap.remove(items[3] as Item)
    heap.remove(items[3] as Item)
    heap.remove(item(1))
    expect(heap.size).toBe(4)
    expect(drain(heap)).toEqual([2, 6, 7, 9])
  })

  test('tells its items their place: -1 once they are out', () => {
    const heap = createHeap()
    const [a, b] = [item(1), item(2)]
    heap.push(b)
    heap.push(a)
    expect([a.heapIndex, b.heapIndex]).toEqual([0, 1])
    heap.shift()
    expect([a.heapIndex, b.heapIndex]).toEqual([-1, 0])
    heap.clear()
    expect([b.heapIndex, heap.size]).toEqual([-1, 0])
  })

  type Command = { readonly push: number } | 'shift' | { readonly remove: number }
  const command: fc.Arbitrary<Command> = fc.oneof(
    { weight: 3, arbitrary: fc.record({ push: fc.integer({ min: 0, max: 20 }) }) },
    { weight: 1, arbitrary: fc.constant('shift' as const) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat() }) },
  )

  test('agrees with a sorted list after any pushes, shifts and removals', () => {
    const property = fc.property(fc.array(command, { maxLength: 120, size: 'max' }), (commands) => {
      const heap = createHeap()
      let model: Item[] = []
      for (const each of commands) {
        if (each === 'shift') {
          const least = Math.min(...model.map(({ key }) => key))
          const shifted = heap.shift()
          expect(shifted?.key).toBe(model.length === 0 ? undefined : least)
          model = model.filter((other) => other !== shifted)
        } else if ('push' in each) {
          const added = item(each.push)
          heap.push(added)
          model.push(added)
        } else if (model.length > 0) {
          const [removed] = model.splice(each.remove % model.length, 1)
          heap.remove(removed as Item)
        }
        expect(heap.size).toBe(model.length)
        expect(new Set(heap)).toEqual(new Set(model))
      }
      expect(drain(heap)).toEqual(model.map(({ key }) => key).sort((a, b) => a - b))
    })
    fc.assert(property)
  })
})
