import { types } from 'node:util'
import { asEspalierError, type ErrorCode, errorCodes, show } from '../domain/errors.ts'
import { BETWEEN_PROCESSES, findUncarriable } from './carrying.ts'

/** Something thrown, in a form that structured clone leaves whole: it loses names, codes and other fields otherwise. */
export type PackedError =
  | {
      readonly name: string
      readonly message: string
      readonly stack: string | undefined
      /** Absent when it had none. */
      readonly cause?: PackedError
      /** Of an AggregateError. */
      readonly errors?: readonly PackedError[]
      /** Its other own fields; what cannot travel is described. */
      readonly fields: Readonly<Record<string, unknown>>
    }
  /** What was thrown is no Error. */
  | { readonly thrown: unknown }

const DEPTH_MAX = 8
const ERRORS_MAX = 100
const TEXT_LENGTH_MAX = 100_000

/** @param depth - How many causes deep it lies. */
export function packError(thrown: unknown, depth = 0): PackedError {
  try {
    if (!types.isNativeError(thrown)) return { thrown: carriable(thrown) }
    const { cause, errors } = thrown as { cause?: unknown; errors?: unknown }
    return {
      name: text(thrown.name),
      message: text(thrown.message),
      stack: thrown.stack === undefined ? undefined : text(thrown.stack),
      ...(Object.hasOwn(thrown, 'cause') && depth < DEPTH_MAX ? { cause: packError(cause, depth + 1) } : {}),
      ...(Array.isArray(errors) && depth < DEPTH_MAX
        ? { errors: errors.slice(0, ERRORS_MAX).map((each) => packError(each, depth + 1)) }
        : {}),
      fields: fieldsOf(thrown),
    }
  } catch {
    return { thrown: 'an error that cannot be read' }
  }
}

/** The error again, of its built-in class if it had one; what was thrown, when that was no Error. */
export function unpackError(packed: PackedError): unknown {
  if ('thrown' in packed) return packed.thrown
  const { name, message, stack, cause, errors, fields } = packed
  const options = cause === undefined ? undefined : { cause: unpackError(cause) }
  if (name === 'EspalierError' && errorCodes.includes(fields.code as ErrorCode) && 'details' in fields) {
    const { code, details } = fields
    return define(asEspalierError(new Error(message, options), { name, code, details }), 'stack', stack)
  }
  const error = Object.hasOwn(CLASSES, name)
    ? new (CLASSES[name] as ErrorConstructor)(message, options)
    : new Error(message, options)
  if (error.name !== name) define(error, 'name', name)
  define(error, 'stack', stack)
  if (errors !== undefined) define(error, 'errors', errors.map(unpackError))
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
function define<Value extends Error>(error: Value, key: string, value: unknown): Value {
  return Object.defineProperty(error, key, { value, enumerable: false, configurable: true, writable: true })
}
