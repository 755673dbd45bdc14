import { CANCELLED, COMPLETED, EXECUTING, FAILED, isQueued, STOPPING } from '../model/job-states.ts'
import type { RunStore } from '../model/run-store.ts'
import { OPEN } from '../model/slices.ts'
import type { Raster, Surface } from '../ui/canvas.tsx'
import type { Palette } from '../ui/palette.ts'

/** What part of a run a picture of its lanes shows. */
export interface LaneView {
  /** Epoch ms, left and right. */
  readonly from: number
  readonly to: number
  /** Of a lane, in CSS pixels, gap included. */
  readonly laneHeight: number
  /** How far the lanes are scrolled up, in CSS pixels. */
  readonly scroll: number
  /** Attempts that start later are not drawn, and those that end later still run. */
  readonly until: number
  /** Draws only the attempts of these jobs in full colour. */
  readonly lit?: ReadonlySet<number> | undefined
}

const HATCH = 6

/**
 * Draws the attempts of each slot as bars, pixel by pixel.
 *
 * However many attempts share a pixel, the most urgent shows: failed over retried over running over done. So one failure
 * in 100,000 is seen. Wide bars carry a pattern too: failed a notch, retried stripes, cancelled dots. What nothing else shows
 * is hatched where a zombie holds the slot.
 *
 * All attempts are drawn once for a view; for another moment of it only what ran then is drawn over that.
 */
export class LanePicture {
  #raster: Raster | undefined
  #drawn: readonly unknown[] = []

