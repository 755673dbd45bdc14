import { ByteReader, ByteWriter, DecodeError } from './bytes.ts'

/**
 * A recording in bytes: `ESPR`, a uint32 of the header's length, the header as JSON in UTF-8; then for each block a
 * uint32 of its length and its bytes. One that ends in the middle of a block is read up to there.
 */
const MAGIC = 0x52505345

/** What a recording says of itself. */
export interface RecordingHeader {
  readonly format: 'espalier-recording'
  readonly version: 1
  /** Names the recording: block numbers mean nothing in another one. */
  readonly id: string
  /** Epoch ms; all times are µs since then. */
  readonly startedAt: number
  /** Begins the ids that the pool has made. */
  readonly idPrefix: string
  /** The version of espalier that wrote it. */
  readonly espalier: string
  /** What a person would call it: the workflow and its run, or the pool. */
  readonly title: string
}

/** A recording as it was read. */
export interface Recording {
  readonly header: RecordingHeader
  /** Each for `decodeBlock`. */
  readonly blocks: readonly Uint8Array[]
  /** Why it ends before its end; absent when it is whole. */
  readonly fault?: DecodeError
}

export function encodeRecording(
  header: RecordingHeader,
  blocks: Iterable<Uint8Array>,
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter()
  const json = new TextEncoder().encode(JSON.stringify(header))
  writer.uint32(MAGIC)
  writer.uint32(json.length)
  writer.bytes(json)
  for (const block of blocks) {
    writer.uint32(block.length)
    writer.bytes(block)
  }
  return writer.take()
}

/** @throws {DecodeError} When not even the header can be read. */
export function decodeRecording(bytes: Uint8Array): Recording {
  const reader = new ByteReader(bytes)
  if (reader.left < 8 || reader.uint32() !== MAGIC) {
    throw new DecodeError('Expected a recording of espalier, but these bytes are none', 0)
  }
  const header = readHeader(reader)
  const blocks: Uint8Array[] = []
  try {
    while (reader.left > 0) blocks.push(reader.bytes(reader.uint32()))
  } catch (fault) {
    if (fault instanceof DecodeError) return { header, blocks, fault }
    throw fault
  }
  return { header, blocks }
}

function readHeader(reader: ByteReader): RecordingHeader {
  const text = new TextDecoder().decode(reader.bytes(reader.uint32()))
  let header: Partial<RecordingHeader>
  try {
    header = JSON.parse(text) as Partial<RecordingHeader>
  } catch {
    throw reader.error('its header is not JSON')
  }
  if (header.format !== 'espalier-recording' || header.version !== 1) {
    throw reader.error(`its version is ${header.version}, where 1 was expected`)
  }
  return header as RecordingHeader
}
