import { open, readFile, writeFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { EXPORT_FORMATS, type ExportFormat } from '../protocol/index.ts'
import { announceAddress, type InspectOptions } from './inspect.ts'
import { Interruption } from './interruption.ts'
import type { Output } from './output.ts'
import { inspectorToken } from './token-file.ts'
import { UsageError } from './usage-error.ts'

/** How a recording begins. */
const MAGIC = 'ESPR'

/**
 * Serves a recording until it is interrupted, or the page that had it open is closed.
 *
 * @returns The exit code.
 * @throws {UsageError} When it cannot be read.
 */
export async function inspectRecording(
  file: string,
  options: InspectOptions,
  output: Output,
): Promise<number> {
  const { serveRecording } = await import('../http/index.ts')
  const server = serveRecording(await readRecording(file), { token: await inspectorToken() })
  const interrupted = Promise.withResolvers<void>()
  const interruption = new Interruption(() => interrupted.resolve())
  try {
    await announceAddress(server, options, (text) => output.print([[text]]))
    output.print([['Ctrl-C ends it.']])
    await interrupted.promise
    return 0
  } finally {
    interruption.end()
    await server.close()
  }
}

/**
 * Writes a recording in the format that the file's name asks for.
 *
 * @returns The exit code.
 * @throws {UsageError} When it cannot be read, or the format is not known.
 */
export async function reportRecording(
  file: string,
  { out }: { readonly out: string },
  output: Output,
): Promise<number> {
  const recording = await readRecording(file)
  await writeReport(recording, out)
  output.print([[`written to ${out}`]])
  return 0
}

/** @throws {UsageError} When the format is not known; to be called before a run whose report is wanted. */
export function formatOf(out: string): ExportFormat | 'recording' {
  const extension = extname(out)
  if (extension === '.espalier') return 'recording'
  const format = EXPORT_FORMATS.find((each) => each.endsWith(extension))
  if (extension !== '' && format !== undefined) return format
  const known = ['.espalier', ...EXPORT_FORMATS.map((each) => extname(each))].join(', ')
  throw new UsageError(`A report's file name tells its format by ending in ${known}, but got "${out}".`)
}

/** @throws {UsageError} When a file of that name exists already, or cannot be written. */
export async function writeReport(recording: Uint8Array, out: string): Promise<void> {
  const format = formatOf(out)
  const { exportRecording } = await import('../http/index.ts')
  const body = format === 'recording' ? recording : exportRecording(recording, format).parts
  try {
    await writeFile(out, body, { flag: 'wx' })
  } catch (error) {
    throw new UsageError(
      `The report cannot be written to ${out}: ${(error as Error).message}. Name another file.`,
    )
  }
}

async function readRecording(file: string): Promise<Uint8Array> {
  try {
    await using handle = await open(file)
    const { buffer } = await handle.read(Buffer.alloc(MAGIC.length))
    if (buffer.toString('latin1') !== MAGIC) {
      throw new Error('it is no recording; `espalier run … --report run.espalier` makes one')
    }
  } catch (error) {
    throw new UsageError(`The recording ${file} cannot be read: ${(error as Error).message}.`)
  }
  return readFile(file)
}
