import { JobPool } from 'espalier'
import { createInspector } from 'espalier/http'
import { expect, test } from 'vitest'
import { describeInBrowser, openPage, useBrowser } from './browser.ts'

/** Who may look, over what happens to a session. */
describeInBrowser('the session of a page', () => {
  const used = useBrowser()

  test('is gone on with by the same link, which tells another browser that it was used', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool)
    const address = await inspector.listen()
    await using watched = await openPage(used.browser)
    for (let time = 0; time < 2; time++) {
      await watched.page.goto('about:blank')
      await watched.page.goto(address)
      await watched.page.getByText('No jobs yet').waitFor({ timeout: 10_000 })
    }
    await using other = await openPage(used.browser)
    await other.page.goto(address)
    await other.page.getByText(/The link was used already/).waitFor({ timeout: 10_000 })
    await other.page.getByLabel('Token').fill(inspector.token)
    await other.page.getByLabel('Token').press('Enter')
    await other.page.getByText('No jobs yet').waitFor({ timeout: 10_000 })
  })

  test('is asked for anew by a server that was started again with another token', async () => {
    await using pool = new JobPool()
    pool.submitJob({ id: 'before', execute: () => 1 })
    const first = createInspector(pool)
    const address = await first.listen()
    await using watched = await openPage(used.browser)
    const { page } = watched
    page.setDefaultTimeout(10_000)
    await page.goto(address)
    await page.getByText('of 1', { exact: true }).waitFor()
    await first.close()
    await page.getByText(/The connection is lost/).waitFor()

    await using second = createInspector(pool)
    await second.listen({ port: Number(new URL(address).port) })
    const field = page.getByLabel(/token/i)
    await field.waitFor()
    expect(await page.getByText(/The connection is lost/).count()).toBe(0)
    pool.submitJob({ id: 'after', execute: () => 2 })
    await field.fill(second.token)
    await field.press('Enter')
    await page.getByText('of 2', { exact: true }).waitFor()
  })
})
