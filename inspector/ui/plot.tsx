import { useSignal } from '@preact/signals'
import { useEffect, useId, useMemo, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import { markText, STEPS } from '../draw/axis.ts'
import { formatClock, formatShort } from '../model/format.ts'
import { isDark } from '../state/theme.ts'
import { seek } from '../state/time.ts'
import { readPaints, readPalette } from './palette.ts'
import { SeriesTable } from './series-table.tsx'

export interface PlotLine {
  readonly label: string
  /** A custom property that holds its colour, without the dashes. */
  readonly colour: string
  readonly isFilled?: boolean
  readonly isDashed?: boolean
}

interface Props {
  readonly label: string
  readonly lines: readonly PlotLine[]
  /** Instants in ms since the run's start, then a column of values for each line. */
  readonly data: () => [ArrayLike<number>, ...ArrayLike<number>[]]
  readonly version: unknown
  /** The moment shown, in ms since the run's start. */
  readonly at: number
  readonly epoch: number
  /** Where its axis ends, in ms since the run's start: plots beside each other show the same time. */
  readonly until: number
  readonly height?: number
  readonly format?: (value: number) => string
}

/**
 * A plot over the run's time. A cursor follows the pointer, or goes with the arrows, Page, Home and End, and its values are
 * told; a click, or Enter, goes to that moment.
 */
export function Plot({
  label,
  lines,
  data,
  version,
  at,
  epoch,
  until,
  height = 130,
  format = formatShort,
}: Props) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const playhead = useRef<HTMLElement | undefined>(undefined)
  const table = useId()
  /** The instant the cursor is on, by its place; -1 for none. */
  const cursor = useSignal(-1)
  const columns = useMemo(data, [version])
  const end = useRef(until)
  end.current = until
  const newest = useRef(columns)
  newest.current = columns
  const moved = useRef(() => {})
  // Moved as an element of its own: drawing the plot again for each moment would cost more than all else on the page.
  moved.current = () => {
    const left = plot.current?.valToPos(at, 'x')
    if (playhead.current !== undefined && left !== undefined)
      playhead.current.style.transform = `translateX(${left}px)`
  }

  useEffect(() => {
    const element = box.current!
    let isThere = true
    const make = async () => {
      const UPlot = await loadPlots()
      if (!isThere) return
      if (UPlot === undefined) {
        element.textContent = 'This plot could not be loaded.'
        return
      }
      plot.current?.destroy()
      element.replaceChildren()
      plot.current = new UPlot(
        options(element, { lines, label, height, format }, end, (place) => (cursor.value = place)),
        newest.current as uPlot.AlignedData,
        element,
      )
      const mark = document.createElement('i')
      mark.className = 'plot-playhead'
      plot.current.over.append(mark)
      playhead.current = mark
      moved.current()
    }
    // The view is there a frame before: to load and draw its plots takes as long as the rest of it.
    const unsubscribe = isDark.subscribe(() => requestAnimationFrame(() => setTimeout(make)))
    const sizes = new ResizeObserver(() => {
      plot.current?.setSize({ width: element.clientWidth, height })
      moved.current()
    })
    sizes.observe(element)
    const onClick = () => {
      const made = plot.current
      const left = made?.cursor.left ?? -1
      if (made !== undefined && left >= 0) seek(epoch + made.posToVal(left, 'x'))
    }
    element.addEventListener('click', onClick)
    return () => {
      isThere = false
      unsubscribe()
      sizes.disconnect()
      element.removeEventListener('click', onClick)
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [])
  useEffect(() => plot.current?.setData(columns as uPlot.AlignedData), [columns])
  useEffect(() => moved.current(), [at, columns])
  const [instants] = columns
  const last = instants.length - 1
  const tell = (place: number) =>
    lines
      .map(({ label: name }, line) => `${name} ${format(Number(columns[line + 1]?.[place] ?? 0))}`)
      .join(', ')
  const moveTo = (place: number) => {
    const made = plot.current
    if (made === undefined || last < 0) return
    const to = Math.max(0, Math.min(last, place))
    // It tells of its cursor itself; the place is exact even where several instants share a pixel.
    made.setCursor({ left: made.valToPos(instants[to]!, 'x'), top: 0 })
    cursor.value = to
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const from = cursor.value < 0 ? last : cursor.value
    const move = MOVES[event.key]
    if (move !== undefined) moveTo(move(from, last))
    else if (event.key === 'Enter' && cursor.value >= 0) seek(epoch + instants[cursor.value]!)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const place = cursor.value < 0 ? last : Math.min(last, cursor.value)
  const told = last < 0 ? 'nothing yet' : `${formatClock(instants[place]!)}: ${tell(place)}`
  return (
    <div class="plot-room">
      <div
        ref={box}
        class="plot"
        style={{ minHeight: `${height}px` }}
        role="slider"
        tabIndex={0}
        aria-label={`${label}; Enter goes to that moment`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={Math.max(0, place)}
        aria-valuetext={told}
        aria-details={table}
        onKeyDown={onKeyDown}
        onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
      />
      {cursor.value >= 0 && (
        <p class="plot-told" aria-hidden="true">
          {told}
        </p>
      )}
      <SeriesTable
        id={table}
        caption={label}
        columns={lines.map(({ label: name }) => name)}
        data={() => newest.current}
        cursor={cursor}
        format={format}
      />
    </div>
  )
}

/** `undefined` where the server that has it is gone. */
const loadPlots = (): Promise<typeof uPlot | undefined> =>
  import('uplot').then(
    (module) => module.default,
    () => undefined,
  )

const MOVES: Readonly<Record<string, (from: number, last: number) => number>> = {
  ArrowLeft: (from) => from - 1,
  ArrowRight: (from) => from + 1,
  PageUp: (from, last) => from - Math.ceil(last / 20),
  PageDown: (from, last) => from + Math.ceil(last / 20),
  Home: () => 0,
  End: (_, last) => last,
}

function options(
  element: HTMLElement,
  { lines, label, height, format }: Required<Pick<Props, 'lines' | 'label' | 'height' | 'format'>>,
  end: { readonly current: number },
  onCursor: (place: number) => void,
): uPlot.Options {
  const palette = readPalette(element)
  const styles = getComputedStyle(element)
  const font = `11px ${styles.fontFamily}`
  const axis = {
    stroke: palette.muted.css,
    font,
    ticks: { show: false },
    grid: { stroke: palette.line.css, width: 1 },
  }
  const paints = readPaints(
    element,
    lines.map(({ colour }) => colour),
  )
  return {
    width: element.clientWidth || 300,
    height,
    padding: [8, 10, 0, 0],
    legend: { show: lines.length > 1, live: false },
    hooks: { setCursor: [({ cursor }) => onCursor((cursor.left ?? -1) < 0 ? -1 : (cursor.idx ?? -1))] },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: {
      x: { time: false, range: () => [0, Math.max(1, end.current)] },
      y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        incrs: [...STEPS],
        values: (_, values, __, ___, step) => values.map((value) => markText(value, step)),
      },
      { ...axis, size: 64, values: (_, values) => values.map(format) },
    ],
    series: [
      { label: 'time' },
      ...lines.map(({ label: name, isFilled, isDashed }, index) => ({
        label: name,
        stroke: paints[index]!.css,
        width: 1.4,
        points: { show: false },
        ...(isFilled && { fill: paints[index]!.css.replace('rgb(', 'rgba(').replace(')', ', 0.16)') }),
        ...(isDashed && { dash: [5, 4] }),
      })),
    ],
    // uPlot shows it nowhere without a title bar; it names the plot for tools.
    class: label.replace(/\W+/g, '-'),
  }
}
