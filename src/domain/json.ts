/** A part of a value that JSON would refuse, or lose in silence. */
export interface NotJson {
  /** Such as `$.items[2].run`; `$` is the value itself. */
  readonly path: string
  readonly found: string
}

const DEPTH_MAX = 1_000

/**
 * Finds the first part of a value that would not come back from JSON as it was.
 *
 * A property that is `undefined` counts as absent, and what has a `toJSON` method, such as a date, as what that answers.
 */
export function findNotJson(value: unknown): NotJson | undefined {
  return find(value, '$', new Set())
}

function find(value: unknown, path: string, above: Set<unknown>): NotJson | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : { path, found: String(value) }
    case 'object':
      return value === null ? undefined : findIn(value, path, above)
    case 'undefined':
      return { path, found: 'undefined' }
    default:
      return { path, found: `a ${typeof value}` }
  }
}

function findIn(value: object, path: string, above: Set<unknown>): NotJson | undefined {
  if (above.has(value)) return { path, found: 'a cycle' }
  if (above.size === DEPTH_MAX) return { path, found: `nested deeper than ${DEPTH_MAX} levels` }
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function') return undefined
  above.add(value)
  const found = Array.isArray(value) ? findInArray(value, path, above) : findInObject(value, path, above)
  above.delete(value)
  return found
}

function findInArray(value: readonly unknown[], path: string, above: Set<unknown>): NotJson | undefined {
  for (const [index, item] of value.entries()) {
    const found = find(item, `${path}[${index}]`, above)
    if (found !== undefined) return found
  }
  return undefined
}

function findInObject(value: object, path: string, above: Set<unknown>): NotJson | undefined {
  const prototype = Object.getPrototypeOf(value)
  // One of another realm has a prototype of its own, which has no prototype either.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null
  if (!isPlain) return { path, found: `a ${value.constructor?.name ?? 'class instance'}` }
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue
    const name = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
    const found = find(item, path + name, above)
    if (found !== undefined) return found
  }
  return undefined
}
