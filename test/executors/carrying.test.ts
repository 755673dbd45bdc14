import { describe, expect, test } from 'vitest'
import { BETWEEN_PROCESSES, BETWEEN_THREADS, findUncarriable } from '../../src/executors/carrying.ts'
import { packError, unpackError } from '../../src/executors/packed-error.ts'

class Point {
  x = 1
}
class Hidden {
  readonly #x = 1
  get x(): number {
    return this.#x
  }
}

describe('what structured clone cannot carry', () => {
  const cycle: Record<string, unknown> = { deep: {} }
  ;(cycle.deep as Record<string, unknown>).back = cycle

  test.each([
    ['plain data', { a: [1, 'b', null, undefined, 1n, { c: true }] }],
    ['a cycle', cycle],
    [
      'built-in classes',
      [new Map([[1, new Set([2])]]), new Date(), /x/, new Uint8Array(2), new TypeError('t')],
    ],
    ['public fields of an instance', { point: new Point() }],
    ['a port, which a transfer list moves', new MessageChannel().port1],
  ])('does not hold for %s', (_, value) => {
    expect(findUncarriable(value, 'value', BETWEEN_THREADS)).toBeUndefined()
  })

  test.each([
    [() => 1, 'value', /^function/],
    [Symbol('s'), 'value', /^a symbol/],
    [{ a: [1, { 'b c': () => 1 }] }, 'value.a[1]["b c"]', /^function/],
    [new Map([['k', { f: () => 1 }]]), 'value.get("k").f', /^function/],
    [{ url: new URL('file:///a') }, 'value.url', /^a URL, of which nothing would arrive/],
    [[new Hidden()], 'value[0]', /^a Hidden, of which nothing would arrive/],
    [{ later: Promise.resolve() }, 'value.later', /^a Promise, of which nothing would arrive/],
    [{ p: new Proxy({}, {}) }, 'value.p', /^a proxy/],
    [
      {
        get bad() {
          throw new Error('no')
        },
      },
      'value.bad',
      /^a getter that throws "no"/,
    ],
  ])('is found: %#', (value, path, found) => {
    expect(findUncarriable(value, 'value', BETWEEN_THREADS)).toEqual({
      path,
      found: expect.stringMatching(found),
    })
  })
})

/** An array that is all holes but for its last item. */
const sparse = (last: unknown): unknown[] => {
  const items: unknown[] = []
  items[4_000_000_000] = last
  return items
}

test.each([BETWEEN_THREADS, BETWEEN_PROCESSES])('holes cost no time: %#', (carrier) => {
  const beganAt = performance.now()
  expect(findUncarriable(sparse(1), 'value', carrier)).toBeUndefined()
  expect(findUncarriable(sparse({ run: () => 1 }), 'value', carrier)?.path).toBe('value[4000000000].run')
  expect(performance.now() - beganAt).toBeLessThan(5_000)
})

test('a map is looked through without writing out its keys', () => {
  let written = 0
  const key = { toJSON: () => ++written }
  expect(findUncarriable(new Map([[key, {}]]), 'value', BETWEEN_THREADS)?.path).toBe('value.keys().toJSON')
  expect(written).toBe(0)
})

const refusing = (): never => {
  throw new Error('no')
}
class RefusingMap extends Map {
  override [Symbol.iterator] = refusing
}

test.each([
  ['an item', Object.defineProperty([1], 0, { enumerable: true, get: refusing })],
  ['a cause', Object.defineProperty(new Error('x'), 'cause', { get: refusing })],
  ['an iterator', new RefusingMap()],
  ['a class', Object.create(Object.defineProperty({}, 'constructor', { get: refusing }))],
])('what throws when it is looked at is found: %s', (_, value) => {
  expect(findUncarriable({ value }, 'it', BETWEEN_THREADS)).toEqual({
    path: 'it.value',
    found: expect.stringMatching(/^an object that throws "no"/),
  })
})

