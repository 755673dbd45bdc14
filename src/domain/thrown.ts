import { show } from './errors.ts'

/** Whatever was thrown, as an Error: itself when it is one, else a new one with it as `cause`. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error(`Expected an Error to be thrown, but got ${show(thrown)}.`, { cause: thrown })
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
