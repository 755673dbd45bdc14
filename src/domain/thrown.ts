import { show } from './errors.ts'

/** Whatever was thrown, as an Error: itself when it is one, else a new one with it as `cause`. */
export function toError(thrown: unknown): Error {
  return isError(thrown)
    ? thrown
    : new Error(`Expected an Error to be thrown, but got ${show(thrown)}.`, { cause: thrown })
}

/**
 * Whether a value says it is a promise.
 *
 * @throws What its `then` throws when it is read.
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}

function isError(value: unknown): value is Error {
  try {
    return value instanceof Error
  } catch {
    // A revoked proxy cannot even be asked.
    return false
  }
}
