import { createHash } from 'node:crypto'
import { globSync, statSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { root } from './tool.ts'

/** What a visitor loads before anything is seen: page, script and styles, gzipped. */
const FIRST_LOAD_BYTES_MAX = 90 * 1024
/** A view that is loaded when it is first shown. */
const VIEW_BYTES_MAX = 25 * 1024

const page = join(root, 'dist/inspector')
const loose = join(root, 'dist/inspector-report')

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** A file of the page, as the server serves it; it serves no other. */
export interface PageFile {
  readonly path: string
  readonly type: string
}

/** How large the page is, gzipped. */
export interface PageSizes {
  readonly firstLoad: number
  readonly views: Readonly<Record<string, number>>
}

/**
 * Builds the inspector's page into `dist/inspector`: the served page, `report.html`, which is the same page in a single
 * file with room for a recording, and `manifest.json`, which lists the files that are served.
 *
 * @throws {Error} When the page is larger than its budget.
 */
export async function buildInspector(): Promise<PageSizes> {
  const configFile = join(root, 'inspector/vite.config.ts')
  await build({ configFile, logLevel: 'error' })
  await build({ configFile, logLevel: 'error', mode: 'report' })
  await writeFile(join(page, 'report.html'), await singleFile())
  await rm(loose, { recursive: true })
  const files = await servedFiles()
  await writeFile(join(page, 'manifest.json'), `${JSON.stringify(files, null, 2)}\n`)
  const sizes = await measure()
  checkSizes(sizes)
  return sizes
}

/** Builds the page unless the one in `dist` is newer than its sources. */
export async function buildInspectorIfOutdated(): Promise<void> {
  const sources = globSync('{inspector,src/protocol}/**/*.{ts,tsx,css,html,svg}', { cwd: root })
  const newest = Math.max(...sources.map((path) => statSync(join(root, path)).mtimeMs))
  const built = statSync(join(page, 'manifest.json'), { throwIfNoEntry: false })
  if (built === undefined || built.mtimeMs < newest) await buildInspector()
}

async function servedFiles(): Promise<PageFile[]> {
  const paths = ['index.html', ...(await readdir(join(page, 'assets'))).map((name) => `assets/${name}`)]
  return paths.map((path) => ({ path, type: TYPES[extname(path)] ?? 'application/octet-stream' }))
}

/** The page in one file, which asks for nothing else; its policy allows its own script and styles by their hashes only. */
async function singleFile(): Promise<string> {
  const read = (name: string) => readFile(join(loose, name), 'utf8')
  // The end tag of a script ends it wherever it stands, in a string too.
  const script = (await read('report.js')).trim().replace(/<(\/script|!--)/gi, '\\x3c$1')
  const style = (await read('report.css')).trim()
  const policy = [
    `default-src 'none'`,
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `require-trusted-types-for 'script'`,
  ].join('; ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>espalier report</title>
<style>${style}</style>
</head>
<body>
<div id="app"></div>
<noscript>This page draws the run with JavaScript: switch it on to see it.</noscript>
<script type="application/octet-stream" id="payload">__PAYLOAD__</script>
<script>${script}</script>
</body>
</html>
`
}

const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`

async function measure(): Promise<PageSizes> {
  const html = await readFile(join(page, 'index.html'), 'utf8')
  let firstLoad = gzipSync(html).length
  const views: Record<string, number> = {}
  for (const name of await readdir(join(page, 'assets'))) {
    const size = gzipSync(await readFile(join(page, 'assets', name))).length
    if (html.includes(name)) firstLoad += size
    else views[name] = size
  }
  return { firstLoad, views }
}

function checkSizes({ firstLoad, views }: PageSizes): void {
  if (firstLoad > FIRST_LOAD_BYTES_MAX)
    throw new Error(
      `The inspector's first load is ${firstLoad} bytes gzipped; at most ${FIRST_LOAD_BYTES_MAX} are allowed.`,
    )
  for (const [name, size] of Object.entries(views))
    if (size > VIEW_BYTES_MAX)
      throw new Error(
        `The inspector's ${name} is ${size} bytes gzipped; at most ${VIEW_BYTES_MAX} are allowed.`,
      )
}

if (import.meta.main) {
  const { firstLoad } = await buildInspector()
  console.log(`Built dist/inspector: first load ${(firstLoad / 1024).toFixed(1)} KB gzipped.`)
}
