import { types } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { EspalierError, show } from '../domain/errors.ts'
import { toError } from '../domain/thrown.ts'

/** A value that structured clone refuses, or would empty without a word. */
export interface Uncarriable {
  /** Where it was found, such as `args[0].items[3].next`. */
  readonly path: string
  /** What it is, such as "function work". */
  readonly found: string
}

/** By what a value travels. */
export interface Carrier {
  /** What would arrive of a value. @throws When it cannot travel. */
  clone(value: object): object
  /** Whether both ends are in one process: then ports and streams can be moved, and memory shared. */
  readonly isWithinProcess: boolean
}

export const BETWEEN_THREADS: Carrier = { clone: structuredClone, isWithinProcess: true }
/** V8 alone: what Node has of its own, such as a `Blob`, it does not know. */
export const BETWEEN_PROCESSES: Carrier = {
  clone: (value) => deserialize(serialize(value)),
  isWithinProcess: false,
}

/** A place in the value that is looked through. */
interface Place {
  readonly value: object
  readonly name: Name
  readonly parent: Place | undefined
}

/** A step of a path; made when the path is told where that costs more than looking there. */
type Name = string | (() => string)

/**
 * Looks for what cannot travel by structured clone.
 *
 * Structured clone throws without telling where, and of an instance that keeps its data in private fields, such as a
 * `URL`, it silently makes `{}`. Instances with public fields arrive as plain objects, which is accepted.
 *
 * @param name - What the path begins with.
 */
