import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { Chart, ChartLayout } from '../../src/protocol/index.ts'
import { ZoomTools } from './zoom-tools.tsx'

/** Below it, the words of a chart cannot be read: a larger chart is scrolled, with its centre in view. */
const READABLE = 0.8
/** A chart that fits from top to bottom a little below that is not cut for it. */
const STILL_READABLE = 0.7
const LARGEST = 2.5
const STEP = 1.3
/** Room below the chart for its buttons. */
const BELOW_PX = 38

/** Room for a chart of any size: it can be scrolled and zoomed, and what it is about stays in view. */
export function ChartRoom({
  chart,
  centre,
  children,
}: {
  chart: Chart
  /** The id of the state to keep in view. */
  centre: string | undefined
  children: (layout: ChartLayout, scale: number) => ComponentChildren
}) {
  const room = useRef<HTMLDivElement>(null)
  const size = useSignal({ width: 1, height: 1 })
  const chosen = useSignal<number | undefined>(undefined)
  const layout =
    sharePictured(chart.right, size.value) >= sharePictured(chart.down, size.value) ? chart.right : chart.down
  const fit = Math.min(
    size.value.width / (layout.width + 20),
    (size.value.height - BELOW_PX) / (layout.height + 20),
    1.35,
  )
  const height = Math.max(
    STILL_READABLE,
    Math.min(READABLE, (size.value.height - BELOW_PX) / (layout.height + 20)),
  )
  const scale = chosen.value ?? Math.max(fit, height)

  useLayoutEffect(() => {
    const element = room.current!
    const sizes = new ResizeObserver(() => {
      size.value = { width: element.clientWidth, height: element.clientHeight }
    })
    sizes.observe(element)
    return () => sizes.disconnect()
  }, [])
  useEffect(() => {
    const element = room.current
    const node = layout.nodes.find(({ id }) => id === centre)
    if (element === null || node === undefined) return
    element.scrollTo({
      left: (node.x + node.width / 2) * scale - element.clientWidth / 2,
      top: (node.y + node.height / 2) * scale - element.clientHeight / 2,
    })
  }, [centre, scale, layout])

  const zoom = (factor: number) => {
    chosen.value = Math.min(LARGEST, Math.max(Math.min(fit, READABLE), scale * factor))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === '+' || event.key === '=') zoom(STEP)
    else if (event.key === '-') zoom(1 / STEP)
    else if (event.key === '0') chosen.value = fit
    else return
    event.preventDefault()
  }
  return (
    <div class="chart-frame">
      <div
        ref={room}
        class="chart-scroll"
        tabIndex={0}
        role="region"
        aria-label="Chart, to scroll; plus and minus zoom, 0 fits"
        onKeyDown={onKeyDown}
        onWheel={(event) => {
          if (!event.ctrlKey) return
          event.preventDefault()
          zoom(event.deltaY > 0 ? 1 / STEP : STEP)
        }}
      >
        {children(layout, scale)}
      </div>
      <ZoomTools class="chart-tools" onZoom={zoom} onFit={() => (chosen.value = fit)} />
    </div>
  )
}

/** How much of a layout a room shows where its words can be read. */
function sharePictured({ width, height }: ChartLayout, room: { width: number; height: number }): number {
  const across = Math.min(1, room.width / (width * READABLE))
  return across * Math.min(1, room.height / (height * READABLE))
}