const moved = (): ArrayBuffer => {
  const buffer = new ArrayBuffer(8)
  structuredClone(buffer, { transfer: [buffer] })
  return buffer
}

test.each([BETWEEN_THREADS, BETWEEN_PROCESSES])(
  'what lies in an error or was moved away is found: %#',
  (carrier) => {
    const error = new Error('outer', { cause: { run: () => 1 } })
    expect(findUncarriable({ error }, 'value', carrier)?.path).toBe('value.error.cause.run')
    expect(findUncarriable([moved()], 'value', carrier)).toEqual({
      path: 'value[0]',
      found: 'a buffer that was moved away',
    })
  },
)

test.each([
  ['a Blob', new Blob(['data']), /^a Blob, of which nothing would arrive/],
  ['a port', new MessageChannel().port1, /^a MessagePort, of which nothing would arrive/],
  ['shared memory', new SharedArrayBuffer(8), /^shared memory/],
])('%s travels between threads, and not between processes', (_, value, found) => {
  expect(findUncarriable({ value }, 'it', BETWEEN_THREADS)).toBeUndefined()
  expect(findUncarriable({ value }, 'it', BETWEEN_PROCESSES)).toEqual({
    path: 'it.value',
    found: expect.stringMatching(found),
  })
})

describe('an error that is packed and unpacked', () => {
  const travel = (thrown: unknown) => unpackError(structuredClone(packError(thrown)))

  test('one that only has the name of one of espalier’s stays what it is', () => {
    const fake = Object.assign(new Error('x'), { name: 'EspalierError', code: 'ESP_UNKNOWN_JOB' })
    expect(travel(fake)).toMatchObject({ name: 'EspalierError', code: 'ESP_UNKNOWN_JOB', message: 'x' })
    const details = { path: undefined }
    const strange = Object.assign(new Error('y'), {
      name: 'EspalierError',
      code: 'ESP_DEPENDENCY_CYCLE',
      details,
    })
    expect(travel(strange)).toMatchObject({ code: 'ESP_DEPENDENCY_CYCLE', message: 'y' })
  })

  test('keeps its name, stack, causes, errors and fields', () => {
    const aggregate = new AggregateError([new RangeError('one')], 'many', { cause: 'words' })
    const error = Object.assign(new Error('top', { cause: aggregate }), { code: 'E', run: () => 1 })
    error.name = 'CustomError'
    const arrived = travel(error) as Error & { code: string; run: unknown; cause: AggregateError }
    expect(arrived).toMatchObject({ name: 'CustomError', message: 'top', stack: error.stack, code: 'E' })
    expect(arrived.run).toMatch(/^function/)
    expect(arrived.cause).toMatchObject({ name: 'AggregateError', message: 'many', cause: 'words' })
    expect(arrived.cause.errors[0]).toBeInstanceOf(RangeError)
  })

  test.each([[null], [undefined], ['words'], [{ code: 7 }]])('may be no Error at all: %j', (thrown) => {
    expect(travel(thrown)).toEqual(thrown)
  })

  test('may lie among its own causes, and in a list that each on it has', () => {
    const errors = Array.from({ length: 10 }, (_, index) => new Error(`try ${index}`))
    for (const error of errors) Object.assign(error, { errors, cause: errors[0] })
    const arrived = travel(errors[1]) as AggregateError
    expect(arrived.errors.map(({ message }) => message)).toEqual(errors.map(({ message }) => message))
    expect(arrived.errors[1]).toBe(arrived)
    expect(arrived.cause).toBe(arrived.errors[0])
    expect((arrived.cause as Error).cause).toBe(arrived.cause)
  })

  test('may be hostile', () => {
    const hostile = new Error('x')
    Object.defineProperty(hostile, 'message', {
      get() {
        throw new Error('no')
      },
    })
    expect(travel(hostile)).toBe('an error that cannot be read')
    expect(travel(Object.freeze(new TypeError('cold')))).toMatchObject({ message: 'cold' })
  })
})
