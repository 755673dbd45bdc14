import { JobPool } from 'espalier'
import { createInspector } from 'espalier/http'
import { expect, test } from 'vitest'
import { setup } from 'xstate'
import { describeInBrowser, openPage, useBrowser } from './browser.ts'

const approval = setup({
  types: { events: {} as { type: 'approve'; by?: string } },
  guards: { isSigned: ({ event }) => event.by !== undefined },
}).createMachine({
  id: 'approval',
  initial: 'waiting',
  states: {
    waiting: {
      initial: 'one',
      states: { one: { on: { approve: { guard: 'isSigned', target: 'two' } } }, two: {} },
    },
  },
})

describeInBrowser('an event that is sent to the machine of a job', () => {
  const used = useBrowser()

  test('is for its state, must be whole, and is told to have changed nothing when a guard refused it', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool, { title: 'send' })
    await using watched = await openPage(used.browser, { reducedMotion: 'reduce' })
    const { page, errors } = watched
    page.setDefaultTimeout(8_000)
    const job = pool.submitJob({ id: 'deploy', executor: 'machine', execute: { logic: approval } })
    await page.goto(await inspector.listen())
    await page.evaluate(() => location.assign('#/machines?actor=deploy&job=deploy'))
    const chart = page.locator('.chart-card')
    await chart.getByText('chart of its machine').waitFor()
    await chart.getByText('waiting.one', { exact: true }).waitFor()
    const drawer = page.getByRole('complementary', { name: 'Selected job' })
    await drawer.getByText('Context of its chart').waitFor()
    expect(await drawer.getByText('Metadata').count()).toBe(0)

    const dialog = page.getByRole('dialog')
    await page.getByRole('button', { name: /^approve …/ }).click()
    await dialog.getByText('It is in waiting.one.').waitFor()
    const fields = dialog.getByRole('textbox')
    await fields.fill('{"by":')
    await dialog.getByRole('button', { name: 'Send approve' }).click()
    expect(await fields.inputValue()).toBe('{"by":')
    await fields.fill('')
    await dialog.getByRole('button', { name: 'Send approve' }).click()
    await page.getByRole('alert').getByText('approve changed neither the state nor the context').waitFor()

    await page.getByRole('button', { name: /^approve …/ }).click()
    await fields.fill('{"by": "me"}')
    await dialog.getByRole('button', { name: 'Send approve' }).click()
    await chart.getByText('waiting.two', { exact: true }).waitFor()
    expect(await page.getByRole('alert').count()).toBe(1)
    expect(errors).toEqual([])
    job.cancel()
  })
})
