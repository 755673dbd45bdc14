import { JobPool } from 'espalier'
import { createInspector } from 'espalier/http'
import { expect, test } from 'vitest'
import { describeInBrowser, openPage, useBrowser } from './browser.ts'

/** Runs in the page: counts what begins to move. */
const COUNT_MOTION = `
  globalThis.motions = []
  for (const type of ['animationstart', 'transitionrun'])
    addEventListener(type, ({ animationName, propertyName }) => motions.push(animationName ?? propertyName), true)`

const motions = 'motions'
const running = 'document.getAnimations().map(({ animationName }) => animationName)'

describeInBrowser('motion', () => {
  const used = useBrowser()

  test.each([
    ['moves where nobody minds', 'no-preference', ['shimmer'], true],
    ['stands still for whoever wants that', 'reduce', [], false],
  ] as const)('of the page %s', async (_, reducedMotion, whileLoading, isMoving) => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool)
    await using watched = await openPage(used.browser, { reducedMotion })
    const { page, errors } = watched
    await page.addInitScript(COUNT_MOTION)
    // Nothing comes over the feed, until it is asked for again.
    let isSilent = true
    await page.routeWebSocket(/api\/feed/, (socket) => {
      if (!isSilent) socket.connectToServer()
    })
    const address = await inspector.listen()
    await page.goto(address)
    await page.locator('.bones').waitFor()
    expect([...new Set(await page.evaluate<string[]>(running))]).toEqual(whileLoading)

    isSilent = false
    await page.reload()
    await page.getByText('No jobs yet').waitFor()
    // The transition that was taken last shows itself when the chart is drawn anew.
    const job = pool.submitJob({ id: 'first', execute: () => 1 })
    await job.result()
    await page.evaluate(() => location.assign('#/machines?actor=first'))
    await page.locator('.last').first().waitFor()
    if (isMoving) await expect.poll(() => page.evaluate(motions)).toContain('flow')
    else expect(await page.evaluate(motions)).toEqual([])
    await expect.poll(() => page.evaluate(running)).toEqual([])
    expect(errors).toEqual([])
  })
})
