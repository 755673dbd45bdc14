const INT32_MAX = 0x7fffffff

/** Writes bytes into a buffer that grows. Little-endian throughout. */
export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  /** @param capacity - Bytes to begin with. */
  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get length(): number {
    return this.#length
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  uint32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }

  float32(value: number): void {
    this.#reserve(4)
    this.#view.setFloat32(this.#length, value, true)
    this.#length += 4
  }

  float64(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** A whole number from 0, in as many bytes as it takes: 7 bits each, the lowest first. */
  varint(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
  }

  /** The difference of each number to the one before it, before the first 0: as varints, so folded that small negative ones are small. */
  deltas(values: ArrayLike<number>): void {
    this.#reserve(8 * values.length)
    const bytes = this.#bytes
    let offset = this.#length
    let before = 0
    for (let row = 0; row < values.length; row++) {
      const value = values[row] as number
      const change = value - before
      before = value
      let rest = change < 0 ? -2 * change - 1 : 2 * change
      if (rest <= INT32_MAX) {
        // Where shifts will do, they take a fraction of the time.
        for (; rest >= 0x80; rest >>>= 7) bytes[offset++] = rest | 0x80
      } else for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes[offset++] = (rest % 0x80) | 0x80
      bytes[offset++] = rest
    }
    this.#length = offset
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** What has been written; a copy. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length)
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count))
    larger.set(this.#bytes)
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

/** Bytes that are not what they should be: cut short, damaged, or of another version. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  /** Where in the bytes, from 0. */
  readonly offset: number

  constructor(message: string, offset: number) {
    super(`${message} (at byte ${offset})`)
    this.offset = offset
  }
}

/** Reads what {@link ByteWriter} has written; past the end it throws {@link DecodeError}. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #offset = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get offset(): number {
    return this.#offset
  }

  get left(): number {
    return this.#bytes.length - this.#offset
  }

  byte(): number {
    this.#require(1)
    return this.#bytes[this.#offset++] as number
  }

  uint32(): number {
    this.#require(4)
    this.#offset += 4
    return this.#view.getUint32(this.#offset - 4, true)
  }

  float32(): number {
    this.#require(4)
    this.#offset += 4
    return this.#view.getFloat32(this.#offset - 4, true)
  }

  float64(): number {
    this.#require(8)
    this.#offset += 8
    return this.#view.getFloat64(this.#offset - 8, true)
  }

  varint(): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 0x80
      if (factor > 2 ** 56) throw this.error('a number is too long')
    }
  }

  /** The next so many bytes; not a copy. */
  bytes(count: number): Uint8Array {
    this.#require(count)
    this.#offset += count
    return this.#bytes.subarray(this.#offset - count, this.#offset)
  }

  error(message: string): DecodeError {
    return new DecodeError(`The recording is damaged: ${message}`, this.#offset)
  }

  #require(count: number): void {
    if (count > this.left) throw this.error('it ends too early')
  }
}
