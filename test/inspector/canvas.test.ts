import { defineWorkflow, grow, JobPool, node, prune, runWorkflow } from 'espalier'
import { createInspector } from 'espalier/http'
import type { Locator, Page } from 'playwright-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { generateRecording } from '../../bench/recordings.ts'
import { nextSlice, slicesAround } from '../../inspector/model/slice-steps.ts'
import { loadRecording } from '../../inspector/source/recorded.ts'
import { VIEWS } from '../../inspector/state/route.ts'
import { describeInBrowser, openPage, useBrowser, type Watched, writeReport } from './browser.ts'
import { ToldRun } from './told-run.ts'

const recording = generateRecording({ jobs: 300, seed: 4, failures: 0.1, blockEvents: 400 })

/** What is drawn on canvases in each view, the time bar's strip with it: a view that gains one is to be counted here. */
const CANVASES: Readonly<Record<string, number>> = {
  overview: 5,
  tree: 1,
  'tree?as=map': 2,
  graph: 1,
  'graph?as=path': 1,
  'graph?node=run.n3': 1,
  timeline: 2,
  machines: 1,
  'machines?actor=jobs': 1,
  jobs: 1,
  events: 1,
  'events?as=sequence&job=run.n3': 1,
  metrics: 4,
  compare: 1,
}

describeInBrowser('every canvas', () => {
  const used = useBrowser()
  let watched: Watched
  let page: Page

  beforeAll(async () => {
    watched = await openPage(used.browser, { reducedMotion: 'reduce' })
    page = watched.page
    page.setDefaultTimeout(10_000)
  })

  const show = async (view: string) => {
    // Another part of the same address would not be read anew, and the moment would stay.
    await page.goto('about:blank')
    await page.goto(`${await writeReport(used.folder, recording)}#/${view}`)
    await page.locator('main .card, main .grid').first().waitFor()
  }
  /** The row of a picture's table that its cursor is on. */
  const rowOf = async (picture: Locator) => {
    const id = await picture.getAttribute('aria-details')
    return page.locator(`table[id="${id}"] tr[aria-current]`)
  }

  test('is counted, in every view', () => {
    expect(new Set(Object.keys(CANVASES).map((view) => view.split('?')[0]))).toEqual(new Set(VIEWS))
  })

  test.each(Object.keys(CANVASES))(
    'of %s has a name, a cursor for the keyboard, and a table that follows it',
    async (view) => {
      await show(view)
      expect(await page.locator('canvas').count()).toBe(CANVASES[view])
      const pictures = page.locator('[tabindex="0"]:has(canvas)')
      expect(await pictures.count()).toBe(CANVASES[view])
      for (const picture of await pictures.all()) {
        const name = (await picture.getAttribute('aria-label')) ?? ''
        expect(name).not.toBe('')
        await picture.focus()
        const row = await rowOf(picture)
        for (const key of ['ArrowRight', 'ArrowDown']) await page.keyboard.press(key)
        await row.waitFor({ state: 'attached' })
        const [told, read] = [await toldOf(picture), await row.textContent()]
        for (const key of ['ArrowDown', 'ArrowLeft', 'Home']) await page.keyboard.press(key)
        await expect.poll(() => toldOf(picture), { message: name }).not.toBe(told)
        // What is read out follows once the cursor rests.
        await expect.poll(() => row.textContent(), { message: name }).not.toBe(read)
      }
    },
  )

  /** What a picture tells of its cursor. */
  const toldOf = async (picture: Locator) => {
    const words = await picture.getAttribute('aria-describedby')
    return words === null ? picture.getAttribute('aria-valuetext') : page.locator(`#${words}`).textContent()
  }

  test.each([
    ['overview', /^\d+ slots/, '#lanes-cursor b'],
    ['timeline', /^Timeline/, '#timeline-cursor b'],
    ['tree?as=map', /^Map of the tree/, '#map-cursor b'],
  ])('of %s opens the job its cursor is on', async (view, label, told) => {
    await show(view)
    const picture = page.getByRole('application', { name: label })
    for (const key of ['ArrowRight', 'ArrowDown', 'End', 'ArrowLeft']) await picture.press(key)
    const name = (await page.locator(told).textContent()) ?? ''
    const row = (await (await rowOf(picture)).textContent()) ?? ''
    expect(row).toContain(name)
    await picture.press('Enter')
    const drawer = page.getByRole('complementary', { name: 'Selected job' })
    await drawer.getByRole('heading', { name }).first().waitFor()
  })

  test('of the map names a pruned node as the table of the tree does', async () => {
    await using pool = new JobPool({ maxParallelJobs: 1 })
    await using inspector = createInspector(pool)
    const workflow = defineWorkflow({
      name: 'pruning',
      handlers: { load: async (name: string) => name },
      root: () => node({ handler: 'load', input: 'root', label: 'root' }),
      expand({ result, tree }) {
        if (result.value === 'root')
          return grow(['first', 'other'].map((label) => node({ handler: 'load', input: label, label })))
        return prune(Object.values(tree.nodes).flatMap(({ id, label }) => (label === 'other' ? [id] : [])))
      },
    })
    await runWorkflow(workflow, { pool })
    const report = await writeReport(used.folder, await inspector.recording())
    await page.goto('about:blank')
    await page.goto(`${report}#/tree`)
    await page.getByRole('row').filter({ hasText: 'other' }).getByText('pruned').waitFor()
    await page.goto(`${report}#/tree?as=map`)
    const map = page.getByRole('application', { name: /^Map of the tree/ })
    await map.press('ArrowDown')
    await map.press('ArrowUp')
    const row = page.locator('table[id="map-table"] tr').filter({ hasText: 'other' })
    expect(await row.textContent()).toContain('pruned')
    await map.press('ArrowDown')
    await map.press('ArrowRight')
    expect(await page.locator('#map-cursor').textContent()).toMatch(/^pruned other/)
  })

  test('of the map goes along a row past nodes that have not grown yet, and to its ends', async () => {
    const told = new ToldRun()
    const grow = (label: string, at: number, parent = -1) => {
      const job = told.job(label)
      const row = told.node(label, { parent, job })
      told.attempt(job, 0, at, at + 5)
      return row
    }
    const [left, right] = [grow('left', 0), grow('right', 10)]
    grow('a', 20, left)
    grow('c', 30, right)
    grow('d', 40, right)
    grow('b', 100, left)
    await page.goto('about:blank')
    await page.goto(`${await writeReport(used.folder, told.recording())}#/tree?as=map&at=60`)
    const map = page.getByRole('application', { name: /^Map of the tree/ })
    const shown = page.locator('#map-cursor b')
    const after = async (key: string) => {
      await map.press(key)
      return shown.textContent()
    }
    expect(await after('ArrowDown')).toBe('a')
    expect(await after('ArrowRight')).toBe('c')
    expect(await after('End')).toBe('d')
    expect(await after('Home')).toBe('a')
    expect(await after('PageDown')).toBe('d')
  })

  test('tells states apart where the colours of the system are forced on the page', async () => {
    await page.emulateMedia({ forcedColors: 'active' })
    await show('timeline')
    const hues = () =>
      page
        .locator('main canvas')
        .first()
        .evaluate((canvas: HTMLCanvasElement) => {
          const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
          let [green, red] = [0, 0]
          for (let at = 0; at < data.length; at += 4) {
            if (data[at + 1]! > data[at]! + 60) green++
            if (data[at]! > data[at + 1]! + 60) red++
          }
          return green > 0 && red > 0
        })
    await expect.poll(hues).toBe(true)
    const swatches = await page
      .locator('.swatch')
      .evaluateAll((all) => all.map((each) => getComputedStyle(each).backgroundColor))
    expect(new Set(swatches).size).toBeGreaterThan(3)
    await page.emulateMedia({ forcedColors: 'none' })
  })

  test('and nothing has gone wrong on the page', () => {
    expect(watched.errors).toEqual([])
  })
})

