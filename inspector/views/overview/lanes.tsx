import { useSignal } from '@preact/signals'
import { useMemo, useRef } from 'preact/hooks'
import { LanePicture, type LaneView, sliceAt } from '../../draw/lanes.ts'
import { formatDuration, plainText } from '../../model/format.ts'
import { restTick } from '../../state/rest.ts'
import { hrefOf, selectJob } from '../../state/route.ts'
import { store, tick } from '../../state/session.ts'
import { momentOf, peekMoment, seek } from '../../state/time.ts'
import { Canvas } from '../../ui/canvas.tsx'
import { HiddenTable } from '../../ui/hidden-table.tsx'
import { SliceText } from '../../ui/slice-text.tsx'
import { stateName } from '../../ui/state-mark.tsx'

const TALLEST = 96
const SHOWN_ROWS = 64

/** All slots over the whole run, compressed; what lies after the moment is dimmed. */
export function Lanes() {
  const run = store.value!
  const moment = momentOf(run)
  const box = useRef<HTMLDivElement>(null)
  const hovered = useSignal(-1)
  const bars = useMemo(() => new LanePicture(), [])
  const lanes = Math.max(1, run.slices.lanes.length)
  const view = (height: number): LaneView => ({
    from: run.epoch,
    to: Math.max(run.end, run.epoch + 1),
    laneHeight: Math.max(1, Math.min(TALLEST, height / lanes)),
    scroll: 0,
    until: run.end,
  })
  const share = run.end > run.epoch ? (moment.at - run.epoch) / (run.end - run.epoch) : 1
  const find = (event: MouseEvent) => {
    const { left, top, width, height } = box.current!.getBoundingClientRect()
    return sliceAt(run, view(height), width, event.clientX - left, event.clientY - top)
  }
  return (
    <div class="lanes" ref={box}>
      <Canvas
        class="lanes-canvas"
        role="img"
        aria-label={`${lanes} slots over ${formatDuration(run.end - run.epoch)}; the table after it tells what each slot holds at the moment shown`}
        version={tick.value}
        paint={(surface) => bars.draw(surface, run, view(surface.height))}
        onPointerMove={(event) => {
          if (event.buttons === 1) {
            const { left, width } = box.current!.getBoundingClientRect()
            seek(run.epoch + ((event.clientX - left) / width) * (run.end - run.epoch))
          } else hovered.value = find(event)
        }}
        onPointerLeave={() => (hovered.value = -1)}
        onClick={(event) => {
          const slice = find(event)
          if (slice >= 0) selectJob(run.idOf(run.slices.job.data[slice]!))
        }}
      />
      <i class="shade" style={{ left: `${share * 100}%` }} />
      <p class="lanes-hint">
        {hovered.value >= 0 ? (
          <SliceText slice={hovered.value} />
        ) : (
          <a class="link" href={hrefOf('timeline')}>
            Open the timeline
          </a>
        )}
      </p>
      <SlotTable />
    </div>
  )
}

/** What each slot holds, for who cannot see the picture. */
function SlotTable() {
  void restTick.value
  const run = store.peek()!
  const moment = peekMoment(run)
  const slots = moment.slots()
  return (
    <HiddenTable
      caption={`Slots at the moment shown: ${Math.min(slots.length, SHOWN_ROWS)} of ${slots.length}`}
      columns={['Slot', 'Job']}
      rows={Array.from(slots.subarray(0, SHOWN_ROWS), (job, slot) => [
        slot,
        job < 0 ? 'free' : `${plainText(run.nameOf(job))}, ${stateName(moment.stateOf(job))}`,
      ])}
    />
  )
}
