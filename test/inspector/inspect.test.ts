import { expect, onTestFinished, test } from 'vitest'
import { Command, fixture } from '../cli/command.ts'
import { describeInBrowser, openPage, useBrowser } from './browser.ts'

describeInBrowser('the page of espalier inspect', () => {
  const used = useBrowser()
  const stored = ['--store', 'runs.db'] as const

  /** The page that `espalier inspect` serves. */
  async function inspect(...shown: readonly string[]) {
    process.env.XDG_STATE_HOME = used.folder
    const command = Command.start(used.folder, 'inspect', ...shown)
    onTestFinished(() => {
      delete process.env.XDG_STATE_HOME
      command.kill('SIGKILL')
    })
    await command.prints('#code=')
    const watched = await openPage(used.browser)
    watched.page.setDefaultTimeout(10_000)
    await watched.page.goto(/inspector: (\S+)/.exec(command.stdout)?.[1] ?? '')
    return watched
  }

  test.each([
    { of: 'a recorded file', run: ['--report', 'rec.espalier'], shown: ['rec.espalier'] },
    { of: 'a run of a store', run: ['--run-id', 'r1', ...stored], shown: ['r1', ...stored] },
  ])('shows the jobs of $of', async ({ run, shown }) => {
    const ran = await Command.start(used.folder, 'run', fixture('counting'), '--quiet', ...run).ended
    expect(ran.code).toBe(0)
    await using watched = await inspect(...shown)
    const { page, errors } = watched
    // How many slots there were, no recording of a store tells.
    expect(await page.locator('.tiles').textContent()).not.toContain('0 slots')
    await page.getByRole('link', { name: 'jobs', exact: true }).click()
    const jobs = page.getByRole('grid').getByRole('row')
    await jobs.filter({ hasText: 'step 3' }).filter({ hasText: 'completed' }).waitFor()
    await jobs.filter({ hasText: 'a wrong turn' }).filter({ hasText: 'failed' }).first().waitFor()
    expect(errors).toEqual([])
  })

  test('promises no end of a run whose process was killed', async () => {
    const run = Command.start(used.folder, 'run', fixture('slow'), '--run-id', 'cut', ...stored)
    await run.prints('step 3  running')
    run.kill('SIGKILL')
    await run.ended
    await using watched = await inspect('cut', ...stored)
    const { page, errors } = watched
    await page.locator('.pill', { hasText: 'recorded' }).waitFor()
    await page.locator('.tiles', { hasText: 'Running' }).waitFor()
    expect(await page.locator('header.top').textContent()).not.toContain('empty in')
    expect(errors).toEqual([])
  })
})
