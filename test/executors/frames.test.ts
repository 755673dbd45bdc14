import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameReader, frameOf } from '../../src/executors/process/frames.ts'

/** What is read when these bytes come in pieces of the given sizes. */
function read(bytes: Buffer, sizes: readonly number[] = [bytes.length]): unknown[] {
  const messages: unknown[] = []
  const reader = new FrameReader(
    (message) => messages.push(message),
    (thrown) => messages.push(thrown),
  )
  let at = 0
  for (const size of sizes) {
    // Each piece comes in memory that is used again, as a socket's does.
    const piece = Buffer.from(bytes.subarray(at, at + size))
    reader.read(piece, piece.length)
    piece.fill(0xee)
    at += size
  }
  return messages
}

/** Calls from deep within other calls. */
const atDepth = <Result>(depth: number, call: () => Result): Result =>
  depth === 0 ? call() : atDepth(depth - 1, call)

/** The bytes of a frame, which hold for as long as they are needed. */
function framed(message: object): Buffer {
  const { bytes, length } = frameOf(message)
  return Buffer.from(bytes.subarray(0, length))
}

const passed = (message: object): unknown => read(framed(message))[0]

const shared = { seen: 'twice' }
const cyclic: unknown[] = [1]
cyclic.push(cyclic)

describe('a frame', () => {
  test.each([
    ['nothing', []],
    ['cells without a value, and null', [undefined, null, 1, undefined]],
    ['text', ['é€\u{1F600}', '\ud800 alone', '"\\\n', 'x'.repeat(100_000)]],
    ['numbers', [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 10n]],
    ['plain objects', [{ a: { b: [1, { c: null }] } }, { d: undefined }, Object.create(null)]],
    // biome-ignore lint/suspicious/noSparseArray: a hole is the subject here.
    ['arrays with holes and fields', [[1, , 3], Object.assign([1], { name: 'one' }), [undefined]]],
    ['what JSON does not know', [new Date(7), new Map([[1, new Set([2])]]), /x/g, new RangeError('far')]],
    [
      'an object of its own class',
      [
        new (class Point {
          x = 1
        })(),
      ],
    ],
    ['many cells', Array.from({ length: 40 }, (_, index) => (index % 2 ? index : undefined))],
    ['a message with names', { kind: 'said', word: { note: undefined } }],
    ['a field that is no prototype', [JSON.parse('{"__proto__": 1}')]],
  ])('keeps %s as structured clone does', (_, message) => {
    expect(passed(message)).toStrictEqual(structuredClone(message))
  })

  test.each([
    [
      'a class of arrays',
      [
        new (class extends Array {
          toJSON() {
            return 'other'
          }
        })(2),
      ],
    ],
    ['a hidden field', [Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 'other' })]],
  ])('keeps what %s would have JSON write otherwise', (_, message) => {
    expect(JSON.stringify(message)).toBe('["other"]')
    expect(JSON.stringify(passed(message))).not.toContain('other')
  })

  test.each([Object.prototype, Array.prototype])(
    'is kept also where a handler tells all others what JSON is to write',
    (prototype) => {
      Object.defineProperty(prototype, 'toJSON', { value: () => 'other', configurable: true })
      try {
        expect(passed([1, 2])).toEqual([1, 2])
      } finally {
        Reflect.deleteProperty(prototype, 'toJSON')
      }
    },
  )

  test('is kept also where a handler has put something else in the place of JSON', () => {
    const { stringify } = JSON
    JSON.stringify = () => '"other"'
    try {
      expect(passed([1, 2])).toEqual([1, 2])
    } finally {
      JSON.stringify = stringify
    }
  })

  test('that cannot be read is refused, and nothing after it is read', () => {
    let deep: unknown = {}
    for (let depth = 0; depth < 2_500; depth++) deep = { deep }
    const unreadable = framed([deep])
    const [refused, ...others] = atDepth(900, () => read(Buffer.concat([unreadable, framed([1])])))
    expect(refused).toBeInstanceOf(RangeError)
    expect(others).toEqual([])
  })

  test('keeps whatever structured clone keeps', () => {
    const values = fc.array(
      fc.anything({ withDate: true, withMap: true, withSparseArray: true, withTypedArray: true }),
    )
    fc.assert(
      fc.property(values, (row) => {
        expect(passed(row)).toStrictEqual(structuredClone(row))
      }),
      { numRuns: 1_000 },
    )
  })

  test('keeps what is the same, the same', () => {
    const [one, other] = passed([shared, [shared]]) as [object, object[]]
    expect(other[0]).toBe(one)
    const [around] = passed([cyclic]) as [unknown[]]
    expect(around[1]).toBe(around)
  })

  test.each([
    ['a typed array', new Float64Array([1, -0, Number.NaN])],
    ['a part of one', new Uint16Array([1, 2, 3]).subarray(1)],
    ['a data view', new DataView(new ArrayBuffer(8), 2, 3)],
    ['a buffer', Buffer.from('text')],
    ['an empty one', new BigInt64Array()],
  ])('gives %s no memory but its own', (_, view) => {
    const [arrived] = passed([view]) as [typeof view]
    expect(arrived).toEqual(view)
    expect([arrived.constructor, arrived.byteOffset]).toEqual([view.constructor, 0])
    expect(arrived.buffer.byteLength).toBe(view.byteLength)
  })

  test('gives bytes memory of their own', () => {
    const bytes = Buffer.concat([framed([new Uint8Array(8).fill(1)]), framed([new Uint8Array(8).fill(2)])])
    const [[one], [other]] = read(bytes) as [[Uint8Array], [Uint8Array]]
    expect([...one, ...other]).toEqual([...Array(8).fill(1), ...Array(8).fill(2)])
    expect(one.buffer).not.toBe(other.buffer)
  })

  test('is refused for what cannot be cloned', () => {
    expect(() => framed([() => {}])).toThrow('could not be cloned')
  })

  test('is read whole, however the bytes come', () => {
    const rows: object[] = [[], [1, undefined, 'two'], [new Date(3)], ['x'.repeat(3_000)], { four: 4 }, []]
    const bytes = Buffer.concat(rows.map((row) => framed(row)))
    const sizes = fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 50 })
    fc.assert(
      fc.property(sizes, (pieces) => {
        const rest = Math.max(0, bytes.length - pieces.reduce((sum, size) => sum + size, 0))
        expect(read(bytes, [...pieces, rest])).toStrictEqual(rows)
      }),
    )
    expect(read(bytes, Array(bytes.length).fill(1))).toStrictEqual(rows)
  })
})
