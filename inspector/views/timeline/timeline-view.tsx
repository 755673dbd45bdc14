import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { drawAxis } from '../../draw/axis.ts'
import { drawFlow, drawLaneLabels, drawWaits, frameSlice } from '../../draw/lane-details.ts'
import { LanePicture, type LaneView, sliceAt } from '../../draw/lanes.ts'
import { formatClock, formatCount, formatDuration } from '../../model/format.ts'
import { findJobs } from '../../model/job-list.ts'
import { restTick } from '../../state/rest.ts'
import { route, selectedId, setParams } from '../../state/route.ts'
import { store, tick } from '../../state/session.ts'
import { isFollowing, momentOf, momentTick } from '../../state/time.ts'
import { Canvas, type Surface } from '../../ui/canvas.tsx'
import { LanesKey } from '../../ui/lanes-key.tsx'
import { Empty } from '../../ui/parts.tsx'
import { SearchBox } from '../../ui/search-box.tsx'
import { SliceTable } from '../../ui/slice-table.tsx'
import { SliceText } from '../../ui/slice-text.tsx'
import { useLinkedSpan } from '../../ui/use-linked-span.ts'
import { useSliceCursor } from '../../ui/use-slice-cursor.ts'
import { useZoom } from '../../ui/use-zoom.ts'
import { ZoomTools } from '../../ui/zoom-tools.tsx'
import { RangeTable } from './range-table.tsx'

const LEAST_MS = 0.05
const LANE_PX = 22
const LANE_MAX_PX = 56
const AXIS_PX = 24
const NAMES_PX = 58

/** A lane for each slot, a bar for each attempt. */
export function TimelineView() {
  const run = store.value!
  if (run.slices.length === 0) {
    return (
      <Empty icon="timeline" title="Nothing has run yet">
        <p>Each attempt will be a bar on the lane of its slot.</p>
      </Empty>
    )
  }
  return <Timeline />
}

