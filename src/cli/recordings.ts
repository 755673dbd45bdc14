import { open, readFile, stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { isEspalierError } from '../index.ts'
import { EXPORT_FORMATS, type ExportFormat } from '../protocol/index.ts'
import { announceAddress, type InspectOptions } from './inspect.ts'
import { Interruption } from './interruption.ts'
import { requireNew, writeNew } from './new-file.ts'
import type { Output } from './output.ts'
import { findRun, type StoreOptions, withReader } from './store.ts'
import { inspectorToken } from './token-file.ts'
import { UsageError } from './usage-error.ts'

/** What a trace is made of, as the recorder takes it. */
type Trace = Parameters<typeof import('../http/index.ts').recordTrace>[0]

/** How a recording begins. */
const MAGIC = 'ESPR'

/**
 * Serves a recording until it is interrupted.
 *
 * @param source - The recording's file, or the id of a stored run.
 * @returns The exit code.
 * @throws {UsageError | EspalierError} When it cannot be read.
 */
export async function inspectRecording(
  source: string,
  options: InspectOptions & StoreOptions,
  output: Output,
): Promise<number> {
  const { serveRecording } = await import('../http/index.ts')
  const server = serveRecording(await readRecording(source, options), { token: await inspectorToken() })
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
 * @param source - The recording's file, or the id of a stored run.
 * @returns The exit code.
 * @throws {UsageError | EspalierError} When it cannot be read, or the format is not known.
 */
export async function reportRecording(
  source: string,
  options: StoreOptions & { readonly out: string },
  output: Output,
): Promise<number> {
  const { out } = options
  await prepareReport('--out', out)
  await writeReport(await readRecording(source, options), out)
  output.print([[`written to ${out}`]])
  return 0
}

/**
 * Makes sure, before the work that it is about, that a report can be written.
 *
 * @param option - By which the file was named.
 * @throws {UsageError | EspalierError} `ESP_PAGE_MISSING` for a page that this clone has not built.
 */
export async function prepareReport(option: string, out: string): Promise<void> {
  const format = formatOf(out)
  await requireNew(option, out)
  if (format !== 'report.html') return
  const { exportRecording, recordTrace } = await import('../http/index.ts')
  exportRecording(recordTrace([], ''), format)
}

/** @throws {UsageError} When the format is not known. */
function formatOf(out: string): ExportFormat | 'recording' {
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
    await writeNew(out, body)
  } catch (error) {
    throw new UsageError(
      `The report cannot be written to ${out}: ${(error as Error).message}. Name another file.`,
    )
  }
}

/** Writes a trace as a recording. @throws {UsageError} As {@link writeReport}. */
export async function writeTrace(trace: Trace, title: string, out: string): Promise<void> {
  const { recordTrace } = await import('../http/index.ts')
  await writeReport(recordTrace(trace, title), out)
}

/** What is named with its store is a run; otherwise a file of that name goes before a run. */
async function readRecording(source: string, options: StoreOptions): Promise<Uint8Array> {
  const isFile = (await stat(source).catch(() => undefined))?.isFile() === true
  if (isFile && options.store === undefined) return recordingIn(source)
  try {
    return await storedRun(source, options)
  } catch (error) {
    if (!isEspalierError(error, 'ESP_UNKNOWN_RUN') && !isEspalierError(error, 'ESP_STORE_MISSING'))
      throw error
    const advice = isFile
      ? `To read the file ${source}, leave out --store.`
      : `Nor is there a file ${source}: name that, or the id of a run and its store with --store.`
    throw new UsageError(`${error.message} ${advice}`, { cause: error })
  }
}

async function recordingIn(source: string): Promise<Uint8Array> {
  let handle: Awaited<ReturnType<typeof open>>
  try {
    handle = await open(source)
  } catch (error) {
    throw new UsageError(`The recording ${source} cannot be read: ${(error as Error).message}.`)
  }
  await using file = handle
  const { buffer } = await file.read(Buffer.alloc(MAGIC.length))
  const head = buffer.toString('latin1')
  if (head === MAGIC) return readFile(source)
  const found = head.trimStart().startsWith('{')
    ? await checkedRun(await readFile(source, 'utf8'))
    : undefined
  if (found !== undefined) return found
  throw new UsageError(
    `The file ${source} is no recording. Make one with: espalier run … --report run.espalier, ` +
      'espalier check … --json > found.json when that breaks a promise, or give the id of a stored run.',
  )
}

/** The run that a document of `espalier check --json` tells of; absent when it is no such document, or tells of none. */
async function checkedRun(text: string): Promise<Uint8Array | undefined> {
  try {
    const { workflow, violation, trace } = JSON.parse(text) as {
      readonly workflow?: string
      readonly violation?: { readonly invariant: string }
      readonly trace?: Trace
    }
    if (!Array.isArray(trace)) return undefined
    const { recordTrace } = await import('../http/index.ts')
    return recordTrace(trace, `${workflow}: ${violation?.invariant}`)
  } catch {
    return undefined
  }
}

/** @throws {EspalierError} `ESP_UNKNOWN_RUN`, or what opening the store throws. */
async function storedRun(runId: string, options: StoreOptions): Promise<Uint8Array> {
  const { recordTrace } = await import('../http/index.ts')
  return withReader(options, (store) => {
    const { workflow } = findRun(store, runId)
    return recordTrace(store.trace({ runId }), `${workflow} ${runId}`)
  })
}
