import { JobPool } from 'espalier'
import { createInspector } from 'espalier/http'
import { expect, test } from 'vitest'
import { generateRecording } from '../../bench/recordings.ts'
import { VIEWS } from '../../inspector/state/route.ts'
import { describeInBrowser, openPage, useBrowser, violationsInBothThemes, writeReport } from './browser.ts'

const PHONE = { width: 390, height: 844 }
/** What WCAG 1.4.10 asks for: a page of 1280 px, enlarged to 400 %. */
const NARROWEST = { width: 320, height: 640 }

describeInBrowser('on a phone', () => {
  const used = useBrowser()

  test('no view is wider than the screen, and a job lies above it with its failure in sight', async () => {
    const report = await writeReport(used.folder, generateRecording({ jobs: 300, seed: 4, failures: 0.2 }))
    await using watched = await openPage(used.browser, { viewport: PHONE, hasTouch: true })
    const { page, errors } = watched
    await page.goto(report)
    for (const view of VIEWS) {
      await page.goto(`${report}#/${view}`)
      await page.locator('main .card, main .grid').first().waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth'), view).toBe(PHONE.width)
      const place = (await page.locator('.rail [aria-current]').boundingBox())!
      expect([place.x >= 0, place.x + place.width <= PHONE.width], view).toEqual([true, true])
    }

    await page.goto(`${report}#/metrics`)
    const figures = (await page.locator('.spreads .num').first().boundingBox())!
    expect(figures.x + figures.width).toBeLessThanOrEqual(PHONE.width)

    await page.goto(`${report}#/jobs`)
    await page.getByRole('button', { name: /^failed/ }).tap()
    await page.getByRole('row').filter({ hasText: 'failed' }).first().tap()
    const drawer = page.getByRole('complementary', { name: 'Selected job' })
    const error = drawer.getByText(/could not be done/).first()
    await error.waitFor()
    const box = (await drawer.boundingBox())!
    expect(box.x).toBe(0)
    expect(box.width).toBe(PHONE.width)
    expect((await error.boundingBox())!.y).toBeLessThan(PHONE.height)
    expect(await violationsInBothThemes(page)).toEqual([])
    await drawer.getByRole('button', { name: 'Close the job' }).tap()
    await drawer.waitFor({ state: 'detached' })
    expect(errors).toEqual([])
  })

  test('nor is any on the narrowest one', async () => {
    const report = await writeReport(used.folder, generateRecording({ jobs: 300, seed: 4, failures: 0.2 }))
    await using watched = await openPage(used.browser, { viewport: NARROWEST })
    const { page } = watched
    for (const view of VIEWS) {
      await page.goto(`${report}#/${view}`)
      await page.locator('main .card, main .grid').first().waitFor()
      expect(await page.evaluate('document.documentElement.scrollWidth'), view).toBe(NARROWEST.width)
    }
  })

  test('no picture lies on the words below it in a low window, such as one enlarged to 200 %', async () => {
    const report = await writeReport(used.folder, generateRecording({ jobs: 300, seed: 4, failures: 0.2 }))
    await using watched = await openPage(used.browser, { viewport: { width: 640, height: 400 } })
    const { page } = watched
    for (const view of ['timeline', 'tree?as=map']) {
      await page.goto('about:blank')
      await page.goto(`${report}#/${view}`)
      const picture = (await page.locator('main .picture').boundingBox())!
      const foot = (await page.locator('.picture-foot').boundingBox())!
      expect(picture.y + picture.height, view).toBeLessThanOrEqual(foot.y)
    }
  })

  test('two fingers zoom a picture where they are, one moves it, and neither is taken for a tap', async () => {
    const report = await writeReport(used.folder, generateRecording({ jobs: 300, seed: 4 }))
    await using watched = await openPage(used.browser, { viewport: PHONE, hasTouch: true })
    const { page } = watched
    await page.goto(`${report}#/timeline`)
    const { x, y, width, height } = (await page.locator('.picture').boundingBox())!
    const session = await page.context().newCDPSession(page)
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...shares: readonly number[]) => {
      const touchPoints = shares.map((share, id) => ({ id, x: x + share * width, y: y + height / 2 }))
      return session.send('Input.dispatchTouchEvent', { type, touchPoints })
    }
    const zoomed = async () => {
      await page.waitForTimeout(400)
      return (new URLSearchParams(new URL(page.url()).hash.split('?')[1]).get('zoom') ?? '')
        .split('-')
        .map(Number)
    }
    await touch('touchStart', 0.4, 0.6)
    for (const by of [0.05, 0.1, 0.15, 0.2]) await touch('touchMove', 0.4 - by, 0.6 + by)
    await touch('touchEnd')
    const [from = 0, to = 0] = await zoomed()
    // A third of all, from the middle.
    expect((from + to) / (to - from)).toBeCloseTo(3, 0)
    await touch('touchStart', 0.5)
    for (const share of [0.4, 0.3]) await touch('touchMove', share)
    await touch('touchEnd')
    const [movedFrom = 0, movedTo = 0] = await zoomed()
    expect(movedTo - movedFrom).toBeCloseTo(to - from, 0)
    expect((movedFrom - from) / (to - from)).toBeCloseTo(0.2, 1)
    expect(await page.locator('.drawer').count()).toBe(0)
  })

  test('a live pool can be steered: every button of the head is on the screen', async () => {
    await using pool = new JobPool({ maxParallelJobs: 2 })
    await using inspector = createInspector(pool, { title: 'a pool with a rather long name' })
    await using watched = await openPage(used.browser, { viewport: PHONE, hasTouch: true })
    const { page } = watched
    await pool.submitJob({ execute: () => 1 }).result()
    await page.goto(await inspector.listen())
    await page.getByText('of 1', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Pause' }).tap()
    await page.getByRole('dialog').getByRole('button', { name: 'Pause' }).tap()
    await page.getByRole('button', { name: 'Resume' }).waitFor()
    await page.getByRole('slider', { name: 'Moment of the run' }).press('Home')
    await page.getByText('in the past').waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width)
    const buttons = await page.locator('.top button').all()
    expect(buttons.length).toBeGreaterThan(5)
    for (const button of buttons) {
      const { x, width } = (await button.boundingBox())!
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x + width).toBeLessThanOrEqual(PHONE.width)
    }
    expect(await violationsInBothThemes(page)).toEqual([])
  })
})
