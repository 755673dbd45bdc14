import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generateRecording } from '../../bench/recordings.ts'
import { VIEWS } from '../../inspector/state/route.ts'
import { describeInBrowser, launch, openPage, violationsOf, writeReport } from './browser.ts'

describeInBrowser('a report', () => {
  let browser: Browser
  let folder: string
  let report: string

  beforeAll(async () => {
    browser = await launch()
    folder = await mkdtemp(join(tmpdir(), 'espalier-report-'))
    report = await writeReport(folder, generateRecording({ jobs: 400, seed: 3, failures: 0.05 }))
  })

  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true })
  })

  test('opens from a file, asks for nothing else, and shows every job', async () => {
    await using watched = await openPage(browser, { offline: true })
    const { page, requests, errors } = watched
    await page.goto(report)
    await page.getByRole('heading', { name: 'Slots at work' }).waitFor()
    await page.goto(`${report}#/jobs`)
    await page.getByText('400 of 400 jobs').waitFor()
    expect(requests.filter((url) => !url.startsWith(report))).toEqual([])
    expect(errors).toEqual([])
  })

  test('goes back in time to before the first job had ended', async () => {
    await using watched = await openPage(browser)
    const { page } = watched
    await page.goto(`${report}#/jobs`)
    await page.getByText('400 of 400 jobs').waitFor()
    await page.getByRole('slider', { name: 'Moment of the run' }).press('Home')
    await page.getByText('No jobs yet at this moment').waitFor()
    await page.getByRole('slider', { name: 'Moment of the run' }).press('End')
    await page.getByText('400 of 400 jobs').waitFor()
  })

  test.each(['light', 'dark'] as const)(
    'has no flaw that axe knows, in any view: %s',
    async (colorScheme) => {
      await using watched = await openPage(browser, { colorScheme, reducedMotion: 'reduce' })
      const { page } = watched
      const found: string[] = []
      for (const view of VIEWS) {
        await page.goto(`${report}#/${view}?job=run.n7`)
        await page.locator('main .card, main .grid').first().waitFor()
        found.push(...(await violationsOf(page)).map((violation) => `${view}: ${violation}`))
      }
      expect(found).toEqual([])
    },
  )
})
