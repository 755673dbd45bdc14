import { inspect } from 'node:util'
import type { CappedValue } from '../../protocol/messages.ts'

/** Characters of a value that are sent unless more is asked for. */
const LENGTH_MAX = 16 * 1024
const FULL_LENGTH_MAX = 1024 * 1024
const DEPTH_MAX = 6
const FULL_DEPTH_MAX = 50
/** Entries of one array or object. */
const ENTRIES_MAX = 1_000
const FULL_ENTRIES_MAX = 100_000

/**
 * A value as JSON text of a bounded size, whatever it is: what JSON cannot carry becomes the text that `inspect` shows,
 * cycles and what lies too deep are named, and of a very large value only the beginning is read at all.
 */
export function toCapped(value: unknown, isFull: boolean): CappedValue {
  const writer = new CappedWriter(
    isFull ? FULL_LENGTH_MAX : LENGTH_MAX,
    isFull ? FULL_DEPTH_MAX : DEPTH_MAX,
    isFull ? FULL_ENTRIES_MAX : ENTRIES_MAX,
  )
  return writer.write(value)
}

class CappedWriter {
  readonly #lengthMax: number
  readonly #depthMax: number
  readonly #entriesMax: number
  #text = ''
  #isCut = false

  constructor(lengthMax: number, depthMax: number, entriesMax: number) {
    this.#lengthMax = lengthMax
    this.#depthMax = depthMax
    this.#entriesMax = entriesMax
  }

  write(value: unknown): CappedValue {
    this.#value(value, [])
    const text = this.#text.slice(0, this.#lengthMax)
    return { text, length: this.#text.length, isCut: this.#isCut || text.length < this.#text.length }
  }

  get #isOver(): boolean {
    return this.#text.length > this.#lengthMax
  }

  #value(value: unknown, above: readonly object[]): void {
    if (this.#isOver) this.#isCut = true
    else if (
      value === null ||
      typeof value === 'boolean' ||
      (typeof value === 'number' && Number.isFinite(value))
    ) {
      this.#text += String(value)
    } else if (typeof value === 'string') this.#string(value)
    else if (typeof value !== 'object') this.#string(plainText(value))
    else if (above.includes(value)) this.#text += '"[Circular]"'
    else if (above.length >= this.#depthMax) {
      this.#isCut = true
      this.#text += Array.isArray(value) ? `"[Array of ${value.length}]"` : '"[Object]"'
    } else this.#object(value, [...above, value])
  }

  #string(text: string): void {
    const room = this.#lengthMax - this.#text.length + 1
    this.#text += JSON.stringify(text.length > room ? text.slice(0, room) : text)
    if (text.length > room) this.#isCut = true
  }

  #object(value: object, above: readonly object[]): void {
    try {
      if (Array.isArray(value))
        this.#list('[', value.length, ']', (index) => this.#value(value[index], above))
      else if (ArrayBuffer.isView(value) && !(value instanceof DataView)) this.#typedArray(value, above)
      else if (value instanceof Error) {
        const { name, message, stack } = value
        this.#record({ ...value, name, message, stack }, above)
      } else if (Object.prototype.toString.call(value) === '[object Object]') {
        this.#record(value as Readonly<Record<string, unknown>>, above)
      } else this.#string(plainText(value))
    } catch {
      // A getter or a proxy that throws.
      this.#string('[unreadable]')
    }
  }

  #typedArray(value: ArrayBufferView, above: readonly object[]): void {
    const numbers = value as unknown as ArrayLike<number>
    this.#list('[', numbers.length, ']', (index) => this.#value(numbers[index], above))
  }

  #record(value: Readonly<Record<string, unknown>>, above: readonly object[]): void {
    const keys = Object.keys(value).filter((key) => value[key] !== undefined)
    this.#list('{', keys.length, '}', (index) => {
      const key = keys[index] as string
      this.#string(key)
      this.#text += ':'
      this.#value(value[key], above)
    })
  }

  #list(open: string, length: number, close: string, write: (index: number) => void): void {
    this.#text += open
    const shown = Math.min(length, this.#entriesMax)
    if (shown < length) this.#isCut = true
    for (let index = 0; index < shown && !this.#isOver; index++) {
      if (index > 0) this.#text += ','
      write(index)
    }
    this.#text += close
  }
}

function plainText(value: unknown): string {
  try {
    return inspect(value, { depth: 2, maxArrayLength: 20, maxStringLength: 2_000, breakLength: Infinity })
  } catch {
    return '[unreadable]'
  }
}
