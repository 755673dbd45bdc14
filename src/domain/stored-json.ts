import { EspalierError } from './errors.ts'

/**
 * What JSON text of a store tells; nothing of a field that the row does not have.
 *
 * @param field - What the text is of its row: `spec`, `value`. @param row - What the row is of: `node`, `job`, `run`.
 * @throws {EspalierError} `ESP_STORE_ROW_CORRUPT` when the text is no JSON any more.
 */
// biome-ignore lint/suspicious/noExplicitAny: like JSON.parse; the caller knows what it has stored there.
export function storedJson(text: string | undefined, field: string, row: string, id: string | number): any {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    const { message } = error as Error
    throw new EspalierError('ESP_STORE_ROW_CORRUPT', { field, row, id, message }, { cause: error })
  }
}
