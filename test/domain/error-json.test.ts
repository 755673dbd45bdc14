import { expect, test } from 'vitest'
import { EspalierError } from '../../src/domain/errors.ts'
import { errorFromJson, errorToJson } from '../../src/domain/trace.ts'

const throughJson = (error: Error): Error => errorFromJson(JSON.parse(JSON.stringify(errorToJson(error))))

test('an error keeps its name, message, stack, code and cause', () => {
  const cause = Object.assign(new TypeError('no route'), { code: 'ECONNRESET' })
  const error = new RangeError('too far', { cause })
  const again = throughJson(error)
  expect(again).toBeInstanceOf(Error)
  expect([again.name, again.message, again.stack]).toEqual([error.name, error.message, error.stack])
  expect(again.cause).toMatchObject({ name: 'TypeError', message: 'no route', code: 'ECONNRESET' })
})

test('an error of espalier is one again', () => {
  const again = throughJson(new EspalierError('ESP_UNKNOWN_JOB', { jobId: 'a' }))
  expect(again).toBeInstanceOf(EspalierError)
  expect(again).toMatchObject({ code: 'ESP_UNKNOWN_JOB', details: { jobId: 'a' } })
  expect(again.message).toBe(new EspalierError('ESP_UNKNOWN_JOB', { jobId: 'a' }).message)
})

test('what was thrown instead of an error is kept as its cause', () => {
  expect(throughJson(new Error('thrown', { cause: null })).cause).toBeNull()
  expect(throughJson(new Error('thrown', { cause: 10n })).cause).toBe('10')
})

test('a hostile error does no harm', () => {
  const hostile = new Error('x')
  Object.defineProperty(hostile, 'stack', {
    get() {
      throw new Error('no stack for you')
    },
  })
  Object.assign(hostile, { cause: hostile })
  expect(throughJson(hostile).message).toBe('x')
})
