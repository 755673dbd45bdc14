import { JobPool } from 'espalier'
import { createInspector, type Inspector, recordTrace, serveRecording } from 'espalier/http'
import { createMemoryStore } from 'espalier/stores/memory'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { usedUntil } from '../../inspector/model/used.ts'
import { loadRecording } from '../../inspector/source/recorded.ts'
import { describeInBrowser, openPage, useBrowser, type Watched, writeReport } from './browser.ts'

const faults = new URL('../executors/fixtures/faults.ts', import.meta.url).href

/** Fails once for a reason of its own and once for none, and then is done. */
function flaky(_: unknown, { attempt, log }: { attempt: number; log: (line: string) => void }) {
  log(`try ${attempt}`)
  if (attempt === 1) {
    const root = Object.assign(new TypeError('the socket was closed'), { cause: 'a cut cable' })
    throw Object.assign(new Error('could not load', { cause: root }), { code: 'E_LOAD' })
  }
  if (attempt === 2) throw new RangeError('out of range')
  return 'done'
}

/** Jobs of every sort, run for real; each row of the drawer has one that shows it. */
async function runJobs(pool: JobPool): Promise<void> {
  const shell = (script: string) => ({ command: 'sh', args: ['-c', script] })
  const retry = { backoff: { type: 'fixed', delayMs: 1 } } as const
  pool.submitJob({ id: 'flaky', execute: flaky, args: [0], maxRetries: 2, ...retry })
  pool.submitJob({
    id: 'writer',
    executor: 'command',
    execute: shell('echo one line; echo "a \\033[31mred\\033[0m word" >&2; exit 0'),
  })
  pool.submitJob({
    id: 'talker',
    executor: 'command',
    execute: shell(
      'i=0; while [ $i -lt 40000 ]; do echo "line $i of many that say nothing at all"; i=$((i+1)); done',
    ),
  })
  pool.submitJob({
    id: 'crashes',
    executor: 'process',
    execute: { module: faults, export: 'exitWith' },
    args: [3],
    ...retry,
  })
  pool.submitJob({ id: 'measured', executor: 'process', execute: { module: faults, export: 'noop' } })
  pool.submitJob({ id: 'first', execute: () => 1 })
  pool.submitJob({ id: 'second', execute: () => 2, dependencies: ['first'] })
  pool.submitJob({ id: 'third', execute: () => 3, dependencies: ['second', 'flaky'] })
  await pool.waitForAll()
}

