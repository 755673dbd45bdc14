// Takes the pictures of docs/inspector: `node --conditions=espalier-source scripts/inspector-pictures.ts`.
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium, type Page } from 'playwright-core'
import clustering from '../examples/clustering/workflow.ts'
import { createInspector } from '../src/http/index.ts'
import { JobPool, runWorkflow } from '../src/index.ts'
import { buildInspectorIfOutdated } from './build-inspector.ts'
import { findChromium } from './chromium.ts'
import { root } from './tool.ts'

const { values } = parseArgs({ options: { into: { type: 'string', default: join(root, 'docs/inspector') } } })
const HALF = 25
const THEMES = ['light', 'dark'] as const

/** The views, and how each is shown at its best; `best` is the completed job with the best score. */
const PICTURES: Readonly<Record<string, (best: string) => string>> = {
  overview: () => '#/overview',
  tree: () => '#/tree',
  'tree-map': () => '#/tree?as=map',
  graph: (best) => `#/graph?node=${best}&depth=3`,
  timeline: (best) => `#/timeline?job=${best}`,
  machines: (best) => `#/machines?actor=${best}`,
  jobs: (best) => `#/jobs?job=${best}`,
  events: (best) => `#/events?as=sequence&job=${best}`,
  metrics: () => '#/metrics',
  compare: () => '#/compare',
}

const executablePath = findChromium()
if (executablePath === undefined)
  throw new Error('Expected a Chromium, found none: node scripts/chromium.ts.')
await buildInspectorIfOutdated()
await using pool = new JobPool({ maxParallelJobs: 4 })
await using inspector = createInspector(pool, { title: 'clustering' })
const address = await inspector.listen()
// Beside the whole run, its first half is compared.
const half = Promise.withResolvers<Uint8Array>()
let ended = 0
pool.on('job.completed', () => {
  if (++ended === HALF) half.resolve(inspector.recording())
})
const { tree } = await runWorkflow(clustering, { pool, input: {} })
const best = Object.values(tree.nodes)
  .filter(({ status, depth }) => status === 'completed' && depth > 2)
  .reduce((a, b) => ((b.score ?? 0) > (a.score ?? 0) ? b : a))

await mkdir(values.into, { recursive: true })
for (const name of await readdir(values.into)) if (name.endsWith('.png')) await rm(join(values.into, name))
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  await page.goto(address)
  await page.getByText('Slots at work').waitFor()
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme })
    for (const [name, hashOf] of Object.entries(PICTURES))
      await take(page, hashOf(best.jobId), `${name}-${theme}.png`)
  }
} finally {
  await browser.close()
}

async function take(page: Page, hash: string, name: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
  await page.locator('main .card, main .grid').first().waitFor()
  if (name.startsWith('compare')) {
    const buffer = Buffer.from(await half.promise)
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'half.espalier', mimeType: 'application/octet-stream', buffer })
    await page.getByText('As a whole').waitFor()
  }
  // The picture is painted in the frame after the next one.
  await page.evaluate(
    'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 150))))',
  )
  await page.screenshot({ path: join(values.into, name) })
}