describe('a cursor on lanes', async () => {
  const { run } = await loadRecording(recording)
  const { slices } = run
  const bounds = { until: run.end, pageMs: (run.end - run.epoch) / 10 }
  const go = (from: number, key: string, at = bounds) => nextSlice(run, from, key, at)!
  const first = go(-1, 'ArrowRight')

  test('goes along a lane attempt by attempt, and no further than its ends', () => {
    const lane = [...slices.lanes[0]!.data.subarray(0, slices.lanes[0]!.length)]
    const walked = [first]
    while (go(walked.at(-1)!, 'ArrowRight') !== walked.at(-1)) walked.push(go(walked.at(-1)!, 'ArrowRight'))
    expect(walked).toEqual(lane)
    expect(go(walked.at(-1)!, 'Home')).toBe(lane[0])
    expect(go(lane[0]!, 'End')).toBe(lane.at(-1))
    expect(go(lane[0]!, 'ArrowLeft')).toBe(lane[0])
  })

  test('reaches every lane, and stays on the last', () => {
    const lanes = [slices.slot.data[first]!]
    let at = first
    for (let step = 0; step < slices.lanes.length + 2; step++) {
      at = go(at, 'ArrowDown')
      lanes.push(slices.slot.data[at]!)
    }
    expect(new Set(lanes).size).toBe(slices.lanes.length)
    expect(lanes.at(-1)).toBe(slices.lanes.length - 1)
  })

  test('does not go to what starts after the moment shown', () => {
    const until = run.epoch + (run.end - run.epoch) / 3
    const last = go(first, 'End', { until, pageMs: bounds.pageMs })
    expect(slices.start.data[last]!).toBeLessThanOrEqual(until)
    expect(go(last, 'ArrowRight', { until, pageMs: bounds.pageMs })).toBe(last)
    expect(slices.start.data[go(last, 'ArrowRight')]!).toBeGreaterThan(until)
  })

  test('leaves other keys alone', () => {
    expect(nextSlice(run, first, 'x', bounds)).toBeUndefined()
  })

  test('is in the table of what is around it, newest first', () => {
    const middle = slices.length >> 1
    const { shown, total } = slicesAround(run, middle, { from: run.epoch, to: run.end }, 20)
    expect(shown).toContain(middle)
    expect(shown).toHaveLength(20)
    expect(shown).toEqual([...shown].sort((a, b) => b - a))
    expect(total).toBe(slices.length > 200 ? undefined : slices.length)
  })
})
