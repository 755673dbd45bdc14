import { decodeBlock } from '../../protocol/block.ts'
import { chromeTrace, eventsJsonl, jobsCsv, type Recorded, treeMermaid } from '../../protocol/exports.ts'
import { RunModel } from '../../protocol/model.ts'
import { decodeRecording, type RecordingHeader } from '../../protocol/recording.ts'
import type { ExportFormat } from '../../protocol/routes.ts'
import { recordingReport } from './report.ts'

/** What a recording in another format is to a browser. */
export interface ExportedFile {
  readonly type: string
  /** The name that a saved file should have. */
  readonly fileName: string
}

/** A recording in another format. */
export interface Exported extends ExportedFile {
  /** In parts: whole, it can be longer than a string may be. */
  readonly parts: Iterable<string>
}

const TYPES: Readonly<Record<ExportFormat, string>> = {
  'report.html': 'text/html; charset=utf-8',
  'trace.json': 'application/json',
  'jobs.csv': 'text/csv; charset=utf-8',
  'events.jsonl': 'application/x-ndjson',
  'tree.mmd': 'text/plain; charset=utf-8',
}

export function exportedFile({ title }: RecordingHeader, format: ExportFormat): ExportedFile {
  return { type: TYPES[format], fileName: `${title.replaceAll(/[^\w.-]+/g, '-') || 'pool'}.${format}` }
}

/**
 * Writes a recording in another format.
 *
 * @throws {DecodeError} When it cannot be read.
 */
export function exportRecording(recording: Uint8Array, format: ExportFormat): Exported {
  const { header, blocks } = decodeRecording(recording)
  return { ...exportedFile(header, format), parts: partsOf(recording, header, blocks, format) }
}

function partsOf(
  recording: Uint8Array,
  header: RecordingHeader,
  blocks: readonly Uint8Array[],
  format: ExportFormat,
): Iterable<string> {
  switch (format) {
    case 'report.html':
      return [recordingReport(recording)]
    case 'trace.json':
      return chromeTrace(fold(header, blocks))
    case 'jobs.csv':
      return jobsCsv(fold(header, blocks))
    case 'events.jsonl':
      return eventsJsonl(fold(header, blocks))
    case 'tree.mmd':
      return [treeMermaid(fold(header, blocks))]
  }
}

function fold(header: RecordingHeader, blocks: readonly Uint8Array[]): Recorded {
  const model = new RunModel()
  for (const block of blocks) model.apply(decodeBlock(block))
  return { header, model, isoOf: (at) => new Date(at).toISOString() }
}
