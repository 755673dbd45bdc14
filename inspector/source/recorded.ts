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

/**
 * Reads a recording block by block, and lets the page breathe in between.
 *
 * @throws {Error} When not even its header can be read.
 */
export async function loadRecording(
  bytes: Uint8Array,
  onProgress: (share: number) => void = () => {},
): Promise<Loaded> {
  const recording = decodeRecording(bytes)
  const { header, blocks } = recording
  const run = new RunStore(header)
  let fault = recording.fault?.message
  let since = performance.now()
  for (const [index, block] of blocks.entries()) {
    try {
      run.apply(decodeBlock(block))
    } catch (error) {
      fault = `Block ${index} of ${blocks.length} cannot be read: ${messageOf(error)}`
      break
    }
    if (performance.now() - since > SLICE_MS && index < blocks.length - 1) {
      onProgress((index + 1) / blocks.length)
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
  const chars = atob(text)
  const packed = new Uint8Array(chars.length)
  for (let index = 0; index < chars.length; index++) packed[index] = chars.charCodeAt(index)
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))
