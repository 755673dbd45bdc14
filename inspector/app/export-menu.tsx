import { EXPORT_FORMATS } from '../../src/protocol/index.ts'
import { hasServer } from '../source/api.ts'
import { Icon } from '../ui/icons.tsx'

const WORDS: Readonly<Record<(typeof EXPORT_FORMATS)[number], string>> = {
  'report.html': 'Report: one page that works anywhere',
  'trace.json': 'Trace for Perfetto',
  'jobs.csv': 'Jobs as CSV',
  'events.jsonl': 'Events as JSON lines',
  'tree.mmd': 'Tree as Mermaid',
}

/** What the server can make of the run; a page without one has nothing to offer. */
export function ExportMenu() {
  if (!hasServer()) return null
  return (
    <>
      <button type="button" popovertarget="export-menu" title="Export">
        <Icon name="download" size={14} /> <span class="wide-only">Export</span>
      </button>
      <div id="export-menu" class="menu" popover="auto">
        {EXPORT_FORMATS.map((format) => (
          <a key={format} href={`api/export/${format}`} download={`espalier-${format}`}>
            {WORDS[format]}
          </a>
        ))}
      </div>
    </>
  )
}
