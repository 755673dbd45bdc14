import { JobPool } from 'espalier'
import { createInspector } from 'espalier/http'
import type { Locator, Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { generateRecording } from '../../bench/recordings.ts'
import { VIEWS } from '../../inspector/state/route.ts'
import {
  describeInBrowser,
  openPage,
  useBrowser,
  violationsOf,
  type Watched,
  writeReport,
} from './browser.ts'

/** What is seldom seen, in one browser and one page: every state has its words, and no flaw that axe knows. */
describeInBrowser('the page', () => {
  const used = useBrowser()
  let watched: Watched
  let page: Page
  const recording = generateRecording({ jobs: 300, seed: 4, failures: 0.1, blockEvents: 400 })

  beforeAll(async () => {
    watched = await openPage(used.browser, { reducedMotion: 'reduce' })
    page = watched.page
    page.setDefaultTimeout(10_000)
  })

  /** In both themes, each from the first paint on. */
  const flawsWith = async (shown: Locator) => {
    const found: string[] = []
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme })
      await page.reload()
      await shown.waitFor()
      found.push(...(await violationsOf(page)))
    }
    return found
  }

  test('shows a recording that was cut short as far as it goes, and says where it ends', async () => {
    await page.goto(await writeReport(used.folder, recording.subarray(0, recording.length >> 1)))
    await page.getByText('The recording is not whole').waitFor()
    const shown = page.getByRole('heading', { name: 'Slots at work' })
    expect(await flawsWith(shown)).toEqual([])
  })

  test('says of bytes that are no recording that there is nothing to show', async () => {
    await page.goto(await writeReport(used.folder, new Uint8Array(100)))
    await page.getByText('There is nothing to show').waitFor()
    expect(await flawsWith(page.getByText(/Expected a recording of espalier/))).toEqual([])
  })

  test('asks whoever comes without a code for the token, and lets in who has it', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool)
    await page.goto(new URL(await inspector.listen()).origin)
    const field = page.getByLabel(/token/i)
    expect(await flawsWith(field)).toEqual([])
    await field.fill('x'.repeat(40))
    await field.press('Enter')
    await page.getByRole('alert').waitFor()
    await field.fill(inspector.token)
    await field.press('Enter')
    await page.getByText('No jobs yet').waitFor()
    expect(await flawsWith(page.getByText('No jobs yet'))).toEqual([])
  })

  test('says of a plot that it could not be loaded, when its server is gone meanwhile', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool)
    await pool.submitJob({ execute: () => {} }).result()
    await page.route(/uPlot/, (route) => route.abort())
    await page.goto(await inspector.listen())
    await page.getByText('This plot could not be loaded.').first().waitFor()
    await page.unroute(/uPlot/)
  })

  test.each([
    ...VIEWS,
    'tree?as=map',
    'graph?as=path',
    'graph?node=run.n3&job=run.n3',
    'events?as=sequence&job=run.n3',
    'jobs?q=nothing-is-called-so',
    'timeline?zoom=100-400&range=150-300',
    'machines?actor=run.n3',
    'machines?actor=jobs',
  ])('has no flaw that axe knows in %s', async (view) => {
    await page.goto(`${await writeReport(used.folder, recording)}#/${view}`)
    expect(await flawsWith(page.locator('main .card, main .grid').first())).toEqual([])
  })

  test('has no flaw that axe knows in its help', async () => {
    await page.keyboard.press('?')
    await page.getByRole('dialog').waitFor()
    expect(await violationsOf(page)).toEqual([])
    await page.keyboard.press('Escape')
  })

  test('says how many jobs the palette leaves out, and leads to all of them', async () => {
    await page.goto(`${await writeReport(used.folder, recording)}#/overview`)
    await page.keyboard.press('Control+k')
    const find = page.getByRole('combobox', { name: /Find a view/ })
    await find.fill('is:retried')
    const all = page.getByRole('option', { name: /^Show all \d+ jobs like this 12 of \d+ are here/ })
    const count = /all (\d+)/.exec((await all.textContent()) ?? '')?.[1]
    await all.click()
    await page.getByText(`${count} of 300 jobs`).waitFor()
  })
})
