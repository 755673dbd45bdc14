import { JobPool } from 'espalier'
import { createInspector, type Inspector } from 'espalier/http'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { setup } from 'xstate'
import { describeInBrowser, openPage, useBrowser, violationsInBothThemes, type Watched } from './browser.ts'

const approval = setup({ types: { events: {} as { type: 'approve' } } }).createMachine({
  id: 'approval',
  initial: 'waiting',
  states: { waiting: { on: { approve: 'approved' } }, approved: { type: 'final' } },
})

const untilAborted = ({ signal }: { signal: AbortSignal }) =>
  new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))

const fails = ({ log }: { log: (line: string) => void }) => {
  log('trying')
  throw new Error('Out of luck')
}

/** Whatever opens above or beside a view has no flaw that axe knows, in both themes. */
describeInBrowser('what opens above a view', () => {
  const used = useBrowser()
  let pool: JobPool
  let inspector: Inspector
  let watched: Watched
  let page: Page

  beforeAll(async () => {
    pool = new JobPool({ maxParallelJobs: 2 })
    inspector = createInspector(pool, { title: 'overlays' })
    await pool.submitJob({ id: 'done', execute: () => ({ answer: 42 }), metadata: { of: 'all' } }).result()
    await pool
      .submitJob({ id: 'unlucky', execute: fails, maxRetries: 1, backoff: { type: 'fixed', delayMs: 1 } })
      .result()
    pool.submitJob({ id: 'deploy', executor: 'machine', execute: { logic: approval } })
    pool.submitJob({ id: 'long', execute: untilAborted })
    pool.submitJob({ id: 'waits', execute: () => 1 })
    pool.submitJob({ id: 'blocked', execute: () => 1, dependencies: ['waits'] })
    pool.submitJob({ id: 'unwanted', execute: () => 1 }).cancel('nobody wants it')
    watched = await openPage(used.browser, { reducedMotion: 'reduce' })
    page = watched.page
    page.setDefaultTimeout(8_000)
    await page.goto(await inspector.listen())
    await page.getByText('of 7', { exact: true }).waitFor()
  })

  afterAll(async () => {
    await inspector?.close()
    await pool?.shutdown({ wait: false })
  })

  const show = (hash: string) => page.evaluate((to) => location.assign(to), `#/${hash}`)
  const dialog = () => page.getByRole('dialog')
  const press = (name: string | RegExp) => page.getByRole('button', { name }).click()

  const DIALOGS: Readonly<Record<string, () => Promise<Locator>>> = {
    'the help': async () => {
      await page.keyboard.press('?')
      return dialog().getByText('Single letters are keys')
    },
    'the palette with what it finds': async () => {
      await page.keyboard.press('Control+k')
      await dialog().getByRole('combobox').fill('deploy')
      return page.getByRole('option', { name: /deploy/ })
    },
    'the palette that finds nothing': async () => {
      await page.keyboard.press('Control+k')
      await dialog().getByRole('combobox').fill('called-by-nobody')
      return dialog().getByText('Nothing is called so')
    },
    'the question before the pool is paused': async () => {
      await page.keyboard.press('p')
      return dialog().getByText('Pause the pool?')
    },
    'the preview of cancelling, with what is left out': async () => {
      await show('jobs?q=state:completed,executing,ready,blocked')
      await press('Cancel …')
      return dialog().getByText('Left out')
    },
    'the preview of retrying': async () => {
      await show('jobs?q=state:failed,completed')
      await press('Retry …')
      return dialog().getByText('Each is submitted again')
    },
    'the preview of another priority': async () => {
      await show('jobs?q=state:ready')
      await page.getByLabel('Change the priority').selectOption('critical')
      return dialog().getByText(/the priority critical/)
    },
    'the question before an event is sent, with fields that are none': async () => {
      await show('machines?actor=deploy')
      await press(/^approve …/)
      await dialog().getByRole('textbox').fill('{"approved":')
      return dialog().locator('[aria-invalid=true]')
    },
  }

  test.each(Object.keys(DIALOGS))('%s', async (name) => {
    await show('overview')
    const shown = await DIALOGS[name]!()
    await shown.waitFor()
    expect(await violationsInBothThemes(page)).toEqual([])
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'detached' })
  })

  test('the menu of exports', async () => {
    await press('Export')
    await page.getByRole('link', { name: /Perfetto/ }).waitFor()
    expect(await violationsInBothThemes(page)).toEqual([])
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: /Perfetto/ }).waitFor({ state: 'hidden' })
  })

  test('messages of what was done, and of what was not', async () => {
    await press('One more at a time')
    await show('jobs?q=state:completed')
    await press('Cancel …')
    const messages = page.getByRole('region', { name: 'Messages' })
    await messages.getByRole('alert').waitFor()
    await messages.getByRole('status').waitFor()
    expect(await violationsInBothThemes(page)).toEqual([])
    for (const dismiss of (await messages.getByRole('button', { name: 'Dismiss' }).all()).reverse())
      await dismiss.click()
  })

  test.each([
    ['a job that failed twice', 'unlucky', /Out of luck/],
    ['a job that is done', 'done', 'Result'],
    ['a job that waits for another', 'blocked', 'Depends on'],
    ['a job that is a machine', 'deploy', 'Its chart'],
    ['a job that was cancelled', 'unwanted', /nobody wants it/],
    ['a job that is not there', 'nobody', /No job of this recording/],
  ])('the drawer of %s', async (_, id, text) => {
    await show(`jobs?job=${id}`)
    const drawer = page.getByRole('complementary', { name: 'Selected job' })
    await drawer.getByText(text).first().waitFor()
    for (const part of await drawer.locator('summary').all()) await part.click()
    expect(await violationsInBothThemes(page)).toEqual([])
  })

  test('and nothing has gone wrong on the page', () => {
    expect(watched.errors).toEqual([])
  })
})
