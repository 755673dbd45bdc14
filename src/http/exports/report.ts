import { gzipSync } from 'node:zlib'
import { readReportPage } from '../files/static-files.ts'

const PLACEHOLDER = '__PAYLOAD__'

/**
 * A recording as a page that needs nothing else: no server, no network, no other file.
 *
 * @throws {EspalierError} `ESP_PAGE_MISSING` in a clone whose page has not been built.
 */
export function recordingReport(recording: Uint8Array): string {
  const page = readReportPage()
  const at = page.indexOf(PLACEHOLDER)
  const payload = gzipSync(recording, { level: 9 }).toString('base64')
  return page.slice(0, at) + payload + page.slice(at + PLACEHOLDER.length)
}
