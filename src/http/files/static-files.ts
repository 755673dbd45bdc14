import { readFileSync } from 'node:fs'
import { EspalierError } from '../../domain/errors.ts'

/** A file of the page, as it is sent. */
export interface StaticFile {
  readonly type: string
  readonly bytes: Buffer
}

/** A page that tells why there is no other. */
const PLACEHOLDER = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>espalier</title>
<h1>The page is not built</h1>
<p>This is a clone of espalier: run <code>npm run build</code> once, then reload. The API works already.</p>
</html>
`

/** A file of the package, found by its own name: the sources and the build are at different depths. */
export const packageFile = (path: string): URL => new URL(path, import.meta.resolve('espalier/package.json'))

/**
 * The page's files by path, read once: only what the build's manifest names is ever sent, so no path of a request touches
 * the file system.
 */
export function readStaticFiles(): ReadonlyMap<string, StaticFile> {
  const manifest = readManifest()
  if (manifest === undefined) {
    return new Map([['/', { type: 'text/html; charset=utf-8', bytes: Buffer.from(PLACEHOLDER) }]])
  }
  const files = new Map<string, StaticFile>()
  for (const { path, type } of manifest) {
    const file = { type, bytes: readFileSync(packageFile(`./dist/inspector/${path}`)) }
    files.set(path === 'index.html' ? '/' : `/${path}`, file)
  }
  return files
}

/**
 * The page as one file, for a report.
 *
 * @throws {EspalierError} `ESP_PAGE_MISSING` in a clone whose page has not been built.
 */
export function readReportPage(): string {
  try {
    return readFileSync(packageFile('./dist/inspector/report.html'), 'utf8')
  } catch (cause) {
    throw new EspalierError('ESP_PAGE_MISSING', {}, { cause })
  }
}

export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(packageFile('./package.json'), 'utf8')) as {
    readonly version: string
  }
  return manifest.version
}

/** The files in `dist/inspector` that are served. */
type Manifest = readonly { readonly path: string; readonly type: string }[]

function readManifest(): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(packageFile('./dist/inspector/manifest.json'), 'utf8')) as Manifest
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
