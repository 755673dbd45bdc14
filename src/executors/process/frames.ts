import { DefaultDeserializer, DefaultSerializer } from 'node:v8'

/**
 * A frame: how many bytes its body has (4 bytes), the form of the body (2 bytes), and the body, a message.
 *
 * The form of a row that JSON keeps as it is tells which of its cells are `undefined`; everything else is V8's.
 */
const HEAD_BYTES = 6
const FORM_AT = 4
const BY_V8 = 0xffff
const CELLS_MAX = 15

/** What is larger than this is written sooner by V8 than it is looked through. */
const ITEMS_MAX = 32
const LENGTH_MAX = 1_000
const DEPTH_MAX = 4

/** As they are before any handler is loaded, which may put others in their place. */
const { parse, stringify } = JSON

/** Where short frames are written, one after the other. */
const scratch = Buffer.allocUnsafeSlow(65_536)

/** So many bytes, from the first on: a view of them alone would cost as much as writing them. */
export interface Frame {
  readonly bytes: Buffer
  readonly length: number
}

/**
 * Writes a message as a frame, which holds until the next one is written.
 *
 * @throws When structured clone would refuse it.
 */
export function frameOf(message: object): Frame {
  const absent = Array.isArray(message) ? absentCells(message) : undefined
  if (absent === undefined) return frameByV8(message)
  const text = stringify(message)
  // A character takes three bytes at most.
  if (text.length * 3 > scratch.length - HEAD_BYTES) return frameByV8(message)
  const length = scratch.write(text, HEAD_BYTES)
  return withHead(scratch, HEAD_BYTES + length, absent)
}

/** Reads messages from frames that come in pieces of any size. */
export class FrameReader<Message> {
  readonly #take: (message: Message) => void
  readonly #refuse: (thrown: unknown) => void
  #isBroken = false
  readonly #head = Buffer.alloc(HEAD_BYTES)
  /** The body of a frame that has begun, and how much of head and body has come. */
  #body: Buffer | undefined
  #filled = 0

  /** @param refuse - Told of a frame that cannot be read, such as of objects that lie too deep in each other: it is the last. */
  constructor(take: (message: Message) => void, refuse: (thrown: unknown) => void) {
    this.#take = take
    this.#refuse = refuse
  }

  /** @param bytes - They may change once this has returned. @param length - How many of them there are. */
  read(bytes: Buffer, length: number): void {
    let at = 0
    while (at < length && !this.#isBroken) {
      if (this.#filled > 0) {
        at += this.#fill(bytes, at, length)
        continue
      }
      const bodyAt = at + HEAD_BYTES
      const end = bodyAt <= length ? bodyAt + bytes.readUInt32LE(at) : Number.POSITIVE_INFINITY
      if (end > length) {
        at += this.#fill(bytes, at, length)
        continue
      }
      const form = bytes.readUInt16LE(at + FORM_AT)
      at = end
      this.#hand(form, bytes, bodyAt, end)
    }
  }

  /** Takes what belongs to the frame that has begun; returns how much that was. */
  #fill(bytes: Buffer, at: number, length: number): number {
    const head = this.#head
    const inHead = bytes.copy(head, Math.min(this.#filled, HEAD_BYTES), at, length)
    this.#filled += inHead
    if (this.#filled < HEAD_BYTES) return inHead
    this.#body ??= Buffer.allocUnsafeSlow(head.readUInt32LE(0))
    const body = this.#body
    const inBody = bytes.copy(body, this.#filled - HEAD_BYTES, at + inHead, length)
    this.#filled += inBody
    if (this.#filled === HEAD_BYTES + body.length) {
      this.#filled = 0
      this.#body = undefined
      this.#hand(head.readUInt16LE(FORM_AT), body, 0, body.length)
    }
    return inHead + inBody
  }

  #hand(form: number, bytes: Buffer, from: number, to: number): void {
    let message: Message
    try {
      message = form === BY_V8 ? readByV8(bytes, from, to) : readRow(form, bytes, from, to)
    } catch (thrown) {
      this.#isBroken = true
      this.#refuse(thrown)
      return
    }
    this.#take(message)
  }
}

function readRow<Message>(form: number, bytes: Buffer, from: number, to: number): Message {
  const row = parse(bytes.toString('utf8', from, to)) as unknown[]
  for (let index = 0; form >> index > 0; index++) if ((form >> index) & 1) row[index] = undefined
  return row as Message
}

function readByV8<Message>(bytes: Buffer, from: number, to: number): Message {
  const deserializer = new Deserializer(bytes.subarray(from, to))
  deserializer.readHeader()
  return deserializer.readValue() as Message
}

const NodeDeserializer = DefaultDeserializer as new (
  bytes: Buffer,
) => DefaultDeserializer & { _readHostObject(): NodeJS.ArrayBufferView<ArrayBuffer> }

/** Node makes typed arrays, data views and buffers as views of what they are read from: each is to have memory of its own, and no more. */
class Deserializer extends NodeDeserializer {
  override _readHostObject(): NodeJS.ArrayBufferView<ArrayBuffer> {
    const view = super._readHostObject()
    const { buffer, byteOffset, byteLength } = view
    const own = buffer.slice(byteOffset, byteOffset + byteLength)
    if (Buffer.isBuffer(view)) return Buffer.from(own)
    return new (view.constructor as new (memory: ArrayBuffer) => typeof view)(own)
  }
}

function frameByV8(message: object): Frame {
  const serializer = new DefaultSerializer()
  serializer.writeRawBytes(NO_HEAD)
  serializer.writeHeader()
  serializer.writeValue(message)
  const bytes = serializer.releaseBuffer()
  return withHead(bytes, bytes.length, BY_V8)
}

function withHead(bytes: Buffer, length: number, form: number): Frame {
  bytes.writeUInt32LE(length - HEAD_BYTES, 0)
  bytes.writeUInt16LE(form, FORM_AT)
  return { bytes, length }
}

const NO_HEAD = Buffer.alloc(HEAD_BYTES)

/** The cells of a row that are `undefined`, as bits; `undefined` when JSON would not keep the row as it is. */
function absentCells(row: readonly unknown[]): number | undefined {
  // JSON would ask it what to write instead; a handler may have told all arrays, or all objects, what that is.
  if (row.length > CELLS_MAX || 'toJSON' in row) return undefined
  let absent = 0
  const seen: object[] = []
  for (let index = 0; index < row.length; index++) {
    const cell = row[index]
    if (cell === undefined) absent |= 1 << index
    else if (!isPlain(cell, seen, DEPTH_MAX)) return undefined
  }
  return absent
}

/** Whether JSON keeps a value, and it is small. What is met twice would be two things afterwards. */
function isPlain(value: unknown, seen: object[], depthLeft: number): boolean {
  switch (typeof value) {
    case 'string':
      return value.length <= LENGTH_MAX
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'boolean':
      return true
    case 'object':
      break
    default:
      return false
  }
  if (value === null) return true
  if (depthLeft === 0 || seen.length >= ITEMS_MAX || seen.includes(value)) return false
  seen.push(value)
  const isArray = Array.isArray(value)
  if (Object.getPrototypeOf(value) !== (isArray ? Array.prototype : Object.prototype)) return false
  if ('toJSON' in value) return false
  if (isArray && value.length > ITEMS_MAX) return false
  const keys = Object.keys(value)
  // An array with holes has fewer keys, one with fields of its own more.
  if (keys.length > ITEMS_MAX || (isArray && keys.length !== value.length)) return false
  for (const key of keys)
    if (!isPlain((value as Record<string, unknown>)[key], seen, depthLeft - 1)) return false
  return true
}
