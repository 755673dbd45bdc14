import { decodeBlock } from '../protocol/block.ts'
import { chromeTrace, eventsJsonl, jobsCsv, treeMermaid } from '../protocol/exports.ts'
import { RunModel } from '../protocol/model.ts'
import { decodeRecording } from '../protocol/recording.ts'
import type { ExportFormat } from '../protocol/routes.ts'
import { recordingReport } from './report.ts'

/** A recording in another format. */
export interface Exported {
  readonly type: string
  /** The name that a saved file should have. */
  readonly fileName: string
  /** In parts: whole, it can be longer than a string may be. */
  readonly parts: Iterable<string>
}

/**
 * Writes a recording in another format.
 *
 * @throws {DecodeError} When it cannot be read.
 */
export function exportRecording(recording: Uint8Array, format: ExportFormat): Exported {
  const { header, blocks } = decodeRecording(recording)
  const fileName = `${header.title.replaceAll(/[^\w.-]+/g, '-') || 'pool'}.${format}`
  const model = new RunModel()
  if (format !== 'report.html') for (const block of blocks) model.apply(decodeBlock(block))
  const recorded = { header, model, isoOf: (at: number) => new Date(at).toISOString() }
  switch (format) {
    case 'report.html':
      return { type: 'text/html; charset=utf-8', fileName, parts: [recordingReport(recording)] }
    case 'trace.json':
      return { type: 'application/json', fileName, parts: chromeTrace(recorded) }
    case 'jobs.csv':
      return { type: 'text/csv; charset=utf-8', fileName, parts: jobsCsv(recorded) }
    case 'events.jsonl':
      return { type: 'application/x-ndjson', fileName, parts: eventsJsonl(recorded) }
    case 'tree.mmd':
      return { type: 'text/plain; charset=utf-8', fileName, parts: [treeMermaid(recorded)] }
  }
}
