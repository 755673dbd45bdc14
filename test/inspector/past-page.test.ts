import { expect, test } from 'vitest'
import { describeInBrowser, openPage, useBrowser, writeReport } from './browser.ts'
import { ToldRun } from './told-run.ts'

const SLOTS = 8

describeInBrowser('a report', () => {
  const used = useBrowser()

  test('names each slot beside its lane, also in a small window', async () => {
    const told = new ToldRun()
    for (let slot = 0; slot < SLOTS; slot++) told.attempt(told.job(`job-${slot}`), slot, 0, 1_000)
    const report = await writeReport(used.folder, told.recording())
    await using watched = await openPage(used.browser)
    const { page, errors } = watched
    await page.goto(`${report}#/timeline`)
    const names = page.locator('.lane-names li')
    await expect.poll(() => names.count()).toBe(SLOTS)
    await page.setViewportSize({ width: 800, height: 600 })
    await expect.poll(async () => (await names.first().boundingBox())?.height).toBeLessThan(40)
    const picture = (await page.locator('.picture').boundingBox())!
    // All before the pointer is there: with it, they would be drawn anew.
    const boxes = await Promise.all((await names.all()).map((name) => name.boundingBox()))
    for (const [slot, name] of boxes.entries()) {
      await page.mouse.move(picture.x + picture.width / 2, name!.y + name!.height / 2)
      await expect.poll(() => page.locator('.picture-told').textContent()).toContain(`job-${slot}`)
    }
    expect(errors).toEqual([])
  })

  test('says that a job waited because the pool was paused, when it was', async () => {
    const told = new ToldRun().sample(0, SLOTS)
    const job = told.job('held')
    told.pool(0, 'pool.paused', ['accepting', 'paused'])
    told.step(100, 'job.submitted', job, 'queued.ready').pool(900, 'pool.resumed', ['accepting', 'open'])
    told.step(1_000, 'attempt.started', job, 'running.executing', 0)
    told.pool(1_100, 'pool.throttled', ['accepting', 'throttled'])
    told.step(1_200, 'job.submitted', told.job('slow'), 'queued.ready')
    const report = await writeReport(used.folder, told.recording())
    await using watched = await openPage(used.browser)
    const { page, errors } = watched
    await page.goto(`${report}#/overview?job=held&at=500`)
    const drawer = page.getByRole('complementary', { name: 'Selected job' })
    await drawer.getByText('The pool is paused: nothing starts.').waitFor()
    await page.getByText('8 slots free while 1 job waits: the pool is paused').waitFor()
    await page.getByText('/ 8 slots').waitFor()
    await page.evaluate(() => location.assign('#/overview?job=slow&at=1200'))
    await drawer.getByText('The pool is throttled: a job starts only when no other runs.').waitFor()
    expect(errors).toEqual([])
  })

  test('tells of a node what was decided until the moment, and what had grown', async () => {
    const told = new ToldRun()
    const [first, second] = [told.job('first'), told.job('second')]
    const root = told.node('root', { job: first, score: 2 })
    told.node('child', { parent: root, job: second, score: 1 })
    told.attempt(first, 0, 0, 100).decided(110, root, 'grow', 7)
    told.attempt(second, 0, 110, 200)
    await using watched = await openPage(used.browser)
    const { page, errors } = watched
    await page.goto(`${await writeReport(used.folder, told.recording())}#/tree?job=first&at=50`)
    const drawer = page.getByRole('complementary', { name: 'Selected job' })
    await drawer.getByText('score 2.000').waitFor()
    expect(await drawer.getByText('why it grows').or(drawer.getByText('Children')).count()).toBe(0)
    await page.evaluate(() => location.assign('#/tree?job=first'))
    await drawer.getByText('score 7.000').waitFor()
    await drawer.getByText('grew 1: why it grows').waitFor()
    await drawer.getByText('Children').waitFor()
    expect(errors).toEqual([])
  })

  test('shows the whole of an id and of a note, however long they are', async () => {
    const id = 'w'.repeat(200)
    const told = new ToldRun().sample(0, 1)
    told.step(0, 'job.submitted', told.job(id), 'queued.ready').sample(900_000, 1)
    await using watched = await openPage(used.browser)
    const { page } = watched
    await page.goto(`${await writeReport(used.folder, told.recording())}#/overview?job=${id}`)
    await page.setViewportSize({ width: 800, height: 600 })
    for (const text of [
      page.locator('.drawer-head code'),
      page.locator('.tile-note', { hasText: 'oldest' }),
    ]) {
      await text.waitFor()
      const cut = await text.evaluate((element) => {
        const room = element.closest('.drawer-head, .tile')!
        return [room.scrollWidth - room.clientWidth, element.scrollWidth - element.clientWidth]
      })
      expect(Math.max(...cut)).toBeLessThanOrEqual(0)
    }
  })

  test('says once by what a job was cancelled', async () => {
    const told = new ToldRun()
    const first = told.job('first')
    const second = told.job('second', { on: [first] })
    told.step(0, 'job.submitted', second, 'queued.blocked').attempt(first, 0, 0, 10, 'failed')
    const report = await writeReport(used.folder, told.cancelledBy(20, first, second).recording())
    await using watched = await openPage(used.browser)
    await watched.page.goto(`${report}#/overview?job=second`)
    await watched.page.getByText('by dependency', { exact: true }).waitFor()
    expect(watched.errors).toEqual([])
  })

  test('compares itself with no other one once a file is none', async () => {
    const told = new ToldRun()
    told.attempt(told.job('only'), 0, 0, 10)
    const recording = told.recording()
    await using watched = await openPage(used.browser)
    const { page, errors } = watched
    await page.goto(`${await writeReport(used.folder, recording)}#/compare`)
    const choose = (buffer: Uint8Array) =>
      page
        .locator('input[type=file]')
        .setInputFiles({ name: 'other.espalier', mimeType: '', buffer: Buffer.from(buffer) })
    await choose(recording)
    await page.getByRole('heading', { name: 'As a whole' }).waitFor()
    await choose(new Uint8Array(64))
    await page.getByRole('alert').waitFor()
    expect(await page.getByRole('heading', { name: 'As a whole' }).count()).toBe(0)
    expect(errors).toEqual([])
  })
})
