import { plainText } from '../model/format.ts'
import { CANCELLED, EXECUTING, FAILED } from '../model/job-states.ts'
import type { RunStore } from '../model/run-store.ts'
import type { Surface } from '../ui/canvas.tsx'
import { type LaneView, lanesInView } from './lanes.ts'

/** Words and waits are drawn while no more bars than these are in view. */
const DETAILED = 1_500
const LABEL_PX = 40
const WAIT_PX = 3
const FRAME_PX = 4

/** Visits the attempts in view, lane by lane; none when there are too many to draw one by one. */
function eachInView(
  run: RunStore,
  view: LaneView,
  height: number,
  visit: (slice: number, lane: number) => void,
): void {
  if (countInView(run, view, height, () => {}) > DETAILED) return
  countInView(run, view, height, visit)
}

/** Gives up where there are more than are drawn. */
function countInView(
  run: RunStore,
  view: LaneView,
  height: number,
  visit: (slice: number, lane: number) => void,
): number {
  const { slices } = run
  let count = 0
  const [first, last] = lanesInView(run, view, height)
  for (let lane = first; lane <= last; lane++) {
    const places = slices.lanes[lane]!
    for (let place = slices.placeAt(places, view.from); place < places.length; place++) {
      const slice = places.data[place]!
      const start = slices.start.data[slice]!
      if (start > view.to || start > view.until) break
      // Only as a zombie it is in view.
      if (slices.end.data[slice]! < view.from) continue
      if (++count > DETAILED) return count
      visit(slice, lane)
    }
  }
  return count
}

/** The time an attempt waited for its slot, as a thin bar under the lane that it came to. */
export function drawWaits({ context, width, height, palette }: Surface, run: RunStore, view: LaneView): void {
  if (view.laneHeight < 14) return
  const scale = width / (view.to - view.from)
  eachInView(run, view, height, (slice, lane) => {
    const start = (run.slices.start.data[slice]! - view.from) * scale
    const ready = (run.slices.readyAt.data[slice]! - view.from) * scale
    if (start - ready < 1) return
    const bottom = (lane + 1) * view.laneHeight - view.scroll - 1
    context.fillStyle = palette.lineStrong.css
    context.globalAlpha = 0.75
    context.fillRect(Math.max(0, ready), bottom - WAIT_PX, start - Math.max(0, ready), WAIT_PX)
    context.globalAlpha = 1
    context.fillRect(Math.max(0, ready), bottom - WAIT_PX * 2, 1, WAIT_PX * 2)
  })
}

/** Names on wide bars, frames around the selected job's bars. */
export function drawLaneLabels(
  { context, width, height, palette }: Surface,
  run: RunStore,
  view: LaneView,
  selected: number,
): void {
  const { slices } = run
  const scale = width / (view.to - view.from)
  context.font = '11px system-ui, "DejaVu Sans", sans-serif'
  context.textBaseline = 'middle'
  eachInView(run, view, height, (slice, lane) => {
    const left = (slices.start.data[slice]! - view.from) * scale
    const right = (Math.min(view.until, slices.endOf(slice, view.until)) - view.from) * scale
    const top = lane * view.laneHeight - view.scroll
    const from = Math.max(left, 0)
    const room = Math.min(right, width) - from
    if (room >= LABEL_PX && view.laneHeight >= 13) {
      const attempt = slices.attempt.data[slice]!
      const name = plainText(run.nameOf(slices.job.data[slice]!)) + (attempt > 1 ? ` · try ${attempt}` : '')
      const most = Math.floor((room - 20) / 6.2)
      if (most >= 3) {
        const shown = name.length > most ? `${name.slice(0, most - 1)}…` : name
        const outcome = slices.outcome.data[slice]!
        if (isPatterned(outcome)) {
          context.fillStyle = outcome < EXECUTING ? palette.retried.css : palette.states[outcome]!.css
          const ground = Math.min(context.measureText(shown).width + 6, right - from - 12)
          context.fillRect(from + 11, top + view.laneHeight / 2 - 8, ground, 16)
        }
        context.fillStyle = palette.surface.css
        context.fillText(shown, from + 14, top + view.laneHeight / 2)
      }
    }
    if (slices.job.data[slice] === selected)
      frame(context, palette.accent.css, left, right, top, view.laneHeight)
  })
}

/** Words on dots or stripes need a ground of their own. */
const isPatterned = (outcome: number): boolean =>
  outcome === CANCELLED || outcome === FAILED || outcome < EXECUTING

/** A frame around the attempt that the cursor is on, however narrow that is; none for -1. */
export function frameSlice(
  { context, width, palette }: Surface,
  run: RunStore,
  view: LaneView,
  slice: number,
): void {
  if (slice < 0) return
  const { slices } = run
  const scale = width / (view.to - view.from)
  const left = (slices.start.data[slice]! - view.from) * scale
  const right = (Math.min(view.until, slices.heldUntil(slice, view.until)) - view.from) * scale
  const top = slices.slot.data[slice]! * view.laneHeight - view.scroll
  frame(context, palette.surface.css, left - 2, right + 2, top - 1, view.laneHeight + 2)
  frame(context, palette.text.css, left, right, top, view.laneHeight)
}

/** At least so wide that both its sides are seen. */
function frame(
  context: CanvasRenderingContext2D,
  colour: string,
  left: number,
  right: number,
  top: number,
  height: number,
): void {
  context.strokeStyle = colour
  context.lineWidth = 2
  const width = Math.max(FRAME_PX, right - left)
  context.strokeRect((left + right - width) / 2, top, width, height - 1)
}

/** Arrows from the attempts that the selected job waited for to its own, and on to those that waited for it. */
export function drawFlow(
  { context, width, palette }: Surface,
  run: RunStore,
  view: LaneView,
  job: number,
): void {
  if (job < 0) return
  const scale = width / (view.to - view.from)
  const { slices, links } = run
  const own = run.slicesOf(job)[0]
  const ownLast = run.jobs.lastSlice.data[job]!
  const arrow = (from: number, to: number, colour: string) => {
    const [x1, x2] = [
      (slices.endOf(from, view.until) - view.from) * scale,
      (slices.start.data[to]! - view.from) * scale,
    ]
    const middle = (slice: number) => (slices.slot.data[slice]! + 0.5) * view.laneHeight - view.scroll
    const [y1, y2] = [middle(from), middle(to)]
    const bend = Math.max(18, Math.abs(x2 - x1) / 2)
    context.strokeStyle = colour
    context.lineWidth = 1.6
    context.beginPath()
    context.moveTo(x1, y1)
    context.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2)
    context.stroke()
    context.fillStyle = colour
    context.beginPath()
    context.moveTo(x2, y2)
    context.lineTo(x2 - 6, y2 - 3.5)
    context.lineTo(x2 - 6, y2 + 3.5)
    context.fill()
  }
  if (own !== undefined) {
    for (const other of links.dependenciesOf(job, 100)) {
      const slice = run.jobs.lastSlice.data[other]!
      if (slice >= 0) arrow(slice, own, palette.accent.css)
    }
  }
  if (ownLast < 0) return
  for (const other of links.dependantsOf(job, 100)) {
    const [slice] = run.slicesOf(other)
    if (slice !== undefined) arrow(ownLast, slice, palette.retried.css)
  }
}
