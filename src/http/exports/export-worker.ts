import { parentPort, workerData } from 'node:worker_threads'
import type { ExportFormat } from '../../protocol/routes.ts'
import { exportRecording } from './exports.ts'

// Writes a recording in another format away from the pool's thread: each message asks for the next part.

const PART_LENGTH = 256 * 1024

const { recording, format } = workerData as { recording: Uint8Array; format: ExportFormat }
const parts = exportRecording(recording, format).parts[Symbol.iterator]()

/** `undefined` after the last. */
function nextPart(): string | undefined {
  let text = ''
  while (text.length < PART_LENGTH) {
    const { done, value } = parts.next()
    if (done === true) break
    text += value
  }
  return text === '' ? undefined : text
}

parentPort?.on('message', () => parentPort?.postMessage(nextPart()))
