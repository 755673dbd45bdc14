import { beforeAll, expect, test } from 'vitest'
import { generateRecording } from '../../bench/recordings.ts'
import { VIEWS } from '../../inspector/state/route.ts'
import { describeInBrowser, openPage, useBrowser, violationsOf, writeReport } from './browser.ts'

describeInBrowser('a report', () => {
  const used = useBrowser()
  let report: string

  beforeAll(async () => {
    report = await writeReport(used.folder, generateRecording({ jobs: 400, seed: 3, failures: 0.05 }))
  })

  test('opens from a file, asks for nothing else, and shows every job', async () => {
    await using watched = await openPage(used.browser, { offline: true })
    const { page, requests, errors } = watched
    await page.goto(report)
    await page.getByRole('heading', { name: 'Slots at work' }).waitFor()
    await page.goto(`${report}#/jobs`)
    await page.getByText('400 of 400 jobs').waitFor()
    expect(requests.filter((url) => !url.startsWith(report))).toEqual([])
    expect(errors).toEqual([])
  })

  test('goes back in time to before the first job had ended', async () => {
    await using watched = await openPage(used.browser)
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
      await using watched = await openPage(used.browser, { colorScheme, reducedMotion: 'reduce' })
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
