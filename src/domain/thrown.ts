import { show } from './errors.ts'

/** Whatever was thrown, as an Error: itself when it is one, else a new one with it as `cause`. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error(`The handler threw ${show(thrown)} instead of an Error.`, { cause: thrown })
}
