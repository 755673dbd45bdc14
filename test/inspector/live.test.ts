import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { grow, JobPool, node, runWorkflow, type Workflow } from 'espalier'
import { createInspector, type Inspector } from 'espalier/http'
import { expect, onTestFinished, test } from 'vitest'
import { formatCount } from '../../inspector/model/format.ts'
import { describeInBrowser, openPage, useBrowser, violationsInBothThemes } from './browser.ts'

/** A tree like that of the clustering example, whose last leaves wait until somebody lets them go. */
function growingTree(): { workflow: Workflow; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const release = () => resolve()
  const workflow: Workflow = {
    name: 'clustering',
    handlers: {
      load: async () => 'penguins',
      scale: async (name: string) => name,
      cluster: async (name: string, { signal }: { signal: AbortSignal }) => {
        await Promise.race([promise, new Promise((done) => signal.addEventListener('abort', done))])
        signal.throwIfAborted()
        return name
      },
    },
    root: () => [node({ handler: 'load', label: HOSTILE })],
    expand({ node: { handler } }) {
      if (handler === 'load')
        return grow(
          ['standard', 'unit'].map((label) => node({ handler: 'scale', input: label, label })),
          'try every scaling',
        )
      if (handler === 'scale')
        return grow(
          [2, 3].map((groups) =>
            node({ handler: 'cluster', input: groups, label: `k-means, ${groups} groups` }),
          ),
        )
      return undefined
    },
  }
  return { workflow, release }
}

/** Would run a script, if it were ever read as markup. */
const HOSTILE = '</script><img src=x onerror="document.title=\'taken\'">'

