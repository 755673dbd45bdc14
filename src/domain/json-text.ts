import { EspalierError } from './errors.ts'

/** Deeper values are refused, so that none can exhaust the stack. */
const DEPTH_MAX = 200

/**
 * The JSON text of a value that JSON carries as it is; `undefined` for `undefined`.
 *
 * `JSON.stringify` alone would change much in silence: maps become `{}`, `NaN` becomes `null`.
 *
 * @param what - What the value is, for the error.
 * @throws {EspalierError} `ESP_NOT_STORABLE`, naming the place.
 */
export function jsonText(value: unknown, what: string): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return JSON.stringify(value)
  check(value, what, [])
  return JSON.stringify(value)
}

function check(value: unknown, what: string, path: readonly (string | number)[]): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return
  if (typeof value === 'number' && Number.isFinite(value)) return
  if (typeof value === 'object' && path.length < DEPTH_MAX && isPlain(value)) {
    checkParts(value, what, path)
    return
  }
  const place = path.length === 0 ? 'it' : showPlace(path)
  throw new EspalierError('ESP_NOT_STORABLE', { what, place, got: shown(value) })
}

function checkParts(value: object, what: string, path: readonly (string | number)[]): void {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) check(value[index], what, [...path, index])
    return
  }
  for (const [name, part] of Object.entries(value)) {
    // An absent field and one that is undefined are read alike.
    if (part !== undefined) check(part, what, [...path, name])
  }
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true
  const prototype = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && !('toJSON' in value)
}

const showPlace = (path: readonly (string | number)[]): string =>
  path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')

function shown(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return `an object of the class ${value.constructor?.name ?? 'unknown'}`
}
