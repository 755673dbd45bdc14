import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { Moment } from '../../inspector/model/moment.ts'
import { loadRecording } from '../../inspector/source/recorded.ts'
import { buildInspector } from '../../scripts/build-inspector.ts'
import { findChromium } from '../../scripts/chromium.ts'
import { recordingReport } from '../../src/http/exports/report.ts'
import { generateRecording } from '../recordings.ts'
import { atMost, type Row } from '../suite.ts'
import { framesOf } from './frames.ts'

const JOBS = 100_000
const MOVES = 90
const FRAME_MS = 16

/** The budgets of the page, each figure beside its budget. */
export async function page(progress: (what: string) => void): Promise<Row[]> {
  const executablePath = findChromium()
  if (executablePath === undefined)
    throw new Error('Expected a Chromium, found none: node scripts/chromium.ts.')
  progress('build')
  const { firstLoad } = await buildInspector()
  const folder = await mkdtemp(join(tmpdir(), 'espalier-bench-'))
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] })
  try {
    const large = generateRecording({ jobs: JOBS, slots: 64 })
    const [emptyFile, largeFile] = [
      await writeReport(folder, 'empty', generateRecording({ jobs: 1 })),
      await writeReport(folder, 'large', large),
    ]
    const rows = [atMost('first-load', 'first load, gzipped', firstLoad / 1024, 90, 1, 'KB')]
    progress('interactive')
    rows.push(
      atMost(
        'interactive-small',
        'interactive, a run of one job',
        await interactiveMs(browser, emptyFile),
        400,
        1,
        'ms',
      ),
    )
    rows.push(
      atMost(
        'interactive-100k',
        'interactive, 100k jobs recorded',
        await interactiveMs(browser, largeFile),
        1000,
        1,
        'ms',
      ),
    )
    rows.push(
      atMost(
        'whole-100k',
        'all of these read and drawn',
        await interactiveMs(browser, largeFile, 'wholeAt'),
        1000,
        1,
        'ms',
      ),
    )
    progress('seek')
    rows.push(
      atMost('seek', 'seek to any moment of 100k jobs, the worst of 500', await seekMs(large), 16, 1, 'ms'),
    )
    for (const view of [
      'overview',
      'jobs',
      'tree',
      'tree?as=map',
      'timeline',
      'events',
      'machines?actor=jobs',
      'graph',
      'metrics',
    ])
      rows.push(await scrubRow(browser, largeFile, view, progress))
    for (const view of ['timeline', 'tree?as=map'])
      rows.push(await zoomRow(browser, largeFile, view, progress))
    progress('memory')
    rows.push(
      atMost('memory', 'heap and buffers, 100k jobs', await memoryMb(browser, largeFile), 80, 1, 'MB'),
    )
    return rows
  } finally {
    await browser.close()
    await rm(folder, { recursive: true })
  }
}

async function writeReport(folder: string, name: string, recording: Uint8Array): Promise<string> {
  const path = join(folder, `${name}.html`)
  await writeFile(path, recordingReport(recording))
  return pathToFileURL(path).href
}

/** From the start of the navigation to the first paint with data; the median of five visits. */
async function interactiveMs(browser: Browser, file: string, what = 'interactiveAt'): Promise<number> {
  const times: number[] = []
  for (let visit = 0; visit < 5; visit++) {
    const opened = await open(browser, file, 'overview')
    times.push(await opened.evaluate<number>(what))
    await opened.close()
  }
  return times.sort((a, b) => a - b)[2]!
}

/** Runs in the page: keeps the instants when its first panel was there, and when nothing was left to read. */
const WATCH = `
  const panel = () => document.querySelector('main .tiles, main .grid, main .card, main .view')
  const until = (holds) => new Promise((resolve) => {
    const look = () => holds() ? requestAnimationFrame(() => resolve(performance.now())) : setTimeout(look, 1)
    addEventListener('DOMContentLoaded', look)
  })
  globalThis.interactiveAt = until(panel)
  globalThis.wholeAt = until(() => panel() && !document.querySelector('.banner'))`

async function open(browser: Browser, file: string, view: string): Promise<Page> {
  const opened = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await opened.addInitScript(WATCH)
  await opened.goto(`${file}#/${view}`)
  await opened.evaluate('wholeAt')
  return opened
}

async function seekMs(recording: Uint8Array): Promise<number> {
  const { run } = await loadRecording(recording)
  const moment = new Moment(run)
  moment.seek(run.end)
  let worst = 0
  for (let each = 0; each < 500; each++) {
    const at = run.epoch + (run.end - run.epoch) * ((each * 0.618034) % 1)
    const startedAt = performance.now()
    moment.seek(at)
    worst = Math.max(worst, performance.now() - startedAt)
  }
  return worst
}

async function scrubRow(
  browser: Browser,
  file: string,
  view: string,
  progress: (what: string) => void,
): Promise<Row> {
  progress(`scrub ${view}`)
  const opened = await open(browser, file, view)
  const box = (await opened.locator('.strip').boundingBox())!
  const frames = await framesOf(browser, opened, async () => {
    await opened.mouse.move(box.x + box.width - 2, box.y + 8)
    await opened.mouse.down()
    for (let move = 0; move < MOVES; move++) {
      await opened.mouse.move(box.x + box.width * (1 - move / MOVES), box.y + 8)
      await opened.waitForTimeout(FRAME_MS)
    }
    await opened.mouse.up()
  })
  await opened.close()
  return atMost(`scrub-${view}`, `scrub, ${view}: scripts a frame, p95`, frames.p95, 8, 1, 'ms')
}

async function zoomRow(
  browser: Browser,
  file: string,
  view: string,
  progress: (what: string) => void,
): Promise<Row> {
  progress(`zoom ${view}`)
  const opened = await open(browser, file, view)
  const box = (await opened.locator('.picture').boundingBox())!
  const frames = await framesOf(browser, opened, async () => {
    await opened.mouse.move(box.x + box.width / 3, box.y + box.height / 2)
    for (let move = 0; move < MOVES; move++) {
      const [x, y] = move % 3 === 0 ? [60, 0] : [0, move < MOVES / 2 ? -120 : 120]
      await opened.mouse.wheel(x!, y!)
      await opened.waitForTimeout(FRAME_MS)
    }
  })
  await opened.close()
  return atMost(`zoom-${view}`, `pan and zoom, ${view}: scripts a frame, p95`, frames.p95, 8, 1, 'ms')
}

/** After the views have been visited; typed arrays are outside the heap and counted too. */
async function memoryMb(browser: Browser, file: string): Promise<number> {
  const opened = await open(browser, file, 'overview')
  for (const view of ['jobs', 'tree', 'timeline', 'events', 'overview']) {
    await opened.goto(`${file}#/${view}`)
    await opened.locator('main .grid, main .card').first().waitFor()
  }
  const session = await opened.context().newCDPSession(opened)
  await session.send('HeapProfiler.collectGarbage')
  const usage = (await session.send('Runtime.getHeapUsage')) as {
    usedSize: number
    backingStorageSize?: number
  }
  await opened.close()
  return (usage.usedSize + (usage.backingStorageSize ?? 0)) / 1e6
}