describeInBrowser('the page of a running pool', () => {
  const used = useBrowser()

  test('shows the tree growing, cancels a job in the runtime, goes back in time, and exports a report', async () => {
    await using pool = new JobPool({ maxParallelJobs: 2 })
    await using inspector = createInspector(pool, { title: 'clustering' })
    const address = await inspector.listen()
    await using watched = await openPage(used.browser)
    const { page, errors } = watched
    await page.goto(address)
    await page.getByText('No jobs yet').waitFor()

    const { workflow, release } = growingTree()
    const run = runWorkflow(workflow, { pool })
    onTestFinished(release)
    await page.getByRole('link', { name: 'Tree' }).click()
    await page.getByRole('row').filter({ hasText: 'k-means, 3 groups' }).nth(1).waitFor()
    expect(await page.getByRole('row').filter({ hasText: HOSTILE }).count()).toBe(1)
    expect(await page.title()).not.toBe('taken')

    // A waiting job is cancelled from the page, and is cancelled in the runtime.
    const waiting = page.getByRole('row').filter({ hasText: 'ready' }).first()
    await waiting.click()
    const drawer = page.getByRole('complementary', { name: 'Selected job' })
    await drawer.getByText(/It is number/).waitFor()
    const jobId = (await drawer.locator('header code').textContent()) ?? ''
    await drawer.getByRole('button', { name: /^Cancel/ }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Cancel this job?').waitFor()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    const result = await pool.waitForJob(jobId)
    expect(result).toMatchObject({ status: 'cancelled', cancelledBy: 'user' })
    await drawer.getByRole('heading', { name: 'Cancelled' }).waitFor()

    // Back to where it was not there yet, and to the newest moment again.
    await page.getByRole('slider', { name: 'Moment of the run' }).press('Home')
    await page.getByText('in the past').waitFor()
    await page.getByText('No node is like this at this moment').waitFor()
    await page.getByRole('button', { name: 'Live' }).click()
    await page.getByRole('row').filter({ hasText: 'k-means, 3 groups' }).first().waitFor()

    release()
    await run
    await page.getByText(/100 %/).waitFor()

    await page.getByRole('button', { name: 'Export' }).click()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: /^Report/ }).click(),
    ])
    const report = join(used.folder, 'report.html')
    await download.saveAs(report)
    expect(errors).toEqual([])

    await using offline = await openPage(used.browser, { offline: true })
    const file = pathToFileURL(report).href
    await offline.page.goto(`${file}#/jobs`)
    await offline.page.getByText('7 of 7 jobs').waitFor()
    expect(
      await offline.page.getByRole('grid').getByRole('row').filter({ hasText: 'cancelled' }).count(),
    ).toBe(1)
    expect(offline.requests.filter((url) => !url.startsWith(file))).toEqual([])
    expect(offline.errors).toEqual([])
    expect(await offline.page.title()).not.toBe('taken')
  })

  test('tells that the connection is lost, counts down, and goes on where it was', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool, { title: 'far away' })
    await using server = await serveInspector(inspector)
    await using watched = await openPage(used.browser)
    const { page } = watched
    pool.submitJob({ id: 'first', execute: () => 1 })
    await page.goto(inspector.link(server.origin))
    await page.getByText('of 1', { exact: true }).waitFor()

    await server.cut()
    await page.getByText(/The connection is lost/).waitFor()
    pool.submitJob({ id: 'second', execute: () => 2 })
    await page.getByText(/Trying again/).waitFor()

    await server.listen()
    await page.getByRole('button', { name: 'Try now' }).click()
    await page.getByText('of 2', { exact: true }).waitFor()
  })

  test('goes to the newest moment of another recording, and says so, when its own moment is before that', async () => {
    const token = 'of-both-processes'.repeat(2)
    await using before = new JobPool()
    await using first = createInspector(before, { title: 'first', token })
    await before.submitJob({ execute: () => 1 }).result()
    await using watched = await openPage(used.browser)
    const { page } = watched
    page.setDefaultTimeout(10_000)
    const address = new URL(await first.listen())
    await page.goto(address.href)
    await page.getByText('of 1', { exact: true }).waitFor()
    await page.getByRole('slider', { name: 'Moment of the run' }).press('Home')
    await page.getByText('in the past').waitFor()
    await expect.poll(() => page.url()).toContain('at=0')

    await first.close()
    await using after = new JobPool()
    await using second = createInspector(after, { title: 'second', token })
    for (const job of after.submitJobs([{ execute: () => 1 }, { execute: () => 2 }])) await job.result()
    await second.listen({ port: Number(address.port) })
    await page.getByText('of 2', { exact: true }).waitFor()
    expect(await page.getByText('in the past').count()).toBe(0)
    expect(page.url()).not.toContain('at=')
    await page.getByText('The server has begun another recording').waitFor()
  })

  test('opens any view while the connection is lost', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool, { title: 'well read' })
    await using server = await serveInspector(inspector)
    await using watched = await openPage(used.browser)
    const { page, requests } = watched
    page.setDefaultTimeout(10_000)
    const finished: string[] = []
    page.on('requestfinished', (request) => finished.push(request.url()))
    pool.submitJob({ id: 'only', execute: () => 1 })
    await page.goto(inspector.link(server.origin))
    await page.getByText('of 1', { exact: true }).waitFor()
    const hasAll = () =>
      requests.length === finished.length && requests.some((url) => url.includes('compare-view'))
    await expect.poll(hasAll, { timeout: 10_000 }).toBe(true)
    await server.cut()
    await page.getByText(/The connection is lost/).waitFor()
    await page.getByRole('link', { name: 'jobs', exact: true }).click()
    await page.getByRole('grid').getByRole('row').filter({ hasText: 'completed' }).waitFor()
  })

  test('loads a view that could not be loaded as soon as the server is back', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool, { title: 'unread' })
    await using server = await serveInspector(inspector)
    await using watched = await openPage(used.browser)
    const { page } = watched
    page.setDefaultTimeout(10_000)
    pool.submitJob({ id: 'only', execute: () => 1 })
    await page.route(/(jobs-view|job-drawer).*js$/, (route) => route.abort())
    await page.goto(inspector.link(server.origin))
    await page.getByText('of 1', { exact: true }).waitFor()
    await server.cut()
    await page.getByText(/The connection is lost/).waitFor()
    await page.evaluate(() => location.assign('#/jobs?job=only'))
    await page.locator('main').getByText('This view could not be loaded').waitFor()
    const drawer = page.getByRole('complementary', { name: 'Selected job' })
    await drawer.getByText('This view could not be loaded').waitFor()

    await page.unroute(/(jobs-view|job-drawer).*js$/)
    await server.listen()
    await page.getByRole('grid').getByRole('row').filter({ hasText: 'completed' }).waitFor()
    await drawer.getByText('completed').first().waitFor()

    await page.getByRole('button', { name: 'Close the job' }).click()
    await drawer.waitFor({ state: 'detached' })
  })

  test('asks nothing of a pool that cannot be reached, or has ended', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool, { title: 'out of reach' })
    await using server = await serveInspector(inspector)
    await using watched = await openPage(used.browser)
    const { page } = watched
    page.setDefaultTimeout(10_000)
    await page.goto(inspector.link(server.origin))
    await page.getByText('No jobs yet').waitFor()
    /** Of two keys the second is answered last. */
    const pressPause = async () => {
      await page.keyboard.press('p')
      await page.keyboard.press('?')
      await page.getByRole('heading', { name: 'Keys' }).waitFor()
      expect(await page.getByText('Pause the pool?').count()).toBe(0)
      await page.keyboard.press('Escape')
    }
    await server.cut()
    await page.getByText(/The connection is lost/).waitFor()
    await pressPause()

    await server.listen()
    await page.locator('.pill', { hasText: 'live' }).waitFor()
    await pool.shutdown()
    await page.locator('.pill', { hasText: 'ended' }).waitFor()
    await pressPause()
  })

  test('tells that the server does not answer, stops the clock, and goes on with its next word', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool, { title: 'frozen' })
    await using server = await serveInspector(inspector)
    await using watched = await openPage(used.browser)
    const { page, errors } = watched
    // What the page sees of a server that is stopped: its socket stays open, and nothing comes.
    let isFrozen = false
    const kept: (() => void)[] = []
    await page.routeWebSocket(/api\/feed/, (socket) => {
      const upstream = socket.connectToServer()
      upstream.onMessage((message) => {
        if (isFrozen) kept.push(() => socket.send(message))
        else socket.send(message)
      })
    })
    pool.submitJob({ execute: () => 1 })
    await page.goto(inspector.link(server.origin))
    await page.getByText('of 1', { exact: true }).waitFor()
    await page.locator('.pill', { hasText: 'live' }).waitFor()

    isFrozen = true
    await page.getByText(/The server does not answer/).waitFor()
    await page.locator('.pill', { hasText: 'no answer' }).waitFor()
    await page.locator('main.stale').waitFor()
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0)
    expect(await violationsInBothThemes(page)).toEqual([])
    const clock = page.locator('.time-text b')
    const stoppedAt = await clock.textContent()
    await expect.poll(() => kept.length, { timeout: 10_000 }).toBeGreaterThan(10)
    expect(await clock.textContent()).toBe(stoppedAt)

    isFrozen = false
    for (const send of kept.splice(0)) send()
    await page.getByText(/The server does not answer/).waitFor({ state: 'detached' })
    await page.locator('.pill', { hasText: 'live' }).waitFor()
    await expect.poll(() => clock.textContent()).not.toBe(stoppedAt)
    expect(errors).toEqual([])
  })

  test('says nothing of a silence while nobody sees it, nor when it is shown again', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool, { title: 'hidden' })
    await using watched = await openPage(used.browser)
    const { page } = watched
    await page.clock.install()
    await page.goto(await inspector.listen())
    await page.getByText('No jobs yet').waitFor()
    await page.evaluate(() => {
      Object.assign(window, { states: [] })
      const pill = document.querySelector('.pill')!
      new MutationObserver(() =>
        (window as unknown as { states: unknown[] }).states.push(pill.textContent),
      ).observe(pill, { characterData: true, childList: true, subtree: true })
    })
    const setHidden = (isHidden: boolean) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, 'hidden', { value: hidden, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
      }, isHidden)
    await setHidden(true)
    await page.clock.runFor(60_000)
    await setHidden(false)
    await page.clock.runFor(2_000)
    expect(await page.evaluate('states')).toEqual([])

    // Asleep: no timer has run, and then the clock is an hour further.
    await page.clock.fastForward(3_600_000)
    expect(await page.evaluate('states')).toEqual([])
    expect(await page.locator('.pill').first().textContent()).toBe('live')
  })

  test('shows the job that a link names as soon as it is there', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool, { title: 'early' })
    await using watched = await openPage(used.browser)
    const { page, errors } = watched
    await page.goto(await inspector.listen())
    await page.getByText('No jobs yet').waitFor()
    await page.evaluate(() => location.assign('#/overview?job=late'))
    const drawer = page.getByRole('complementary', { name: 'Selected job' })
    await drawer.getByText('No job of this recording has the id').waitFor()
    pool.submitJob({ id: 'late', execute: () => 1 })
    await drawer.getByText('completed').first().waitFor()
    expect(errors).toEqual([])
  })

  test('says that it is slower than the run while its answers are late, and then catches up', async () => {
    await using pool = new JobPool()
    await using inspector = createInspector(pool, { title: 'slow' })
    await using server = await serveInspector(inspector)
    await using watched = await openPage(used.browser, { reducedMotion: 'reduce' })
    const { page, errors } = watched
    await page.goto(inspector.link(server.origin))
    await page.getByText('No jobs yet').waitFor()
    const banner = page.getByText(/slower than the run/)

    // The server sends so much that was not answered, and keeps the rest.
    server.deafen()
    const isWorking = new AbortController()
    const working = work(pool, isWorking.signal)
    await banner.waitFor()
    isWorking.abort()
    await working
    const all = page.getByText(`of ${formatCount(pool.getStatus().total)}`, { exact: true })
    expect(await all.count()).toBe(0)
    expect(await banner.count()).toBe(1)
    expect(await violationsInBothThemes(page)).toEqual([])

    server.hear()
    await all.waitFor()
    await banner.waitFor({ state: 'detached' })
    expect(errors).toEqual([])
  })
})

/** Has a job done in each turn of the clock, so that there is always something to tell. */
async function work(pool: JobPool, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pool.submitJob({ execute: () => 1 }).result()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** A server of somebody's own, which can be cut off and come back at the same address. */
async function serveInspector(inspector: Inspector) {
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => void inspector.handle(request, response))
  server.on('upgrade', (request, socket, head) => void inspector.handleUpgrade(request, socket, head))
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const listen = async (port = 0) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  /** Leaves what pages send where it is, and goes on sending. */
  const deafen = () => {
    for (const socket of sockets) socket.pause()
  }
  const hear = () => {
    for (const socket of sockets) socket.resume()
  }
  const cut = async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
    await once(server, 'close')
  }
  await listen()
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    cut,
    deafen,
    hear,
    listen: () => listen(port),
    [Symbol.asyncDispose]: cut,
  }
}
