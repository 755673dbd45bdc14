import { JobPool } from 'espalier'
import { createInspector } from 'espalier/http'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { framesOf } from '../../bench/inspector/frames.ts'
import { generateRecording } from '../../bench/recordings.ts'
import { describeInBrowser, openPage, useBrowser, writeReport } from './browser.ts'

/** Processor time, not the clock's: but caches that others share cost some too, so that twice the budget is the gate. */
const FRAME_MS_MAX = 2 * 8
const VIEWS = ['overview', 'tree', 'jobs']
const TASK_MS_MAX = 100
const LIVE_BYTES_A_SECOND_MAX = 100_000
const LIVE_MS = 3_000
const JOBS_A_TICK = 10
const TICK_MS = 10

describeInBrowser('the page keeps its budgets', () => {
  const used = useBrowser()

  test('scrubbing 100,000 jobs', async () => {
    const report = await writeReport(used.folder, generateRecording({ jobs: 100_000, slots: 64 }))
    await using watched = await openPage(used.browser)
    const { page } = watched
    for (const view of VIEWS) {
      // Each view is there while the recording is read, as it is for whoever opens a link to it.
      await page.goto('about:blank')
      await page.goto(`${report}#/${view}`)
      await page.locator('main .card, main .grid').first().waitFor()
      await page.locator('.banner').waitFor({ state: 'detached' })
      const frames = await framesOf(used.browser, page, () => scrub(page, 40))
      expect.soft(frames.p95, view).toBeLessThan(FRAME_MS_MAX)
    }
    expect(watched.errors).toEqual([])
  })

  test('while a pool has 5,000 events a second', async () => {
    await using pool = new JobPool({ maxParallelJobs: 8 })
    await using inspector = createInspector(pool)
    await using watched = await openPage(used.browser)
    const { page } = watched
    const session = await page.context().newCDPSession(page)
    await session.send('Network.enable')
    let bytes = 0
    session.on('Network.webSocketFrameReceived', ({ response: { opcode, payloadData } }) => {
      bytes += opcode === 2 ? (payloadData.length * 3) / 4 : payloadData.length
    })
    await page.goto(await inspector.listen())
    await page.getByText('No jobs yet').waitFor()
    const before = bytes
    const { longestTask } = await framesOf(used.browser, page, () => work(pool))
    expect(pool.getStatus().total).toBeGreaterThan((LIVE_MS / TICK_MS) * JOBS_A_TICK * 0.5)
    expect(longestTask).toBeLessThan(TASK_MS_MAX)
    expect((bytes - before) / (LIVE_MS / 1000)).toBeLessThan(LIVE_BYTES_A_SECOND_MAX)
    expect(bytes - before).toBeGreaterThan(0)
    expect(watched.errors).toEqual([])
  })
})

async function scrub(page: Page, moves: number): Promise<void> {
  const box = (await page.locator('.strip').boundingBox())!
  await page.mouse.move(box.x + box.width - 2, box.y + 8)
  await page.mouse.down()
  for (let move = 0; move < moves; move++)
    await page.mouse.move(box.x + box.width * (1 - move / moves), box.y + 8)
  await page.mouse.up()
}

/** Submits jobs as fast as they make 5,000 events a second: each has five. */
async function work(pool: JobPool): Promise<void> {
  const startedAt = performance.now()
  let submitted = 0
  while (performance.now() - startedAt < LIVE_MS) {
    const due = ((performance.now() - startedAt) / TICK_MS) * JOBS_A_TICK
    for (; submitted < due; submitted++) pool.submitJob({ execute: () => 1 })
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  await pool.waitForAll()
}
