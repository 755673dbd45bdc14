import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { generateRecording } from '../../bench/recordings.ts'
import { formatClock } from '../../inspector/model/format.ts'
import { parseSpan } from '../../inspector/model/span.ts'
import { parseHash } from '../../inspector/state/route.ts'
import { describeInBrowser, openPage, useBrowser, writeReport } from './browser.ts'

/** What is chosen in a picture stands in the address. */
describeInBrowser('a part of the timeline', () => {
  const used = useBrowser()
  let report: string

  beforeAll(async () => {
    report = await writeReport(used.folder, generateRecording({ jobs: 300, seed: 4, failures: 0.1 }))
  })

  /** How much of the run is in view, as the page tells it. */
  const inView = (page: Page) =>
    page.getByRole('button', { name: /^Figures of what is in view/ }).textContent()
  const hash = (page: Page) => page.evaluate<string>('location.hash')
  const clocksOf = (address: string, name: string) => {
    const span = parseSpan(parseHash(address).params[name] ?? '', 0)
    return `${formatClock(span?.from ?? 0)} to ${formatClock(span?.to ?? 0)}`
  }
  const toldBy = (address: string) => `Figures of what is in view (${clocksOf(address, 'zoom')})`
  const picture = (page: Page) => page.getByRole('application', { name: /^Timeline/ })

  test('is shown again by a reload, by a copied link, and by going back', async () => {
    await using watched = await openPage(used.browser)
    const { page } = watched
    await page.goto(`${report}#/jobs`)
    await page.getByRole('link', { name: 'timeline' }).click()
    const whole = await inView(page)
    for (const key of ['+', '+', '+', 'd']) await picture(page).press(key)
    const part = await inView(page)
    expect(part).not.toBe(whole)
    // Only the last of the presses stands in the address in the end.
    await expect.poll(async () => toldBy(await hash(page))).toBe(part)

    await page.reload()
    await expect.poll(() => inView(page)).toBe(part)

    const linked = await page.context().newPage()
    await linked.goto(page.url())
    await expect.poll(() => inView(linked)).toBe(part)

    await page.getByRole('link', { name: 'events' }).click()
    await page.getByRole('grid', { name: 'Events' }).waitFor()
    await page.goBack()
    await expect.poll(() => inView(page)).toBe(part)

    // Zooming is no step of its own: one more back is the view before.
    await page.goBack()
    await page.getByRole('grid', { name: 'Jobs' }).waitFor()

    await page.goForward()
    await picture(page).press('0')
    await expect.poll(() => hash(page)).not.toMatch(/zoom=/)
    await expect.poll(() => inView(page)).toBe(whole)
    expect(watched.errors).toEqual([])
  })

  test('that was chosen for its figures has the same figures for whoever gets the link', async () => {
    await using watched = await openPage(used.browser)
    const { page } = watched
    await page.goto(`${report}#/timeline`)
    const box = (await picture(page).boundingBox())!
    await page.keyboard.down('Shift')
    await page.mouse.move(box.x + box.width * 0.25, box.y + 80)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.6, box.y + 90, { steps: 4 })
    await page.mouse.up()
    await page.keyboard.up('Shift')
    const figures = (of: Page) => of.getByRole('region', { name: 'Figures of the range' })
    const told = (await figures(page).textContent()) ?? ''
    expect(told).toMatch(/attempts/)
    await expect.poll(async () => told.startsWith(clocksOf(await hash(page), 'range'))).toBe(true)

    const linked = await page.context().newPage()
    await linked.goto(page.url())
    await expect.poll(() => figures(linked).textContent()).toBe(told)

    await page.getByRole('button', { name: 'Close the figures' }).click()
    await expect.poll(() => hash(page)).not.toMatch(/range=/)
    expect(watched.errors).toEqual([])
  })

  test('around a job stands in the address once the link to the job has been followed', async () => {
    await using watched = await openPage(used.browser)
    const { page } = watched
    await page.goto(`${report}#/jobs`)
    await page.getByRole('row').nth(1).click()
    await page.getByRole('link', { name: 'In the timeline' }).click()
    await expect.poll(() => hash(page)).toMatch(/zoom=/)
    expect(await hash(page)).not.toMatch(/focus=/)
    expect(watched.errors).toEqual([])
  })
})