export function findUncarriable(value: unknown, name: string, carrier: Carrier): Uncarriable | undefined {
  if (!isCompound(value)) return reasonAgainst(value, name, undefined)
  const seen = new Set<object>([value])
  const open: Place[] = [{ value, name, parent: undefined }]
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const found = lookInto(place, carrier, (child, key) => {
      if (!isCompound(child)) return reasonAgainst(child, key, place)
      if (!seen.has(child)) {
        seen.add(child)
        open.push({ value: child, name: key, parent: place })
      }
      return undefined
    })
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * Refuses what cannot travel to or from a job's handler.
 *
 * @param what - What it was found in, such as "its result".
 */
export function cannotCarry(jobId: string, what: string, { path, found }: Uncarriable): EspalierError {
  return new EspalierError('ESP_CANNOT_CARRY', { jobId, what, carrier: 'a structured clone', path, found })
}

/** The same where sending it has failed, or reading it at the other end: what of it was to blame, nobody tells. */
export function cannotSend(jobId: string, what: string, thrown: unknown): EspalierError {
  const found = `not to be carried (${toError(thrown).message})`
  return cannotCarry(jobId, what, { path: 'some part of it', found })
}

type Visit = (child: unknown, key: Name) => Uncarriable | undefined

/** What is asked of a value may be its own code, such as a getter or an iterator. */
function lookInto(place: Place, carrier: Carrier, visit: Visit): Uncarriable | undefined {
  try {
    return findIn(place, carrier, visit)
  } catch (thrown) {
    return {
      path: pathOf(place),
      found: `an object that throws ${show(toError(thrown).message)} when it is looked at`,
    }
  }
}

function findIn(place: Place, carrier: Carrier, visit: Visit): Uncarriable | undefined {
  const { value } = place
  const against = (found: string): Uncarriable => ({ path: pathOf(place), found })
  if (types.isProxy(value)) return against('a proxy')
  if (Array.isArray(value)) return lookIntoArray(value, visit)
  if (types.isAnyArrayBuffer(value)) return memoryAgainst(value, carrier, against)
  if (ArrayBuffer.isView(value)) return memoryAgainst(value.buffer, carrier, against)
  if (isLeaf(value)) return undefined
  if (types.isNativeError(value)) {
    return Object.hasOwn(value, 'cause') ? visit((value as Error).cause, '.cause') : undefined
  }
  if (types.isMap(value)) return lookIntoMap(value, visit)
  if (types.isSet(value)) return lookIntoArray([...value], visit)
  const prototype = Object.getPrototypeOf(value)
  const keys = Object.keys(value)
  if (prototype !== Object.prototype && prototype !== null && keys.length === 0) {
    return isEmptied(value, carrier) ? against(`${nameOf(value)}, of which nothing would arrive`) : undefined
  }
  for (const key of keys) {
    let child: unknown
    try {
      child = (value as Record<string, unknown>)[key]
    } catch (thrown) {
      return {
        path: pathOf(place) + step(key),
        found: `a getter that throws ${show(toError(thrown).message)}`,
      }
    }
    const found = visit(child, step(key))
    if (found !== undefined) return found
  }
  return undefined
}

/** A longer array was either filled item by item, or V8 keeps of it only the items that are there. */
const DENSE_LENGTH_MAX = 2 ** 25
/** How many holes are looked at before an array is taken for one whose keys are few: those of the other kind take much memory. */
const HOLES_MAX = 2 ** 20

function lookIntoArray(items: readonly unknown[], visit: Visit): Uncarriable | undefined {
  let holes = 0
  for (let index = 0; index < items.length; index++) {
    const item = items[index]
    // Most arrays are long and of numbers or strings: no path is made for these.
    if (typeof item === 'number' || typeof item === 'string') continue
    if (item === undefined) {
      if (items.length <= DENSE_LENGTH_MAX || index in items || ++holes <= HOLES_MAX) continue
      return lookIntoKeys(items, visit)
    }
    const found = visit(item, `[${index}]`)
    if (found !== undefined) return found
  }
  return undefined
}

function lookIntoKeys(items: readonly unknown[], visit: Visit): Uncarriable | undefined {
  for (const key of Object.keys(items)) {
    const found = visit(items[key as keyof typeof items], `[${key}]`)
    if (found !== undefined) return found
  }
  return undefined
}

function lookIntoMap(map: ReadonlyMap<unknown, unknown>, visit: Visit): Uncarriable | undefined {
  for (const [key, item] of map) {
    const found = visit(key, '.keys()') ?? visit(item, () => `.get(${show(key)})`)
    if (found !== undefined) return found
  }
  return undefined
}

function reasonAgainst(value: unknown, name: Name, parent: Place | undefined): Uncarriable | undefined {
  if (typeof value !== 'function' && typeof value !== 'symbol') return undefined
  const path = (parent === undefined ? '' : pathOf(parent)) + textOf(name)
  return { path, found: typeof value === 'function' ? show(value) : `a symbol, ${String(value)}` }
}

function memoryAgainst(
  buffer: ArrayBufferLike,
  { isWithinProcess }: Carrier,
  against: (found: string) => Uncarriable,
): Uncarriable | undefined {
  if (buffer instanceof ArrayBuffer && buffer.detached) return against('a buffer that was moved away')
  return types.isSharedArrayBuffer(buffer) && !isWithinProcess
    ? against('shared memory, which no other process has')
    : undefined
}

/** An instance without public fields: whether an empty plain object would arrive of it, or nothing. */
function isEmptied(value: object, { clone, isWithinProcess }: Carrier): boolean {
  try {
    return Object.getPrototypeOf(clone(value)) === Object.prototype
  } catch {
    // A transferable, such as a port, is refused here and may still travel by a transfer list.
    return !isWithinProcess || !isTransferable(value)
  }
}

function isTransferable(value: object): boolean {
  return TRANSFERABLE.has(value.constructor?.name)
}

const TRANSFERABLE: ReadonlySet<string> = new Set([
  'MessagePort',
  'FileHandle',
  'ReadableStream',
  'WritableStream',
  'TransformStream',
])

function isLeaf(value: object): boolean {
  return (
    types.isDate(value) ||
    types.isRegExp(value) ||
    (types.isBoxedPrimitive(value) && !types.isSymbolObject(value))
  )
}

function isCompound(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function nameOf(value: object): string {
  const name = value.constructor?.name
  return typeof name === 'string' && name !== '' ? `a ${name}` : 'an instance'
}

function step(key: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`
}

function pathOf(place: Place): string {
  const names: string[] = []
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) names.push(textOf(at.name))
  return names.reverse().join('')
}

function textOf(name: Name): string {
  return typeof name === 'string' ? name : name()
}
