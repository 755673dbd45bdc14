import { JobPool } from 'espalier'
import { createInspector, type Inspector } from 'espalier/http'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { setup } from 'xstate'
import { describeInBrowser, launch, openPage, violationsOf, type Watched } from './browser.ts'

const approval = setup({ types: { events: {} as { type: 'approve' } | { type: 'reject' } } }).createMachine({
  id: 'approval',
  initial: 'waiting',
  states: {
    waiting: { on: { approve: 'approved', reject: 'rejected' } },
    approved: { type: 'final' },
    rejected: { type: 'final' },
  },
})

const untilAborted = ({ signal }: { signal: AbortSignal }) =>
  new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))

const fails = () => {
  throw new Error('Out of luck')
}

/** Each control, once, from the page to the runtime; one browser and one page for all. */
describeInBrowser('the controls', () => {
  let browser: Browser
  let pool: JobPool
  let inspector: Inspector
  let watched: Watched
  let page: Page

  beforeAll(async () => {
    browser = await launch()
    pool = new JobPool({ maxParallelJobs: 3 })
    inspector = createInspector(pool, { title: 'controls' })
    for (let index = 0; index < 4; index++)
      await pool.submitJob({ id: `done-${index}`, execute: () => index }).result()
    await pool.submitJob({ id: 'unlucky', execute: fails }).result()
    pool.submitJob({ id: 'deploy', executor: 'machine', execute: { logic: approval } })
    for (let index = 0; index < 2; index++) pool.submitJob({ id: `long-${index}`, execute: untilAborted })
    for (let index = 0; index < 3; index++) pool.submitJob({ id: `waits-${index}`, execute: () => index })
    watched = await openPage(browser)
    page = watched.page
    page.setDefaultTimeout(8_000)
    await page.goto(await inspector.listen())
    await page.getByText('of 11', { exact: true }).waitFor()
  })

  afterAll(async () => {
    await browser?.close()
    await inspector?.close()
    await pool?.shutdown({ wait: false })
  })

  const show = (hash: string) => page.evaluate((to) => location.assign(to), `#/${hash}`)
  const dialog = () => page.getByRole('dialog')
  /** What a list says of its length; now and then the page tells readers of the screen about as much. */
  const listed = (text: string) => page.getByRole('status').filter({ hasText: text })

  test('the limit is raised by one, and lowered again', async () => {
    await page.getByRole('button', { name: 'One less at a time' }).click()
    await page.getByText('2 slots', { exact: true }).waitFor()
    expect(pool.getStatus().maxParallelJobs).toBe(2)
    await page.getByRole('button', { name: 'One more at a time' }).click()
    await page.getByText('3 slots', { exact: true }).waitFor()
    expect(pool.getStatus().maxParallelJobs).toBe(3)
  })

  test('the pool is paused and resumed, each after a confirmation', async () => {
    await page.keyboard.press('p')
    await dialog().getByText('Pause the pool?').waitFor()
    expect(await violationsOf(page)).toEqual([])
    await dialog().getByRole('button', { name: 'Pause' }).click()
    await page.getByRole('button', { name: 'Resume' }).waitFor()
    expect(pool.getHealth().isDispatching).toBe(false)
    await page.getByRole('button', { name: 'Resume' }).click()
    await dialog().getByRole('button', { name: 'Resume' }).click()
    await page.getByRole('button', { name: 'Pause' }).waitFor()
    expect(pool.getHealth().isDispatching).toBe(true)
  })

  test('listed jobs get another priority, once their preview is confirmed', async () => {
    await show('jobs?q=waits')
    await listed('3 of 11 jobs').waitFor()
    await page.getByLabel('Change the priority').selectOption('critical')
    await dialog().getByText('Give 3 jobs the priority critical?').waitFor()
    await dialog().getByRole('button', { name: 'Change the priority' }).click()
    await page.getByRole('row').filter({ hasText: 'critical' }).nth(2).waitFor()
    const { origin } = new URL(page.url())
    const told = await fetch(`${origin}/api/jobs/waits-0`, {
      headers: { authorization: `Bearer ${inspector.token}` },
    })
    expect(await told.json()).toMatchObject({ priority: 'critical' })
  })

  test('a failed job is submitted again, and what cannot be is left out with its reason', async () => {
    await show('jobs?q=state:failed,completed')
    await listed('5 of 11 jobs').waitFor()
    await page.getByRole('button', { name: 'Retry …' }).click()
    await dialog().getByText('Retry 5 jobs?').waitFor()
    await dialog().getByText('Each is submitted again as a new job.').waitFor()
    await dialog().getByRole('button', { name: 'Leave it' }).click()
    await show('jobs?q=state:failed&job=unlucky')
    const drawer = page.getByRole('complementary', { name: 'Selected job' })
    await drawer.getByRole('button', { name: 'Retry' }).click()
    await dialog().getByText('Retry this job?').waitFor()
    await dialog().getByText('It is submitted again as a new job.').waitFor()
    await dialog().getByRole('button', { name: 'Retry' }).click()
    await listed('of 12 jobs').waitFor()
    expect(pool.getStatus().total).toBe(12)
    const submitted = await page.getByText('Submitted again as').textContent()
    const [, again = ''] = /as (.*)\./.exec(submitted ?? '') ?? []
    expect(pool.job(again)?.status).toBeDefined()
  })

  test('the cancel of one job, and of more, asks in its own words', async () => {
    await show('jobs?q=long&job=long-0')
    const drawer = page.getByRole('complementary', { name: 'Selected job' })
    await drawer.getByRole('button', { name: 'Cancel' }).click()
    await dialog().getByText('Cancel this job?').waitFor()
    await dialog().getByText('Jobs that depend on it are cancelled too.').waitFor()
    await dialog().getByRole('button', { name: 'Leave it' }).click()
    await page.getByRole('group', { name: 'Act on jobs' }).getByRole('button', { name: 'Cancel' }).click()
    await dialog().getByText('Cancel 2 jobs?').waitFor()
    await dialog().getByText('Jobs that depend on them are cancelled too.').waitFor()
    await dialog().getByRole('button', { name: 'Leave it' }).click()
  })

  test('ids are shown plain before they are acted on', async () => {
    const job = pool.submitJob({ id: '\u202edeen\u001b[31m', delayMs: 60_000, execute: () => {} })
    await show('jobs?q=state:delayed')
    await page.getByRole('group', { name: 'Act on jobs' }).getByRole('button', { name: 'Cancel' }).click()
    await dialog().getByText('Cancel this job?').waitFor()
    expect(await dialog().locator('.preview-ids').textContent()).toBe('\ufffddeen')
    await dialog().getByRole('button', { name: 'Leave it' }).click()
    job.cancel()
  })

  test('the palette finds a job and a view by their names', async () => {
    await page.keyboard.press('Control+k')
    const find = page.getByRole('combobox', { name: /Find a view/ })
    await find.fill('deploy')
    await page.getByRole('option', { name: /deploy/ }).waitFor()
    expect(await violationsOf(page)).toEqual([])
    await find.fill('')
    const options = page.getByRole('option')
    for (let place = 1; place < (await options.count()); place++) await find.press('ArrowDown')
    const [list, last] = await Promise.all(
      [page.getByRole('listbox'), options.last()].map(async (each) => (await each.boundingBox())!),
    )
    expect(await options.last().getAttribute('aria-selected')).toBe('true')
    expect(last!.y + last!.height).toBeLessThanOrEqual(list!.y + list!.height + 1)
    await find.fill('deploy')
    await page.getByRole('option', { name: /deploy/ }).waitFor()
    await find.press('Enter')
    await page.getByRole('complementary', { name: 'Selected job' }).getByText('deploy').first().waitFor()
    await page.keyboard.press('Control+k')
    await find.fill('go to machines')
    await find.press('Enter')
    await expect.poll(() => page.evaluate('location.hash')).toMatch(/^#\/machines\?.*job=deploy/)
  })

  test('the chart of a machine that a job runs is drawn, and takes an event after a confirmation', async () => {
    await show('machines?actor=deploy')
    const chart = page.getByRole('group', { name: 'Chart of approval' })
    await chart.locator('.state-box.active').filter({ hasText: 'waiting' }).waitFor()
    expect(await violationsOf(page)).toEqual([])
    await chart.locator('.edge-label').filter({ hasText: 'approve' }).click()
    await dialog()
      .getByText(/Send approve to/)
      .waitFor()
    await dialog().getByRole('button', { name: 'Send approve' }).click()
    expect(await pool.waitForJob('deploy')).toMatchObject({ status: 'completed' })
  })

  test('time is stepped event by event, played, and kept in the address', async () => {
    await show('jobs')
    await page.getByRole('slider', { name: 'Moment of the run' }).press('Home')
    await page.getByText('in the past').waitFor()
    const told = page.locator('.time-text')
    const first = Number(/event (\d+) of/.exec((await told.textContent()) ?? '')?.[1])
    await page.keyboard.press('.')
    await told.getByText(`event ${first + 1} of`).waitFor()
    await page.keyboard.press('.')
    await told.getByText(`event ${first + 2} of`).waitFor()
    await page.keyboard.press(',')
    await told.getByText(`event ${first + 1} of`).waitFor()

    // Another page at this address shows the same moment.
    await page.getByRole('slider', { name: 'Moment of the run' }).press('PageUp')
    await expect.poll(() => page.evaluate('location.hash')).toMatch(/at=(?!0$)\d/)
    const shown = (await told.textContent()) ?? ''
    const linked = await page.context().newPage()
    linked.setDefaultTimeout(8_000)
    await linked.goto(String(await page.evaluate('location.href')))
    await linked.getByText('in the past').waitFor()
    await linked.locator('.time-text').filter({ hasText: shown }).waitFor()
    await linked.close()

    await page.getByLabel('Speed').selectOption('100')
    await page.keyboard.press('l')
    await page.getByText('in the past').waitFor({ state: 'detached' })
    await expect.poll(() => page.evaluate('location.hash')).not.toMatch(/at=/)
    await page.getByRole('slider', { name: 'Moment of the run' }).press('Home')
    await page.getByRole('button', { name: 'Play' }).click()
    await page.getByText('in the past').waitFor({ state: 'detached' })
    expect(await told.textContent()).toMatch(/event (\d+) of \1/)
  })

  test('the limit counts each click, however quickly they come', async () => {
    const more = page.getByRole('button', { name: 'One more at a time' })
    for (let click = 0; click < 4; click++) await more.click()
    await page.getByText('7 slots', { exact: true }).waitFor()
    await expect.poll(() => pool.getStatus().maxParallelJobs).toBe(7)
    const less = page.getByRole('button', { name: 'One less at a time' })
    for (let click = 0; click < 4; click++) await less.click()
    await expect.poll(() => pool.getStatus().maxParallelJobs).toBe(3)
    await page.getByText('3 slots', { exact: true }).waitFor()
  })

  test('nothing has gone wrong on the page', () => {
    expect(watched.errors).toEqual([])
  })
})
