import { defineWorkflow, JobPool, node, runWorkflow } from 'espalier'
import { createInspector, recordTrace } from 'espalier/http'
import { createMemoryStore } from 'espalier/stores/memory'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { setup, waitFor } from 'xstate'
import { describeInBrowser, openPage, useBrowser, violationsInBothThemes, writeReport } from './browser.ts'

const approval = setup({
  types: { events: {} as { type: 'ask' } | { type: 'approve' } | { type: 'reject' } },
}).createMachine({
  id: 'approval',
  initial: 'drafted',
  states: {
    drafted: { on: { ask: 'asked' } },
    asked: { on: { approve: 'approved', reject: 'drafted' } },
    approved: { type: 'final' },
  },
})

/** The innermost state of the chart shown that is marked as active. */
const activeIn = (page: Page) => page.locator('.chart .state-box.active .state-name').last().textContent()

describeInBrowser('the chart of a machine that a job runs', () => {
  const used = useBrowser()

  test('is shown live, of the past, once it has ended, and in a recording', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool, { title: 'machines' })
    await using watched = await openPage(used.browser, { reducedMotion: 'reduce' })
    const { page } = watched
    page.setDefaultTimeout(8_000)
    const job = pool.submitJob({ id: 'deploy', executor: 'machine', execute: { logic: approval } })
    await page.goto(await inspector.listen())
    await page.evaluate(() => location.assign('#/machines?actor=deploy'))
    const chart = page.getByRole('group', { name: 'Chart of approval' })
    await chart.waitFor()
    const states = page.locator('.actor-steps code')
    await expect.poll(() => states.allTextContents()).toEqual(['approval.drafted'])

    job.send({ type: 'ask' })
    await expect.poll(() => states.allTextContents()).toEqual(['approval.asked', 'approval.drafted'])
    job.send({ type: 'approve' })
    await job.result()
    const all = ['approval.approved', 'approval.asked', 'approval.drafted']
    await expect.poll(() => states.allTextContents()).toEqual(all)
    await chart.waitFor()
    await expect.poll(() => activeIn(page)).toBe('approved')

    // The moment it was drafted.
    await page.locator('.actor-steps button').last().click()
    await page.getByText('in the past').waitFor()
    await expect.poll(() => activeIn(page)).toBe('drafted')
    expect(await states.allTextContents()).toEqual(['approval.drafted'])

    await page.goto(`${await writeReport(used.folder, await inspector.recording())}#/machines?actor=deploy`)
    await chart.waitFor()
    await expect.poll(() => activeIn(page)).toBe('approved')
    expect(await violationsInBothThemes(page)).toEqual([])
    await page.getByRole('button', { name: 'its job' }).click()
    await expect.poll(() => activeIn(page)).toBe('completed')
    expect(watched.errors).toEqual([])
  })

  test('is not in the recording of a store, which says so, and how to have it', async () => {
    const store = createMemoryStore()
    await using pool = new JobPool({ store, handlers: { deploy: { logic: approval } } })
    const job = pool.submitJob({ id: 'deploy', executor: 'machine', execute: 'deploy' })
    await waitFor(job, (snapshot) => snapshot.matches('running'))
    for (const type of ['ask', 'approve']) job.send({ type })
    expect((await job.result()).status).toBe('completed')
    await using watched = await openPage(used.browser, { reducedMotion: 'reduce' })
    const { page } = watched
    page.setDefaultTimeout(8_000)
    const report = await writeReport(used.folder, recordTrace(store.trace(), 'a store'))
    await page.goto(`${report}#/machines?actor=deploy`)
    await page.getByText('This recording does not hold the chart of its machine').waitFor()
    await page.getByText(/made from a store/).waitFor()
    await page.getByText('espalier run … --report').waitFor()
    await page.getByText('The recording holds no state of its machine').waitFor()
    expect(await violationsInBothThemes(page)).toEqual([])
    // Its job's own chart is there.
    await page.getByRole('button', { name: 'its job' }).click()
    await expect.poll(() => activeIn(page)).toBe('completed')
    // Before it had begun, there was nothing to show.
    await page.getByRole('slider', { name: 'Moment of the run' }).press('Home')
    await page.getByRole('button', { name: 'its job' }).waitFor({ state: 'detached' })
    expect(watched.errors).toEqual([])
  })

  test('of any run is found by its workflow, however many there are', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool, { title: 'many runs' })
    await using watched = await openPage(used.browser, { reducedMotion: 'reduce' })
    const { page } = watched
    page.setDefaultTimeout(8_000)
    const workflow = (number: number) =>
      defineWorkflow({
        name: `flow ${number}`,
        handlers: { load: async () => number },
        root: () => node({ handler: 'load' }),
        expand: () => undefined,
      })
    await Promise.all(Array.from({ length: 25 }, (_, number) => runWorkflow(workflow(number), { pool })))
    await page.goto(await inspector.listen())
    await page.evaluate(() => location.assign('#/machines'))
    const actors = page.getByRole('complementary', { name: 'Actors' })
    await actors.getByText('20 of 25 runs').waitFor()
    expect(await actors.getByText('flow 24').count()).toBe(0)
    await actors.getByRole('searchbox').fill('flow 24')
    await actors.getByRole('link', { name: 'flow 24' }).click()
    await page.getByRole('group', { name: 'Chart of flow 24' }).waitFor()
  })
})
