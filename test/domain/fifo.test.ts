import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fifo } from '../../src/domain/fifo.ts'

describe('the first-in, first-out queue', () => {
  test('is empty at first', () => {
    const fifo = new Fifo<number>()
    expect([fifo.size, fifo.peek(), fifo.last(), fifo.shift(), [...fifo]]).toEqual([
      0,
      undefined,
      undefined,
      undefined,
      [],
    ])
  })

  test('keeps its order over many times its own size', () => {
    const fifo = new Fifo<number>()
    let next = 0
    for (let pushed = 0; pushed < 10_000; pushed++) {
      fifo.push(pushed)
      if (pushed % 3 !== 0) expect(fifo.shift()).toBe(next++)
    }
    expect([...fifo]).toEqual(Array.from({ length: fifo.size }, (_, index) => next + index))
    expect(fifo.last()).toBe(9_999)
  })

  test('forgets what was in it when cleared, at any size', () => {
    for (const size of [3, 5_000]) {
      const fifo = new Fifo<number>()
      for (let index = 0; index < size; index++) fifo.push(index)
      fifo.clear()
      expect([fifo.size, fifo.peek(), [...fifo]]).toEqual([0, undefined, []])
      fifo.push(-1)
      expect([...fifo]).toEqual([-1])
    }
  })

  test('agrees with an array after any pushes and shifts', () => {
    const runs = fc.array(fc.record({ push: fc.nat(2_000), shift: fc.nat(2_000) }), { maxLength: 8 })
    const property = fc.property(runs, (rounds) => {
      const fifo = new Fifo<number>()
      const model: number[] = []
      let count = 0
      for (const { push, shift } of rounds) {
        for (let index = 0; index < push; index++) {
          fifo.push(count)
          model.push(count++)
        }
        const expected = model.splice(0, shift)
        expect(Array.from({ length: expected.length }, () => fifo.shift())).toEqual(expected)
        expect([fifo.size, fifo.peek(), fifo.last()]).toEqual([model.length, model[0], model.at(-1)])
      }
      expect([...fifo]).toEqual(model)
    })
    fc.assert(property, { numRuns: 50 })
  })
})