  /** @param top - Where the picture begins, in CSS pixels. */
  draw(surface: Surface, run: RunStore, view: LaneView, top = 0): void {
    const { context, ratio, palette } = surface
    const width = Math.round(surface.width * ratio)
    const height = Math.round(surface.height * ratio)
    const wanted = [
      ...[run, run.version, run.end, view.from, view.to, view.laneHeight, view.scroll, view.lit],
      ...[palette, width, height],
    ]
    if (this.#raster === undefined || wanted.some((part, place) => part !== this.#drawn[place])) {
      this.#raster = surface.raster(width, height)
      this.#drawn = wanted
      fillLanes(this.#raster.pixels, width, height, ratio, palette, run, view)
    }
    const share = (view.until - view.from) / (view.to - view.from)
    const past = Math.max(0, Math.min(width, Math.ceil(share * width)))
    context.putImageData(this.#raster.image, 0, Math.round(top * ratio), 0, 0, past, height)
    if (view.until < run.end) drawRunning(surface, run, view, top)
  }
}

/** The lanes after the moment, empty, and the attempts that run at it, whatever will become of them. */
function drawRunning(
  { context, width, height, palette }: Surface,
  run: RunStore,
  view: LaneView,
  top: number,
) {
  const { slices } = run
  const scale = width / (view.to - view.from)
  const now = Math.max(0, Math.min(width, (view.until - view.from) * scale))
  const gap = view.laneHeight >= 2 ? 1 : 0
  const [first, last] = lanesInView(run, view, height)
  context.save()
  context.beginPath()
  context.rect(0, top, width, height)
  context.clip()
  for (let lane = first; lane <= last; lane++) {
    const y = top + lane * view.laneHeight - view.scroll
    context.fillStyle = palette.surface2.css
    context.fillRect(now, y, width - now, view.laneHeight - gap)
    const slice = slices.lastIn(slices.lanes[lane]!, view.until)
    if (slice < 0 || slices.end.data[slice]! <= view.until) continue
    const isLit = view.lit === undefined || view.lit.has(slices.job.data[slice]!)
    context.fillStyle = isLit ? palette.states[EXECUTING]!.css : palette.wait.css
    const left = Math.max(0, (slices.start.data[slice]! - view.from) * scale)
    context.fillRect(left, y, now - left, view.laneHeight - gap)
  }
  context.restore()
}

function fillLanes(
  pixels: Uint32Array,
  width: number,
  height: number,
  ratio: number,
  palette: Palette,
  run: RunStore,
  view: LaneView,
): void {
  const pitch = view.laneHeight * ratio
  const gap = pitch >= 5 ? Math.max(1, Math.round(ratio)) : pitch >= 2 ? 1 : 0
  const scale = width / (view.to - view.from)
  const row = new Uint32Array(width)
  const ranks = new Uint8Array(width)
  const colours = coloursOf(palette)
  const upperOf = (lane: number) => Math.round((lane * view.laneHeight - view.scroll) * ratio)
  const bottomOf = (upper: number) => Math.min(height, Math.max(upper + 1, Math.round(upper + pitch) - gap))
  const first = Math.max(0, Math.floor(view.scroll / view.laneHeight))
  for (let lane = first; lane < run.slices.lanes.length; lane++) {
    const upper = upperOf(lane)
    if (upper >= height) break
    const bottom = bottomOf(upper)
    row.fill(palette.surface2.pixel)
    ranks.fill(0)
    drawLane(run, lane, view, scale, width, row, ranks, colours)
    for (let y = Math.max(0, upper); y < bottom; y++) pixels.set(row, y * width)
    if (bottom - upper >= 6 * ratio)
      drawPatterns(run, lane, view, scale, width, pixels, upper, bottom, palette)
  }
  const boundsOf = (lane: number) => [Math.max(0, upperOf(lane)), bottomOf(upperOf(lane))] as const
  drawZombies(run, view, scale, width, pixels, boundsOf, palette)
}

interface Colours {
  /** By rank. */
  readonly pixels: Uint32Array
}

const RANK_DONE = 1
const RANK_CANCELLED = 2
const RANK_RUNNING = 3
const RANK_STOPPING = 4
const RANK_RETRIED = 5
const RANK_FAILED = 6
const RANK_DIM = 7

function coloursOf(palette: Palette): Colours {
  const pixels = new Uint32Array(8)
  pixels[RANK_DONE] = palette.states[COMPLETED]!.pixel
  pixels[RANK_CANCELLED] = palette.states[CANCELLED]!.pixel
  pixels[RANK_RUNNING] = palette.states[EXECUTING]!.pixel
  pixels[RANK_STOPPING] = palette.states[STOPPING]!.pixel
  pixels[RANK_RETRIED] = palette.retried.pixel
  pixels[RANK_FAILED] = palette.states[FAILED]!.pixel
  pixels[RANK_DIM] = palette.wait.pixel
  return { pixels }
}

function rankOf(outcome: number, isOver: boolean): number {
  if (!isOver || outcome === OPEN) return RANK_RUNNING
  if (outcome === COMPLETED) return RANK_DONE
  if (outcome === FAILED) return RANK_FAILED
  if (outcome === CANCELLED) return RANK_CANCELLED
  return isQueued(outcome) ? RANK_RETRIED : RANK_STOPPING
}

function drawLane(
  run: RunStore,
  lane: number,
  view: LaneView,
  scale: number,
  width: number,
  row: Uint32Array,
  ranks: Uint8Array,
  colours: Colours,
): void {
  const { slices } = run
  const places = slices.lanes[lane]!
  const { data: starts } = slices.start
  const { data: ends } = slices.end
  const { data: outcomes } = slices.outcome
  for (let place = slices.placeAt(places, view.from); place < places.length; place++) {
    const slice = places.data[place]!
    const start = starts[slice]!
    if (start > view.to) break
    const end = ends[slice]!
    // Only as a zombie it is in view.
    if (end < view.from) continue
    const isOver = end <= run.end
    const from = Math.max(0, Math.floor((start - view.from) * scale))
    const right = Math.round(((isOver ? end : run.end) - view.from) * scale)
    // Wide bars leave a line to the next one.
    const to = Math.min(width, Math.max(from + 1, right - from > 4 ? right - 1 : right))
    const isLit = view.lit === undefined || view.lit.has(slices.job.data[slice]!)
    const rank = isLit ? rankOf(outcomes[slice]!, isOver) : RANK_DIM
    const urgency = isLit ? rank : 0
    const colour = colours.pixels[rank]!
    for (let x = from; x < to; x++) {
      if (urgency < ranks[x]!) continue
      ranks[x] = urgency
      row[x] = colour
    }
  }
}

/** Marks on wide bars, so that the outcome is seen without its colour. */
function drawPatterns(
  run: RunStore,
  lane: number,
  view: LaneView,
  scale: number,
  width: number,
  pixels: Uint32Array,
  top: number,
  bottom: number,
  palette: Palette,
): void {
  const { slices } = run
  const places = slices.lanes[lane]!
  const mark = palette.surface.pixel
  for (let place = slices.placeAt(places, view.from); place < places.length; place++) {
    const slice = places.data[place]!
    const start = slices.start.data[slice]!
    if (start > view.to) break
    const end = slices.end.data[slice]!
    if (Number.isNaN(end)) continue
    const outcome = slices.outcome.data[slice]!
    if (outcome === COMPLETED) continue
    const from = Math.max(0, Math.floor((start - view.from) * scale))
    const to = Math.min(width, Math.round((end - view.from) * scale))
    if (to - from < 5) continue
    const isMarked = patternOf(outcome, from, bottom)
    for (let y = Math.max(0, top); y < bottom; y++)
      for (let x = from; x < to; x++) if (isMarked(x, y)) pixels[y * width + x] = mark
  }
}

function patternOf(outcome: number, from: number, bottom: number): (x: number, y: number) => boolean {
  if (outcome === FAILED) return (x, y) => x - from < (bottom - y) / 1.6
  if (outcome === CANCELLED) return (x, y) => x % HATCH < 2 && y % HATCH < 2
  return (x, y) => (x + y) % HATCH < 2
}

/** Hatches where attempts that were abandoned hold their slots; what happened within the same pixel stays. */
function drawZombies(
  run: RunStore,
  view: LaneView,
  scale: number,
  width: number,
  pixels: Uint32Array,
  boundsOf: (lane: number) => readonly [top: number, bottom: number],
  palette: Palette,
): void {
  const { slices } = run
  const empty = palette.surface2.pixel
  for (const slice of slices.zombieUntil.keys()) {
    const from = Math.max(0, Math.round((slices.end.data[slice]! - view.from) * scale))
    const to = Math.min(width, Math.round((slices.heldUntil(slice, run.end) - view.from) * scale))
    if (from >= to) continue
    const isLit = view.lit === undefined || view.lit.has(slices.job.data[slice]!)
    const colour = isLit ? palette.muted.pixel : palette.wait.pixel
    const [top, bottom] = boundsOf(slices.slot.data[slice]!)
    for (let y = top; y < bottom; y++)
      for (let x = from; x < to; x++)
        if ((x + bottom - y) % HATCH < 2 && pixels[y * width + x] === empty) pixels[y * width + x] = colour
  }
}

/** The first and the last lane that show in a picture of this height, in CSS pixels. */
export function lanesInView(
  { slices }: RunStore,
  { scroll, laneHeight }: LaneView,
  height: number,
): [first: number, last: number] {
  const last = Math.min(slices.lanes.length - 1, Math.floor((scroll + height) / laneHeight))
  return [Math.max(0, Math.floor(scroll / laneHeight)), last]
}

/** The attempt at a place of the picture, -1 for none; `x` and `y` in CSS pixels, `width` of the picture. */
export function sliceAt(run: RunStore, view: LaneView, width: number, x: number, y: number): number {
  const lane = Math.floor((y + view.scroll) / view.laneHeight)
  const places = run.slices.lanes[lane]
  if (places === undefined) return -1
  const perPixel = (view.to - view.from) / width
  const at = view.from + x * perPixel
  const { slices } = run
  const place = slices.placeAt(places, at)
  for (const near of [place, place - 1]) {
    const slice = places.data[near]
    if (slice === undefined || near < 0 || near >= places.length) continue
    const start = slices.start.data[slice]!
    if (
      start <= view.until &&
      start - perPixel <= at &&
      slices.heldUntil(slice, view.until) + 2 * perPixel >= at
    )
      return slice
  }
  return -1
}
