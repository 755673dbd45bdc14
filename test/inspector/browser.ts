import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AxeResults } from 'axe-core'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe } from 'vitest'
import { findChromium } from '../../scripts/chromium.ts'
import { recordingReport } from '../../src/http/exports/report.ts'

const executablePath = findChromium()

if (executablePath === undefined) {
  const message =
    'No Chromium was found, and the browser tests need one: node scripts/chromium.ts, or set CHROMIUM_PATH.'
  if (process.env.CI) throw new Error(message)
  console.warn(`SKIPPED: ${message}`)
}

/** Tests that need a real browser: skipped, and said so, where there is none. */
export const describeInBrowser = describe.skipIf(executablePath === undefined)

export function launch(): Promise<Browser> {
  return chromium.launch({
    ...(executablePath !== undefined && { executablePath }),
    // The containers of CI have no user namespaces, and no processor for graphics.
    args: ['--no-sandbox', '--disable-gpu'],
  })
}

/**
 * A browser, and a folder of its own for its files, for the tests of one `describe`.
 *
 * @returns Filled before the first test.
 */
export function useBrowser(): { readonly browser: Browser; readonly folder: string } {
  const used = {} as { browser: Browser; folder: string }
  beforeAll(async () => {
    used.browser = await launch()
    used.folder = await mkdtemp(join(tmpdir(), 'espalier-page-'))
  })
  afterAll(async () => {
    await used.browser?.close()
    await rm(used.folder, { recursive: true })
  })
  return used
}

/** A page, with what went wrong on it and what it asked the network for. */
export interface Watched extends AsyncDisposable {
  readonly page: Page
  readonly errors: string[]
  readonly requests: string[]
}

export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  const page = await context.newPage()
  const errors: string[] = []
  const requests: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  page.on('request', (request) => requests.push(request.url()))
  return { page, errors, requests, [Symbol.asyncDispose]: () => context.close() }
}

/** Writes the report of a recording and returns its `file:` address. */
export async function writeReport(folder: string, recording: Uint8Array): Promise<string> {
  const path = join(folder, 'report.html')
  await writeFile(path, recordingReport(recording))
  return pathToFileURL(path).href
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds wrong with a page, a line for each element. */
export async function violationsOf(page: Page): Promise<string[]> {
  // Through the debugger: the page's own policy allows no foreign script.
  const found = await page.evaluate<AxeResults>(
    `(() => { ${axe}; return axe.run(document, { resultTypes: ['violations'] }) })()`,
  )
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary ?? ''}`),
  )
}

/** What axe finds wrong with a page as it stands, in the light theme and in the dark one. */
export async function violationsInBothThemes(page: Page): Promise<string[]> {
  const found: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    found.push(...(await violationsOf(page)).map((flaw) => `${colorScheme}: ${flaw}`))
  }
  return found
}