describeInBrowser('the drawer of a job', () => {
  const used = useBrowser()
  let pool: JobPool
  let inspector: Inspector
  let watched: Watched
  let page: Page

  beforeAll(async () => {
    pool = new JobPool({ maxParallelJobs: 2, maxLost: 1 })
    inspector = createInspector(pool, { title: 'drawers' })
    await runJobs(pool)
    watched = await openPage(used.browser, { reducedMotion: 'reduce' })
    page = watched.page
    page.setDefaultTimeout(8_000)
    await page.goto(await inspector.listen())
    await page.getByText('of 8', { exact: true }).waitFor()
  })

  afterAll(async () => {
    await inspector?.close()
    await pool?.shutdown({ wait: false })
  })

  const open = async (id: string): Promise<Locator> => {
    await page.evaluate((to) => location.assign(to), `#/jobs?job=${id}`)
    const drawer = page.getByRole('complementary', { name: 'Selected job' })
    await drawer.locator('header code').getByText(id, { exact: true }).waitFor()
    return drawer
  }

  test('shows each attempt with what it threw, the code of that, and its causes', async () => {
    const drawer = await open('flaky')
    await drawer.getByRole('heading', { name: '3 attempts' }).waitFor()
    const attempts = drawer.locator('.attempts > li')
    expect(await attempts.count()).toBe(3)
    const [first, second, third] = await attempts.allInnerTexts()
    expect(first).toMatch(/^1\s.*failed, tried again/)
    expect(first).toMatch(/Error: could not load\s+E_LOAD/)
    expect(first).toMatch(/because of TypeError: the socket was closed\s+because of a cut cable/)
    expect(second).toMatch(/RangeError: out of range/)
    expect(second).not.toMatch(/because of/)
    expect(third).toMatch(/^3\s.*completed/)
    await attempts.first().getByText('Stack').click()
    await attempts
      .first()
      .getByText(/at .*drawer\.test\.ts/)
      .waitFor()
  })

  test('goes to the moment an attempt began, and then tells of the attempts until then only', async () => {
    const drawer = await open('flaky')
    await drawer.locator('.attempts > li').nth(1).getByRole('button').click()
    await page.getByText('in the past').waitFor()
    await drawer.getByRole('heading', { name: '2 attempts' }).waitFor()
    expect(await drawer.getByText('out of range').count()).toBe(0)
    await page.getByRole('button', { name: 'Live' }).click()
    await drawer.getByRole('heading', { name: '3 attempts' }).waitFor()
  })

  test('shows what was logged, and what was written, by its stream and without its escapes', async () => {
    const logged = await open('flaky')
    expect(await logged.getByRole('log').textContent()).toMatch(/try 1[\s\S]*try 2[\s\S]*try 3/)
    const drawer = await open('writer')
    const text = await drawer.getByRole('log').textContent()
    expect(text).toMatch(/out {2}one line/)
    expect(text).toMatch(/err {2}a red word/)
  })

  test('says that there were more lines than are recorded, and of how many it shows the last', async () => {
    const drawer = await open('talker')
    await drawer.getByRole('heading', { name: 'Log: the last 200 of 1,001 lines' }).waitFor()
    await drawer.getByText('… its further lines are not recorded').waitFor()
  })

  test('shows what an attempt used, and the list can be sorted by it', async () => {
    const usage = (await pool.waitForJob('measured')).usage!
    const drawer = await open('measured')
    const memory = `memory ${Math.ceil(usage.peakMemoryBytes! / 1024 ** 2)} MiB`
    await drawer.getByText(new RegExp(`processor .*, ${memory}`)).waitFor()
    await drawer.getByRole('button', { name: 'Close the job' }).click()
    await page.getByRole('button', { name: 'Processor' }).click()
    await page.getByRole('button', { name: /^Processor/ }).click()
    const rows = page.getByRole('grid', { name: 'Jobs' }).getByRole('row')
    await page
      .getByRole('columnheader', { name: /Processor/ })
      .and(page.locator('[aria-sort=descending]'))
      .waitFor()
    const cells = await rows.locator('[role=gridcell]:nth-child(10)').allInnerTexts()
    expect(cells.filter((cell) => cell !== '–').length).toBeGreaterThan(1)
    // What nobody told stands last.
    expect(cells.slice(cells.indexOf('–')).every((cell) => cell === '–')).toBe(true)
    await page.evaluate(() => location.assign('#/jobs'))
  })

  test('shows an attempt whose process went away, and how', async () => {
    const drawer = await open('crashes')
    await drawer.getByText('ESP_ATTEMPT_LOST').first().waitFor()
    expect(await drawer.locator('.thrown').last().textContent()).toMatch(/exit code 3|code 3/)
  })

  test('leads to what a job depends on, and on to what depends on it', async () => {
    const drawer = await open('third')
    await drawer.getByRole('heading', { name: 'Depends on', exact: true }).waitFor()
    await drawer
      .getByRole('button', { name: /second/ })
      .or(drawer.getByRole('link', { name: /second/ }))
      .first()
      .click()
    await drawer.locator('header code').getByText('second', { exact: true }).waitFor()
    await drawer.getByRole('heading', { name: 'Others that depend on it' }).waitFor()
    for (const [name, view] of [
      ['In the timeline', 'timeline'],
      ['What it depends on', 'graph'],
      ['Its events', 'events'],
      ['Its chart', 'machines'],
    ] as const) {
      await drawer.getByRole('link', { name }).click()
      await page.waitForURL(new RegExp(`#/${view}\\b.*job=second`))
    }
  })

  test.each(['in a file', 'at a server'])(
    'shows the same of a recording %s, and says what it has not',
    async (at) => {
      const recording = await inspector.recording()
      await using server = serveRecording(recording)
      await page.goto(
        at === 'at a server' ? await server.listen() : await writeReport(used.folder, recording),
      )
      const drawer = await open('flaky')
      await drawer.getByText('because of a cut cable').waitFor()
      await drawer
        .getByText('A recording holds no results, arguments, metadata or contexts of jobs.')
        .waitFor()
      expect(await drawer.getByText('The server tells no more').count()).toBe(0)
      expect(watched.errors).toEqual([])
    },
  )
})

describe('what attempts used, as a store keeps it', () => {
  test('is in the recording of its trace, attempt by attempt', async () => {
    const store = createMemoryStore()
    await using pool = new JobPool({ store })
    const { usage } = await pool
      .submitJob({ id: 'measured', executor: 'process', execute: { module: faults, export: 'noop' } })
      .result()
    const { run } = await loadRecording(recordTrace(store.trace(), 'a store'))
    const of = (id: string, at = run.end) => usedUntil(run, run.find(id), at)
    expect(of('measured').cpuMs).toBeCloseTo(usage!.cpuMs!, 2)
    expect(of('measured').memoryMiB).toBeCloseTo(usage!.peakMemoryBytes! / 1024 ** 2, 2)
    expect(of('measured', run.epoch)).toEqual({ cpuMs: Number.NaN, memoryMiB: Number.NaN })
  })
})
