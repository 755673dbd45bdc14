import { types } from 'node:util'
import { asEspalierError, type ErrorCode, errorCodes, show } from '../domain/errors.ts'
import { BETWEEN_PROCESSES, findUncarriable } from './carrying.ts'

/** Something thrown, in a form that structured clone leaves whole: it loses names, codes and other fields otherwise. */
export type PackedError =
  | PackedFacts
  /** What was thrown is no Error. */
  | { readonly thrown: unknown }

interface PackedFacts {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** Absent when it had none. */
  cause?: PackedError
  /** Of an AggregateError. */
  errors?: readonly PackedError[]
  /** Its other own fields; what cannot travel is described. */
  readonly fields: Readonly<Record<string, unknown>>
}

const DEPTH_MAX = 8
const ERRORS_MAX = 100
const TEXT_LENGTH_MAX = 100_000

/**
 * Packs each error once, wherever it is found again: errors that refer to each other would else be without number.
 *
 * @param depth - How many causes deep it lies.
 * @param packed - What has been packed with it.
 */
export function packError(thrown: unknown, depth = 0, packed = new Map<Error, PackedError>()): PackedError {
  try {
    if (!types.isNativeError(thrown)) return { thrown: carriable(thrown) }
    const known = packed.get(thrown)
    if (known !== undefined) return known
    const { cause, errors } = thrown as { cause?: unknown; errors?: unknown }
    const error: PackedFacts = {
      name: text(thrown.name),
      message: text(thrown.message),
      stack: thrown.stack === undefined ? undefined : text(thrown.stack),
      fields: fieldsOf(thrown),
    }
    packed.set(thrown, error)
    const pack = (other: unknown) => packError(other, depth + 1, packed)
    if (Object.hasOwn(thrown, 'cause') && depth < DEPTH_MAX) error.cause = pack(cause)
    if (Array.isArray(errors) && depth < DEPTH_MAX) error.errors = errors.slice(0, ERRORS_MAX).map(pack)
    return error
  } catch {
    return { thrown: 'an error that cannot be read' }
  }
}

/**
 * The error again, of its built-in class if it had one; what was thrown, when that was no Error.
 *
 * @param unpacked - What has been unpacked with it.
 */
export function unpackError(packed: PackedError, unpacked = new Map<PackedError, Error>()): unknown {
  if ('thrown' in packed) return packed.thrown
  const known = unpacked.get(packed)
  if (known !== undefined) return known
  const { name, message, stack, cause, errors, fields } = packed
  const error = Object.hasOwn(CLASSES, name)
    ? new (CLASSES[name] as ErrorConstructor)(message)
    : new Error(message)
  unpacked.set(packed, error)
  const unpack = (other: PackedError) => unpackError(other, unpacked)
  if (cause !== undefined) define(error, 'cause', unpack(cause))
  define(error, 'stack', stack)
  if (name === 'EspalierError' && errorCodes.includes(fields.code as ErrorCode) && 'details' in fields) {
    const { code, details } = fields
    return asEspalierError(error, { name, code, details })
  }
  if (error.name !== name) define(error, 'name', name)
  if (errors !== undefined) define(error, 'errors', errors.map(unpack))
  for (const [key, value] of Object.entries(fields)) {
    Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true })
  }
  return error
}

const CLASSES: Readonly<Record<string, ErrorConstructor>> = {
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
}

const OWN_PLACES: ReadonlySet<string> = new Set(['name', 'message', 'stack', 'cause', 'errors'])

function fieldsOf(error: Error): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const key of Object.keys(error)) {
    if (OWN_PLACES.has(key) || key === '__proto__') continue
    fields[key] = carriable((error as unknown as Record<string, unknown>)[key])
  }
  return fields
}

/** The value, or if it cannot travel, a description of it. */
function carriable(value: unknown): unknown {
  return findUncarriable(value, '', BETWEEN_PROCESSES) === undefined ? value : show(value)
}

function text(value: unknown): string {
  return String(value).slice(0, TEXT_LENGTH_MAX)
}

/** Sets what an error has by itself, not to be enumerated. */
function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, enumerable: false, configurable: true, writable: true })
}
