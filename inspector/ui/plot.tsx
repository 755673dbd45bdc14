import { useEffect, useMemo, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { formatClock, formatShort } from '../model/format.ts'
import { isDark } from '../state/theme.ts'
import { seek } from '../state/time.ts'
import { readPalette } from './palette.ts'

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
  readonly height?: number
  readonly format?: (value: number) => string
}

/** A plot over the run's time; a click goes to that moment. */
export function Plot({ label, lines, data, version, at, epoch, height = 130, format = formatShort }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const playhead = useRef<HTMLElement | undefined>(undefined)
  const columns = useMemo(data, [version])
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
    const make = () => {
      plot.current?.destroy()
      element.replaceChildren()
      plot.current = new uPlot(
        options(element, lines, label, height, format),
        newest.current as uPlot.AlignedData,
        element,
      )
      const mark = document.createElement('i')
      mark.className = 'plot-playhead'
      plot.current.over.append(mark)
      playhead.current = mark
      moved.current()
    }
    const unsubscribe = isDark.subscribe(() => requestAnimationFrame(make))
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
      unsubscribe()
      sizes.disconnect()
      element.removeEventListener('click', onClick)
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [])
  useEffect(() => plot.current?.setData(columns as uPlot.AlignedData), [columns])
  useEffect(() => moved.current(), [at, columns])
  const summary = lines.map(
    ({ label: name }, index) => `${name} ${format(Number(columns[index + 1]?.[columns[0].length - 1] ?? 0))}`,
  )
  return <div ref={box} class="plot" role="img" aria-label={`${label}, newest: ${summary.join(', ')}`} />
}

function options(
  element: HTMLElement,
  lines: readonly PlotLine[],
  label: string,
  height: number,
  format: (value: number) => string,
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
  const colours = lines.map(({ colour }) => colourOf(element, colour))
  return {
    width: element.clientWidth || 300,
    height,
    padding: [8, 10, 0, 0],
    legend: { show: lines.length > 1, live: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: { x: { time: false }, y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [
      {
        ...axis,
        size: 26,
        values: (_, values) => values.map((value) => formatClock(value).replace(/\.000$/, '')),
      },
      { ...axis, size: 64, values: (_, values) => values.map(format) },
    ],
    series: [
      { label: 'time' },
      ...lines.map(({ label: name, isFilled, isDashed }, index) => ({
        label: name,
        stroke: colours[index]!,
        width: 1.4,
        points: { show: false },
        ...(isFilled && { fill: colours[index]!.replace('rgb(', 'rgba(').replace(')', ', 0.16)') }),
        ...(isDashed && { dash: [5, 4] }),
      })),
    ],
    // uPlot shows it nowhere without a title bar; it names the plot for tools.
    class: label.replace(/\W+/g, '-'),
  }
}

function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement('span')
  probe.style.color = `var(--${name})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
