import { useSignal } from '@preact/signals'
import { useMemo, useRef } from 'preact/hooks'
import { frameSlice } from '../../draw/lane-details.ts'
import { LanePicture, type LaneView, sliceAt } from '../../draw/lanes.ts'
import { formatDuration } from '../../model/format.ts'
import { hrefOf } from '../../state/route.ts'
import { store, tick } from '../../state/session.ts'
import { momentOf, seek } from '../../state/time.ts'
import { Canvas } from '../../ui/canvas.tsx'
import { SliceTable } from '../../ui/slice-table.tsx'
import { SliceText } from '../../ui/slice-text.tsx'
import { useSliceCursor } from '../../ui/use-slice-cursor.ts'

const TALLEST = 96
/** A page of the keyboard, as a share of the run. */
const PAGE = 1 / 20

/** All slots over the whole run, compressed; what lies after the moment is dimmed. */
export function Lanes() {
  const run = store.value!
  const moment = momentOf(run)
  const box = useRef<HTMLDivElement>(null)
  const hovered = useSignal(-1)
  const wasDragged = useRef(false)
  const bars = useMemo(() => new LanePicture(), [])
  const lanes = Math.max(1, run.slices.lanes.length)
  const span = run.end - run.epoch
  const keys = useSliceCursor({ until: run.end, pageMs: span * PAGE })
  const cursor = keys.slice.value
  const view = (height: number): LaneView => ({
    from: run.epoch,
    to: Math.max(run.end, run.epoch + 1),
    laneHeight: Math.max(1, Math.min(TALLEST, height / lanes)),
    scroll: 0,
    until: run.end,
  })
  const share = span > 0 ? (moment.at - run.epoch) / span : 1
  const find = (event: MouseEvent) => {
    const { left, top, width, height } = box.current!.getBoundingClientRect()
    return sliceAt(run, view(height), width, event.clientX - left, event.clientY - top)
  }
  const told = hovered.value >= 0 ? hovered.value : cursor
  return (
    <div class="lanes">
      <div
        ref={box}
        class="lanes-picture"
        role="application"
        tabIndex={0}
        aria-label={`${lanes} slots over ${formatDuration(span)}: arrows move from attempt to attempt, Enter opens its job`}
        aria-describedby="lanes-cursor"
        aria-details="lanes-table"
        onKeyDown={(event) => {
          if (!keys.onKey(event)) return
          event.preventDefault()
          event.stopPropagation()
        }}
        onPointerDown={() => (wasDragged.current = false)}
        onPointerMove={(event) => {
          if (event.buttons === 1) {
            wasDragged.current = true
            const { left, width } = box.current!.getBoundingClientRect()
            seek(run.epoch + ((event.clientX - left) / width) * span)
          } else hovered.value = find(event)
        }}
        onPointerLeave={() => (hovered.value = -1)}
        onClick={(event) => wasDragged.current || keys.open(find(event))}
      >
        <Canvas
          class="picture-canvas"
          version={`${tick.value},${cursor}`}
          paint={(surface) => {
            bars.draw(surface, run, view(surface.height))
            frameSlice(surface, run, view(surface.height), cursor)
          }}
        />
        <i class="shade" style={{ left: `${share * 100}%` }} />
      </div>
      <p class="lanes-hint" id="lanes-cursor" aria-live="polite">
        {told >= 0 ? (
          <SliceText slice={told} until={run.end} />
        ) : (
          <a class="link" href={hrefOf('timeline')}>
            Open the timeline
          </a>
        )}
      </p>
      <SliceTable id="lanes-table" from={run.epoch} to={run.end} until={run.end} cursor={cursor} />
    </div>
  )
}
