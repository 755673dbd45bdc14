import { inspect } from 'node:util'

/** Deeper values are shown as strings, so that no value can exhaust the stack. */
const DEPTH_MAX = 200
const STRING_LENGTH_MAX = 2_000

/**
 * A copy of a value that JSON can carry; what it cannot (`NaN`, big integers, functions, maps, cycles …) becomes the
 * string that `inspect` shows for it. Errors become objects, typed arrays become arrays.
 */
export function toJson(value: unknown): unknown {
  return convert(value, [])
}

function convert(value: unknown, above: readonly object[]): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'object') return value === undefined ? undefined : asText(value)
  if (above.length >= DEPTH_MAX) return asText(value)
  if (above.includes(value)) return '[Circular]'
  try {
    return convertObject(value, [...above, value])
  } catch {
    return asText(value)
  }
}

function convertObject(value: object, above: readonly object[]): unknown {
  if (Array.isArray(value)) return Array.from(value, (item) => convert(item, above) ?? null)
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    return Array.from(value as Float64Array, (item) => convert(item, above))
  }
  if (value instanceof Error) return convertError(value, above)
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON === 'function') return convert(toJSON.call(value), above)
  if (!isRecord(value)) return asText(value)
  const entries = Object.keys(value).map((key) => [
    key,
    convert((value as Record<string, unknown>)[key], above),
  ])
  return Object.fromEntries(entries)
}

function convertError(error: Error, above: readonly object[]): unknown {
  const { name, message, stack, cause } = error
  const code = (error as { readonly code?: unknown }).code
  const facts = { name, message, code, cause, stack }
  return Object.fromEntries(Object.entries(facts).map(([key, fact]) => [key, convert(fact, above)]))
}

/** Whether an object's own properties are all there is to it: maps, sets, promises and buffers keep theirs elsewhere. */
function isRecord(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Object]'
}

function asText(value: unknown): string {
  const text = inspect(value, { depth: 2, maxArrayLength: 20, breakLength: Infinity })
  return text.length > STRING_LENGTH_MAX ? `${text.slice(0, STRING_LENGTH_MAX - 1)}…` : text
}

/** A document as it is printed and written. */
export const jsonDocument = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`