function Timeline() {
  const run = store.value!
  const { slices } = run
  const moment = momentOf(run)
  const box = useRef<HTMLDivElement>(null)
  /** Of the picture, in CSS pixels: known once it is laid out. */
  const height = useSignal(300)
  const scroll = useSignal(0)
  const hovered = useSignal(-1)
  /** Chosen with the pointer while Shift is down, epoch ms; a range goes from where the press was, to either side. */
  const range = useLinkedSpan('range', run.epoch)
  const text = route.value.params.q ?? ''
  const lanes = slices.lanes.length
  const bounds = { low: run.epoch, high: Math.max(run.end, run.epoch + 1), least: LEAST_MS }
  const zoom = useZoom(box, bounds, useLinkedSpan('zoom', run.epoch))
  const lit = useMemo(() => {
    if (text === '') return undefined
    return new Set(findJobs(run, moment, text))
  }, [text, restTick.value])
  const selected = run.find(selectedId.value)

  const until = isFollowing.value ? run.end : moment.at
  const keys = useSliceCursor({ until, pageMs: zoom.to - zoom.from }, (slice) => reveal(slice))
  const cursor = keys.slice

  const bars = useMemo(() => new LanePicture(), [])
  const laneHeight = (height: number) => Math.max(LANE_PX, Math.min(LANE_MAX_PX, (height - AXIS_PX) / lanes))
  const view = (height: number): LaneView => ({
    from: zoom.from,
    to: zoom.to,
    laneHeight: laneHeight(height),
    scroll: scroll.value,
    until,
    lit,
  })
  const place = (event: MouseEvent) => {
    const { left, top, width, height } = box.current!.getBoundingClientRect()
    return { x: event.clientX - left, y: event.clientY - top - AXIS_PX, width, height }
  }
  const find = (event: MouseEvent) => {
    const { x, y, width, height } = place(event)
    return y < 0 ? -1 : sliceAt(run, view(height), width, x, y)
  }
  const timeAt = (event: MouseEvent) => {
    const { x, width } = place(event)
    return zoom.from + (x / width) * (zoom.to - zoom.from)
  }
  const reveal = (slice: number) => {
    const start = slices.start.data[slice]!
    zoom.reveal(start, slices.endOf(slice, run.end))
    const top = slices.slot.data[slice]! * laneHeight(height.value)
    if (top < scroll.value) scroll.value = top
    else if (top + laneHeight(height.value) > scroll.value + height.value - AXIS_PX)
      scroll.value = top + laneHeight(height.value) - height.value + AXIS_PX
  }
  const fitSlice = (slice: number) => {
    const [start, end] = [slices.start.data[slice]!, slices.endOf(slice, run.end)]
    const room = Math.max(1, end - start) * 2
    zoom.set(start - room, end + room)
  }
  const scrollBy = (by: number) => {
    const most = Math.max(0, lanes * laneHeight(height.value) - height.value + AXIS_PX)
    scroll.value = Math.max(0, Math.min(most, scroll.value + by))
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'f' && cursor.value >= 0) fitSlice(cursor.value)
    else if (event.key === 'Escape' && range.value !== undefined) range.value = undefined
    else if (!keys.onKey(event) && !zoom.onKey(event)) return
    event.preventDefault()
    event.stopPropagation()
  }

  useLayoutEffect(() => {
    const element = box.current!
    const sizes = new ResizeObserver(() => {
      height.value = element.clientHeight
    })
    sizes.observe(element)
    return () => sizes.disconnect()
  }, [])

  // A link to a job in the timeline shows its last attempt, from near; the span in view then takes its place in the address.
  const focus = route.value.params.focus ?? ''
  const focused = focus === '' ? -1 : (run.jobs.lastSlice.data[run.find(focus)] ?? -1)
  useEffect(() => {
    if (focused < 0) return
    fitSlice(focused)
    cursor.value = focused
    reveal(focused)
    setParams({ focus: '' })
  }, [focused])

  const paint = (surface: Surface) => {
    const { context, width, height, palette } = surface
    const body = view(height)
    const inner = { ...surface, height: height - AXIS_PX }
    bars.draw(inner, run, body, AXIS_PX)
    drawAxis(surface, zoom.from - run.epoch, zoom.to - run.epoch, AXIS_PX)
    context.save()
    context.beginPath()
    context.rect(0, AXIS_PX, width, height)
    context.clip()
    context.translate(0, AXIS_PX)
    drawWaits(inner, run, body)
    drawFlow(inner, run, body, selected)
    drawLaneLabels(inner, run, body, selected)
    frameSlice(inner, run, body, cursor.value)
    context.restore()
    const x = (at: number) => ((at - zoom.from) / (zoom.to - zoom.from)) * width
    if (range.value !== undefined) {
      context.fillStyle = palette.accent.css
      context.globalAlpha = 0.18
      context.fillRect(x(range.value.from), 0, x(range.value.to) - x(range.value.from), height)
      context.globalAlpha = 1
    }
    context.fillStyle = palette.playhead.css
    context.fillRect(x(moment.at) - 1, 0, 2, height)
  }
  const told = hovered.value >= 0 ? hovered.value : cursor.value
  return (
    <div class="view">
      <div class="view-head">
        <SearchBox
          value={text}
          placeholder="Light up jobs: state:failed kind:load or words"
          onChange={(q) => setParams({ q })}
        />
        <p class="of" role="status">
          {lit !== undefined && (
            <>
              <b>{formatCount(lit.size)}</b> of {formatCount(moment.total)} jobs lit ·{' '}
            </>
          )}
          {formatDuration(zoom.to - zoom.from)} of {formatDuration(run.end - run.epoch)}
        </p>
        <div class="view-tools">
          <ZoomTools onZoom={zoom.by} onFit={zoom.fit} />
        </div>
      </div>
      <div class="timeline-room">
        <ol
          class="lane-names"
          aria-hidden="true"
          style={{ width: `${NAMES_PX}px`, paddingTop: `${AXIS_PX}px` }}
        >
          <LaneNames
            lanes={lanes}
            scroll={scroll.value}
            laneHeight={laneHeight(height.value)}
            height={height.value}
          />
        </ol>
        <div
          ref={box}
          class="card picture"
          role="application"
          tabIndex={0}
          aria-label="Timeline: arrows move from attempt to attempt, Enter opens its job, plus and minus zoom, 0 fits. Shift and drag chooses a range"
          aria-describedby="timeline-cursor"
          aria-details="timeline-table"
          onKeyDown={onKeyDown}
          onWheel={(event) => event.shiftKey && scrollBy(event.deltaY || event.deltaX)}
          onPointerDown={(event) => {
            if (!event.shiftKey) return
            event.currentTarget.setPointerCapture(event.pointerId)
            const at = timeAt(event)
            range.value = { from: at, to: at }
            event.stopImmediatePropagation()
          }}
          onPointerMove={(event) => {
            if (event.shiftKey && event.buttons === 1 && range.value !== undefined) {
              range.value = { ...range.value, to: timeAt(event) }
              event.stopImmediatePropagation()
            } else if (event.buttons === 0) hovered.value = find(event)
          }}
          onPointerLeave={() => (hovered.value = -1)}
          onPointerUp={() => {
            if (range.value !== undefined && range.value.from === range.value.to) range.value = undefined
          }}
          onClick={(event) => {
            if (zoom.wasDragged() || event.shiftKey) return
            keys.open(find(event))
          }}
        >
          <Canvas
            class="picture-canvas"
            version={[
              tick.value,
              momentTick.value,
              zoom.from,
              zoom.to,
              scroll.value,
              cursor.value,
              selected,
              range.value?.to,
              text,
            ].join()}
            paint={paint}
          />
        </div>
      </div>
      <div class="picture-foot">
        <p id="timeline-cursor" class="picture-told" aria-live="polite">
          {told >= 0 ? (
            <SliceText slice={told} until={until} />
          ) : (
            <span class="muted">
              The wheel zooms, dragging moves, Shift and dragging chooses a range, Shift and the wheel scrolls
              the lanes.
            </span>
          )}
        </p>
        <LanesKey />
      </div>
      {range.value !== undefined ? (
        <RangeTable
          from={Math.min(range.value.from, range.value.to)}
          to={Math.max(range.value.from, range.value.to)}
          onClose={() => (range.value = undefined)}
        />
      ) : (
        <button
          type="button"
          class="link range-all"
          onClick={() => (range.value = { from: zoom.from, to: zoom.to })}
        >
          Figures of what is in view ({formatClock(zoom.from - run.epoch)} to{' '}
          {formatClock(zoom.to - run.epoch)})
        </button>
      )}
      <SliceTable id="timeline-table" from={zoom.from} to={zoom.to} until={until} cursor={cursor.value} />
    </div>
  )
}

function LaneNames({
  lanes,
  scroll,
  laneHeight,
  height,
}: {
  lanes: number
  scroll: number
  laneHeight: number
  height: number
}) {
  const names = []
  const first = Math.floor(scroll / laneHeight)
  for (let lane = first; lane < lanes && lane * laneHeight - scroll < height; lane++) {
    names.push(
      <li
        key={lane}
        style={{
          height: `${laneHeight}px`,
          ...(lane === first && { marginTop: `${-(scroll % laneHeight)}px` }),
        }}
      >
        slot {lane}
      </li>,
    )
  }
  return <>{names}</>
}
