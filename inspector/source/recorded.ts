import { decodeBlock, decodeRecording, type RecordingHeader } from '../../src/protocol/index.ts'
import { RunStore } from '../model/run-store.ts'

/** A recording, as far as it could be read. */
export interface Loaded {
  readonly header: RecordingHeader
  readonly run: RunStore
  /** What went wrong, and where; what came before it is there. */
  readonly fault?: string
}

/** A step of reading must not hold the page for longer than this, ms. */
const SLICE_MS = 30
/** The block, from 0, after which the rest is judged by what was read: the first holds what comes once. */
const RESERVED_AFTER = 1

/**
 * Reads a recording block by block, and lets the page breathe in between.
 *
 * @throws {Error} When not even its header can be read.
 */
export async function loadRecording(
  bytes: Uint8Array,
  onProgress: (loaded: Loaded, share: number) => void = () => {},
): Promise<Loaded> {
  const recording = decodeRecording(bytes)
  const { header, blocks } = recording
  const run = new RunStore(header)
  let fault = recording.fault?.message
  let since = performance.now()
  const total = blocks.reduce((sum, block) => sum + block.length, 0)
  let read = 0
  for (const [index, block] of blocks.entries()) {
    try {
      run.apply(decodeBlock(block))
      read += block.length
      if (index === RESERVED_AFTER) run.reserve(total / read)
    } catch (error) {
      fault = `Block ${index} of ${blocks.length} cannot be read: ${messageOf(error)}`
      break
    }
    if (performance.now() - since > SLICE_MS && index < blocks.length - 1) {
      onProgress({ header, run }, read / total)
      await breathe()
      since = performance.now()
    }
  }
  return { header, run, ...(fault !== undefined && { fault }) }
}

/**
 * The recording in a file: the file itself, or what a report carries.
 *
 * @throws {Error} When a page is no report.
 */
export async function recordingOf(file: Uint8Array): Promise<Uint8Array> {
  const start = new TextDecoder().decode(file.subarray(0, 15)).toLowerCase()
  if (!start.startsWith('<!doctype html')) return file
  const payload = /<script type="application\/octet-stream" id="payload">\s*([\w+/=]+)\s*</.exec(
    new TextDecoder().decode(file),
  )
  if (payload?.[1] === undefined)
    throw new Error('Expected a report of espalier, but this page carries no recording.')
  return unpack(payload[1])
}

/** Base64 of gzip; `fetch` of a `data:` address would need a wider policy. */
export async function unpack(text: string): Promise<Uint8Array> {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  // Newer browsers have it, and are ten times as fast with it.
  const { fromBase64 } = Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }
  if (fromBase64 !== undefined) return fromBase64.call(Uint8Array, base64)
  const chars = atob(base64)
  const bytes = new Uint8Array(chars.length)
  for (let index = 0; index < chars.length; index++) bytes[index] = chars.charCodeAt(index)
  return bytes
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))
