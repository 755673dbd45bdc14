import { plainText } from '../model/format.ts'
import { firstEndingAfter, type Icicle } from '../model/icicle.ts'
import { ABSENT, BY_URGENCY } from '../model/job-states.ts'
import type { RunStore } from '../model/run-store.ts'
import type { TreeAt } from '../model/tree-at.ts'
import type { Surface } from '../ui/canvas.tsx'

/** What part of the map is seen: leaves from left to right, and how tall a row is. */
export interface IcicleView {
  readonly from: number
  readonly to: number
  readonly rowHeight: number
  readonly scroll: number
  /** Nodes that a search left over are drawn in full colour; all when there is none. */
  readonly found: ReadonlySet<number> | undefined
  readonly selected: number
  readonly cursor: number
}

const LABEL_WIDTH = 46

/** Draws the rows pixel by pixel; where several nodes share a pixel, the most urgent shows. */
export function drawIcicle(
  surface: Surface,
  run: RunStore,
  layout: Icicle,
  at: TreeAt,
  view: IcicleView,
): void {
  const { context, ratio, palette } = surface
  const width = Math.round(surface.width * ratio)
  const height = Math.round(surface.height * ratio)
  const image = context.createImageData(width, height)
  const pixels = new Uint32Array(image.data.buffer)
  const scale = width / (view.to - view.from)
  const line = new Uint32Array(width)
  const ranks = new Uint8Array(width)
  const urgency = new Uint8Array(256)
  BY_URGENCY.forEach((state, place) => {
    urgency[state] = BY_URGENCY.length - place + 1
  })
  layout.rows.forEach((row, depth) => {
    const top = Math.round((depth * view.rowHeight - view.scroll) * ratio)
    const bottom = Math.min(
      height,
      Math.round(((depth + 1) * view.rowHeight - view.scroll) * ratio) - (view.rowHeight > 3 ? 1 : 0),
    )
    if (bottom <= 0 || top >= height) return
    line.fill(0)
    ranks.fill(0)
    for (let place = firstEndingAfter(layout, row, view.from); place < row.length; place++) {
      const node = row[place]!
      const left = layout.left[node]!
      if (left > view.to) break
      const state = at.states[node]!
      if (state === ABSENT) continue
      const from = Math.max(0, Math.round((left - view.from) * scale))
      const end = Math.round((left + layout.width[node]! - view.from) * scale)
      const to = Math.min(width, Math.max(from + 1, end - from > 3 ? end - 1 : end))
      const isFound = view.found === undefined || view.found.has(node)
      const rank = isFound ? urgency[state]! : 1
      const colour = isFound ? palette.states[state]!.pixel : palette.wait.pixel
      for (let x = from; x < to; x++) {
        if (rank <= ranks[x]!) continue
        ranks[x] = rank
        line[x] = colour
      }
    }
    for (let y = Math.max(0, top); y < bottom; y++) pixels.set(line, y * width)
  })
  context.putImageData(image, 0, 0)
  drawLabels(surface, run, layout, at, view)
}

function drawLabels(surface: Surface, run: RunStore, layout: Icicle, at: TreeAt, view: IcicleView): void {
  const { context, width, height, palette } = surface
  const scale = width / (view.to - view.from)
  const { nodes } = run.tree
  context.font = '11px system-ui, "DejaVu Sans", sans-serif'
  context.textBaseline = 'middle'
  layout.rows.forEach((row, depth) => {
    const top = depth * view.rowHeight - view.scroll
    if (top + view.rowHeight < 0 || top > height) return
    for (let place = firstEndingAfter(layout, row, view.from); place < row.length; place++) {
      const node = row[place]!
      const left = (layout.left[node]! - view.from) * scale
      if (left > width) break
      const boxWidth = layout.width[node]! * scale
      if (node === view.selected || node === view.cursor) {
        context.strokeStyle = node === view.selected ? palette.accent.css : palette.text.css
        context.lineWidth = 2
        context.strokeRect(left + 1, top + 1, Math.max(2, boxWidth - 3), view.rowHeight - 3)
      }
      if (boxWidth < LABEL_WIDTH || view.rowHeight < 15 || at.states[node] === ABSENT) continue
      const from = Math.max(left, 0) + 5
      const room = Math.min(left + boxWidth, width) - from - 5
      context.fillStyle = palette.surface.css
      context.fillText(
        shorten(context, plainText(run.text(nodes.label.data[node]!)), room),
        from,
        top + view.rowHeight / 2,
      )
    }
  })
}

function shorten(context: CanvasRenderingContext2D, text: string, room: number): string {
  const most = Math.floor(room / 6)
  if (most < 2) return ''
  if (text.length <= most && context.measureText(text).width <= room) return text
  return `${text.slice(0, most - 1)}…`
}

/** The node at a place of the picture, in CSS pixels; -1 for none. */
export function nodeAt(
  layout: Icicle,
  at: TreeAt,
  view: IcicleView,
  width: number,
  x: number,
  y: number,
): number {
  const row = layout.rows[Math.floor((y + view.scroll) / view.rowHeight)]
  if (row === undefined) return -1
  const leaf = view.from + (x / width) * (view.to - view.from)
  const node = row[firstEndingAfter(layout, row, leaf)]
  return node !== undefined && layout.left[node]! <= leaf && at.states[node] !== ABSENT ? node : -1
}
