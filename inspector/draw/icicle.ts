import { plainText } from '../model/format.ts'
import { firstEndingAfter, type Icicle, type IcicleRow } from '../model/icicle.ts'
import { ABSENT, BY_URGENCY, STATE_NAMES } from '../model/job-states.ts'
import type { RunStore } from '../model/run-store.ts'
import type { TreeAt } from '../model/tree-at.ts'
import type { Surface } from '../ui/canvas.tsx'
import type { Palette } from '../ui/palette.ts'

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
/** Narrower boxes have no room for a sign: a gap across them stands for it. */
const SIGN_WIDTH = 12
const GAP_WIDTH = 4
/** More than these would take longer than a frame may. */
const SIGNS_MAX = 1_500
const SIGN_OF: Readonly<Record<string, string>> = {
  blocked: '◇',
  ready: '○',
  delayed: '◷',
  executing: '▶',
  stopping: '■',
  failed: '✕',
  cancelled: '⊘',
}
/** By state: what has not gone well, or is not over, is not told by its colour alone. */
const SIGNS = STATE_NAMES.map((name) => SIGN_OF[name] ?? '')

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
  const scale = width / (view.to - view.from)
  // One line of pixels for each row, which the canvas makes as tall as the row.
  const { image, pixels } = surface.raster(width, layout.rows.length)
  const lines = linesOf(image)
  const ranks = new Uint8Array(width)
  const paints = paintsOf(palette, view.found)
  layout.rows.forEach((row, depth) => {
    ranks.fill(0)
    const line = pixels.subarray(depth * width, (depth + 1) * width)
    fillRow(line, ranks, row, at.states, view, scale, paints)
  })
  lines.getContext('2d')!.putImageData(image, 0, 0)
  context.imageSmoothingEnabled = false
  layout.rows.forEach((_, depth) => {
    const top = Math.round((depth * view.rowHeight - view.scroll) * ratio)
    const gap = view.rowHeight > 3 ? 1 : 0
    const height = Math.round(((depth + 1) * view.rowHeight - view.scroll) * ratio) - gap - top
    context.drawImage(lines, 0, depth, width, 1, 0, top / ratio, width / ratio, height / ratio)
  })
  drawLabels(surface, run, layout, at, view)
}

let kept: OffscreenCanvas | undefined

/** A canvas of this size; the same one for each frame. */
function linesOf({ width, height }: ImageData): OffscreenCanvas {
  if (kept?.width !== width || kept.height !== height) kept = new OffscreenCanvas(width, height)
  return kept
}

interface Paints {
  /** By state. */
  readonly urgency: Uint8Array
  readonly pixels: Uint32Array
  readonly found: ReadonlySet<number> | undefined
  readonly dimmed: number
}

function paintsOf(palette: Palette, found: ReadonlySet<number> | undefined): Paints {
  const urgency = new Uint8Array(BY_URGENCY.length)
  BY_URGENCY.forEach((state, place) => {
    urgency[state] = BY_URGENCY.length - place + 1
  })
  const pixels = Uint32Array.from(palette.states, ({ pixel }) => pixel)
  return { urgency, pixels, found, dimmed: palette.wait.pixel }
}

function fillRow(
  line: Uint32Array,
  ranks: Uint8Array,
  row: IcicleRow,
  states: Uint8Array,
  view: IcicleView,
  scale: number,
  paints: Paints,
): void {
  const { urgency, pixels, found, dimmed } = paints
  const width = line.length
  const { nodes, starts, ends } = row
  const { from: origin, to: limit } = view
  // Of 100,000 leaves on a screen many share a pixel, and where each ends makes no difference.
  if (row.widest * scale < 1) {
    fillDots(line, ranks, row, states, columnsOf(row, origin, scale, width), paints)
    return
  }
  for (let place = firstEndingAfter(row, origin); place < nodes.length; place++) {
    const start = starts[place]!
    if (start > limit) break
    const node = nodes[place]!
    const state = states[node]!
    if (state === ABSENT) continue
    const isFound = found === undefined || found.has(node)
    const rank = isFound ? urgency[state]! : 1
    const from = Math.max(0, roundUpward((start - origin) * scale))
    const end = roundUpward(Math.min(width + 1, (ends[place]! - origin) * scale))
    // Wide boxes leave a line to the next one.
    const to = Math.min(width, Math.max(from + 1, end - from > 3 ? end - 1 : end))
    const colour = isFound ? pixels[state]! : dimmed
    for (let x = from; x < to; x++) {
      if (rank <= ranks[x]!) continue
      ranks[x] = rank
      line[x] = colour
    }
  }
}

