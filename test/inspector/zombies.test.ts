import { JobPool } from 'espalier'
import { createInspector } from 'espalier/http'
import { beforeAll, describe, expect, test } from 'vitest'
import { LanePicture, type LaneView, sliceAt } from '../../inspector/draw/lanes.ts'
import { Moment } from '../../inspector/model/moment.ts'
import type { RunStore } from '../../inspector/model/run-store.ts'
import { slicesAround } from '../../inspector/model/slice-steps.ts'
import { findTroubles } from '../../inspector/model/troubles.ts'
import { slotUsage } from '../../inspector/model/usage.ts'
import { loadRecording } from '../../inspector/source/recorded.ts'
import type { Palette } from '../../inspector/ui/palette.ts'
import { describeInBrowser, openPage, useBrowser, type Watched, writeReport } from './browser.ts'
import { ToldRun } from './told-run.ts'

/** The slots at an instant: the job in each, -1 for none. */
function slotsAt(run: RunStore, at: number): number[] {
  const moment = new Moment(run)
  moment.seek(at)
  return [...moment.slots()]
}

/** Two attempts that ignore their signals: that of slot 0 ends at 600 ms, that of slot 1 goes on. */
function tellZombies(): ToldRun {
  const told = new ToldRun()
  const [late, deaf] = [told.job('late'), told.job('deaf')]
  for (const [slot, job] of [late, deaf].entries()) {
    told.step(0, 'job.submitted', job, 'queued.ready')
    told.step(0, 'attempt.started', job, 'running.executing', slot)
  }
  for (const job of [late, deaf]) told.step(100, 'deadline.reached', job, 'running.stopping')
  for (const job of [late, deaf])
    told.step(200, 'attempt.abandoned', job, 'running.stopping').step(200, 'deadline.reached', job, 'failed')
  told.step(600, 'attempt.ended', late, 'failed')
  return told.attempt(told.job('next'), 0, 700, 900).sample(950, 2)
}

describe('a zombie', () => {
  const run = tellZombies().run()
  const [late, deaf, next] = [0, 1, 2]
  run.advance(1_000)

  test('is in its slot until it has really ended', () => {
    expect([150, 400, 650, 800].map((at) => slotsAt(run, at))).toEqual([
      [late, deaf],
      [late, deaf],
      [-1, deaf],
      [next, deaf],
    ])
    expect(slotsAt(run, run.end)).toEqual([-1, deaf])
  })

  test('is counted beside what runs', () => {
    const zombiesAt = (at: number) => {
      const moment = new Moment(run)
      moment.seek(at)
      return moment.zombies
    }
    expect([150, 400, 650, 1_000].map(zombiesAt)).toEqual([0, 2, 1, 1])
    const inUse = run.series.average('zombies').map((count) => Math.round(count * 100) / 100)
    expect([...inUse]).toEqual([0, 0, 2, 2, 2, 2, 1, 1, 1, 1, 1])
    expect([...slotUsage(run, 0, 1_000, 2)].map((share) => Math.round(share * 100))).toEqual([
      ...[100, 60],
      ...[100, 100],
    ])
  })

  test('leaves no slot idle for one that waits', () => {
    const told = tellZombies().pool(910, 'pool.paused', ['accepting', 'paused'])
    told.step(920, 'job.submitted', told.job('waits'), 'queued.ready')
    const paused = told.run()
    const moment = new Moment(paused)
    moment.seek(paused.end)
    expect(findTroubles(paused, moment).find(({ kind }) => kind === 'idle')).toMatchObject({ free: 1 })
  })

  test('is found in its lane, and listed with the attempts of a span that began after it was abandoned', () => {
    const view: LaneView = { from: 300, to: 1_000, laneHeight: 20, scroll: 0, until: run.end }
    expect([0, 1].map((lane) => sliceAt(run, view, 700, 100, lane * 20 + 10))).toEqual([late, deaf])
    expect(sliceAt(run, view, 700, 350, 10)).toBe(-1)
    expect(slicesAround(run, -1, { from: 300, to: 500 }, 10).shown).toEqual([deaf, late])
  })

  const view: LaneView = { from: 0, to: 1_000, laneHeight: 20, scroll: 0, until: run.end }

  test('is a hatched bar from where it was abandoned to where it ended, or to now', () => {
    const [first = '', second = ''] = drawn(run, view)
    // Of every six pixels, two are lines.
    for (const ends of [first.slice(20, 26), first.slice(54, 60), second.slice(20, 26), second.slice(94)])
      expect([...ends].sort().join('')).toBe('....zz')
    expect([first.slice(0, 20), first.slice(60)].join('')).not.toContain('z')
  })

  test('is there also where its attempt is not in view, and dim where that is not lit', () => {
    const lit = drawn(run, { ...view, from: 300, to: 500, lit: new Set([1]) })
    expect(lit.map((lane) => new Set(lane))).toEqual([new Set('.w'), new Set('.z')])
  })
})

