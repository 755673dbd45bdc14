import { EspalierError } from './errors.ts'

// biome-ignore lint/suspicious/noExplicitAny: like what JSON.parse answers; the caller knows what it has stored.
type Stored = any

/**
 * What JSON text of a store tells; nothing of a field that the row does not have.
 *
 * @param field - What the text is of its row: `spec`, `value`. @param row - What the row is of: `node`, `job`, `run`.
 * @throws {EspalierError} `ESP_STORE_ROW_CORRUPT` when the text is no JSON any more.
 */
export function storedJson(
  text: string | undefined,
  field: string,
  row: string,
  id: string | number,
): Stored {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    const { message } = error as Error
    throw new EspalierError('ESP_STORE_ROW_CORRUPT', { field, row, id, message }, { cause: error })
  }
}

/** The same of an object. @throws {EspalierError} `ESP_STORE_ROW_CORRUPT`, also for JSON of something else. */
export function storedObject(
  text: string | undefined,
  field: string,
  row: string,
  id: string | number,
): Stored {
  const value = storedJson(text, field, row, id)
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject && text !== undefined) refuse(text, field, row, id)
  return value
}

/** The same of an array. */
export function storedList(text: string, field: string, row: string, id: string | number): Stored {
  const value = storedJson(text, field, row, id)
  if (!Array.isArray(value)) refuse(text, field, row, id)
  return value
}

function refuse(text: string, field: string, row: string, id: string | number): never {
  throw new EspalierError('ESP_STORE_ROW_CORRUPT', { field, row, id, message: `it is ${text.slice(0, 40)}` })
}