function fillDots(
  line: Uint32Array,
  ranks: Uint8Array,
  { nodes }: IcicleRow,
  states: Uint8Array,
  { columns, first, last }: Columns,
  { urgency, pixels, found, dimmed }: Paints,
): void {
  for (let place = first; place < last; place++) {
    const node = nodes[place]!
    const state = states[node]!
    if (state === ABSENT) continue
    const isFound = found === undefined || found.has(node)
    const rank = isFound ? urgency[state]! : 1
    const column = columns[place]!
    if (rank <= ranks[column]!) continue
    ranks[column] = rank
    line[column] = isFound ? pixels[state]! : dimmed
  }
}

/** In which column of pixels each node of a row begins, as long as the same part of the map is seen. */
interface Columns {
  readonly origin: number
  readonly scale: number
  readonly width: number
  readonly columns: Uint16Array
  /** The places in the row that are in the picture: from `first` to before `last`. */
  readonly first: number
  readonly last: number
}

const columnsOfRows = new WeakMap<IcicleRow, Columns>()

function columnsOf(row: IcicleRow, origin: number, scale: number, width: number): Columns {
  const known = columnsOfRows.get(row)
  if (known?.origin === origin && known.scale === scale && known.width === width) return known
  const { starts } = row
  const columns = known?.columns ?? new Uint16Array(starts.length)
  const first = firstEndingAfter(row, origin)
  let last = first
  for (; last < starts.length; last++) {
    const column = Math.max(0, roundUpward((starts[last]! - origin) * scale))
    if (column >= width) break
    columns[last] = column
  }
  const made = { origin, scale, width, columns, first, last }
  columnsOfRows.set(row, made)
  return made
}

/** As `Math.round`, for what lies in the picture. */
const roundUpward = (value: number): number => (value + 0.5) | 0

function drawLabels(surface: Surface, run: RunStore, layout: Icicle, at: TreeAt, view: IcicleView): void {
  const { context, width, height, palette } = surface
  const scale = width / (view.to - view.from)
  const { nodes } = run.tree
  context.font = '11px system-ui, "DejaVu Sans", sans-serif'
  context.textBaseline = 'middle'
  let signs = 0
  layout.rows.forEach((row, depth) => {
    const top = depth * view.rowHeight - view.scroll
    if (top + view.rowHeight < 0 || top > height || view.rowHeight < 15) return
    if (row.widest * scale < GAP_WIDTH) return
    for (let place = firstEndingAfter(row, view.from); place < row.nodes.length; place++) {
      const node = row.nodes[place]!
      const left = (row.starts[place]! - view.from) * scale
      if (left > width) break
      const right = (row.ends[place]! - view.from) * scale
      if (right - left < GAP_WIDTH || at.states[node] === ABSENT) continue
      const from = Math.max(left, 0) + 5
      const room = Math.min(right, width) - from - 5
      const middle = top + view.rowHeight / 2
      const sign = SIGNS[at.states[node]!]!
      context.fillStyle = palette.surface.css
      if (right - left < LABEL_WIDTH) {
        if (sign === '' || ++signs > SIGNS_MAX) continue
        if (right - left >= SIGN_WIDTH) context.fillText(sign, (left + right - SIGN_WIDTH) / 2 + 1, middle)
        else context.fillRect(left, middle - 2, right - left, 3)
        continue
      }
      const label = `${sign} ${plainText(run.text(nodes.label.data[node]!))}`.trimStart()
      context.fillText(shorten(context, label, room), from, middle)
    }
  })
  frame(surface, layout, nodes.depth.data[view.cursor], view, view.cursor, palette.text.css)
  frame(surface, layout, nodes.depth.data[view.selected], view, view.selected, palette.accent.css)
}

function frame(
  { context, width }: Surface,
  layout: Icicle,
  depth: number | undefined,
  view: IcicleView,
  node: number,
  colour: string,
): void {
  if (node < 0 || depth === undefined) return
  const scale = width / (view.to - view.from)
  const left = (layout.left[node]! - view.from) * scale
  const top = depth * view.rowHeight - view.scroll
  context.strokeStyle = colour
  context.lineWidth = 2
  context.strokeRect(left + 1, top + 1, Math.max(2, layout.width[node]! * scale - 3), view.rowHeight - 3)
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
  const node = row.nodes[firstEndingAfter(row, leaf)]
  return node !== undefined && layout.left[node]! <= leaf && at.states[node] !== ABSENT ? node : -1
}