/** A row in the middle of each of two lanes, a letter for each of 100 pixels: `.` is empty, `z` a zombie's line, `w` a dim one's. */
function drawn(run: RunStore, view: LaneView): string[] {
  const paint = (letter: string) => ({ css: letter, pixel: letter.charCodeAt(0) })
  const palette: Partial<Palette> = {
    states: [...'01234567'].map(paint),
    ...{
      surface: paint('s'),
      surface2: paint('.'),
      muted: paint('z'),
      wait: paint('w'),
      retried: paint('r'),
    },
  }
  const pixels = new Uint32Array(100 * 40)
  const context = { putImageData: () => {} } as unknown as CanvasRenderingContext2D
  const raster = () => ({ image: {} as ImageData, pixels })
  const surface = { context, width: 100, height: 40, ratio: 1, palette: palette as Palette, raster }
  new LanePicture().draw(surface, run, view)
  return [10, 30].map((y) => String.fromCharCode(...pixels.subarray(y * 100, (y + 1) * 100)))
}

const logger = { debug() {}, info() {}, warn() {}, error() {} }

describe('of a pool, an attempt that ignores its signal', () => {
  const deafPool = async (options: { releaseZombies?: boolean }, isRecordedBefore: boolean) => {
    await using pool = new JobPool({ maxParallelJobs: 1, killGraceMs: 1, logger, ...options })
    const body = Promise.withResolvers<void>()
    const early = isRecordedBefore ? createInspector(pool) : undefined
    const job = pool.submitJob({ id: 'deaf', execute: () => body.promise, timeoutMs: 1 })
    await job.result()
    await using inspector = early ?? createInspector(pool)
    const { run: living } = await loadRecording(await inspector.recording())
    body.resolve()
    await expect.poll(() => pool.getStatus().zombies).toBe(0)
    const { run: over } = await loadRecording(await inspector.recording())
    return [living, over].map((run) => slotsAt(run, run.end))
  }

  test.each([true, false])('is in its slot in a recording; begun before it: %s', async (isRecordedBefore) => {
    expect(await deafPool({}, isRecordedBefore)).toEqual([[0], [-1]])
  })

  test.each([true, false])(
    'has none where slots of zombies are free; begun before it: %s',
    async (before) => {
      expect(await deafPool({ releaseZombies: true }, before)).toEqual([[-1], [-1]])
    },
  )
})

describeInBrowser('the page of a run with a zombie', () => {
  const used = useBrowser()
  let watched: Watched

  beforeAll(async () => {
    watched = await openPage(used.browser, { reducedMotion: 'reduce' })
    watched.page.setDefaultTimeout(10_000)
    await watched.page.goto(`${await writeReport(used.folder, tellZombies().recording())}#/timeline`)
  })

  test('tells it in the timeline, its table and its key', async () => {
    const { page } = watched
    const picture = page.getByRole('application', { name: /^Timeline/ })
    for (const key of ['Home', 'ArrowDown']) await picture.press(key)
    await page.locator('#timeline-cursor', { hasText: 'has held its slot as a zombie for 700 ms' }).waitFor()
    const row = page.locator('#timeline-table tr', { hasText: 'load' })
    expect(await row.allTextContents()).toEqual([
      expect.not.stringContaining('zombie'),
      expect.stringContaining('failed, has held its slot as a zombie for 700 ms'),
      expect.stringContaining('failed, held its slot as a zombie for 400 ms'),
    ])
    expect(await page.locator('.key li').allTextContents()).toContain('zombie')
  })

  test('counts the slot as held', async () => {
    const { page } = watched
    await page.evaluate(() => location.assign('#/overview'))
    await page.getByText('1 slot is held by a zombie').waitFor()
    expect(watched.errors).toEqual([])
  })
})
