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

/** The bytes of the recording that a report carries, base64 of gzip in an element; `undefined` when there is none. */
export async function embeddedRecording(): Promise<Uint8Array | undefined> {
  const text = document.getElementById('payload')?.textContent?.trim()
  if (!text) return undefined
  // `fetch` of a data: address would need a wider policy.
  const packed = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))
