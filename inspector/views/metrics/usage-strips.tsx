import { useSignal } from '@preact/signals'
import { useMemo, useRef } from 'preact/hooks'
import { formatClock, formatShare } from '../../model/format.ts'
import { formatSpan } from '../../model/span.ts'
import { slotUsage } from '../../model/usage.ts'
import { go } from '../../state/route.ts'
import { store, tick } from '../../state/session.ts'
import { Canvas, type Surface } from '../../ui/canvas.tsx'
import { HiddenTable } from '../../ui/hidden-table.tsx'

const PARTS = 200
const PAGE_PARTS = 20
const ROW_PX = 15
const TALLEST_PX = 420
const EVERY_TICKS = 10

interface Place {
  readonly lane: number
  readonly part: number
}

/** A strip for each slot, darker where it was busier, and its share of the whole run. */
export function UsageStrips() {
  const run = store.value!
  const lanes = run.slices.lanes.length
  const usage = useMemo(
    () => slotUsage(run, run.epoch, Math.max(run.end, run.epoch + 1), PARTS),
    [run, Math.floor(tick.value / EVERY_TICKS)],
  )
  const box = useRef<HTMLDivElement>(null)
  const cursor = useSignal<Place | undefined>(undefined)
  const hovered = useSignal<Place | undefined>(undefined)
  if (lanes === 0) return <p class="muted">Nothing has run yet.</p>

  const shares = Array.from({ length: lanes }, (_, lane) => {
    let sum = 0
    for (let part = 0; part < PARTS; part++) sum += usage[lane * PARTS + part]!
    return sum / PARTS
  })
  const rowHeight = Math.max(2, Math.min(ROW_PX, TALLEST_PX / lanes))
  const hasNames = rowHeight >= 12
  const paint = ({ context, width, height, palette }: Surface) => {
    const column = width / PARTS
    for (let lane = 0; lane < lanes; lane++) {
      const top = (lane * height) / lanes
      context.globalAlpha = 1
      context.fillStyle = palette.surface2.css
      context.fillRect(0, top, width, height / lanes - 1)
      context.fillStyle = palette.states[3]!.css
      for (let part = 0; part < PARTS; part++) {
        const share = usage[lane * PARTS + part]!
        if (share <= 0) continue
        context.globalAlpha = Math.min(1, 0.08 + share * 0.92)
        const left = Math.round(part * column)
        context.fillRect(left, top, Math.round((part + 1) * column) - left, height / lanes - 1)
      }
    }
    context.globalAlpha = 1
    const at = cursor.value
    if (at === undefined) return
    context.strokeStyle = palette.text.css
    context.lineWidth = 2
    const frame = Math.max(4, column)
    context.strokeRect(
      (at.part + 0.5) * column - frame / 2,
      (at.lane * height) / lanes,
      frame,
      height / lanes - 1,
    )
  }
  const find = (event: MouseEvent): Place => {
    const { left, top, width, height } = box.current!.getBoundingClientRect()
    const place = (share: number, count: number) =>
      Math.max(0, Math.min(count - 1, Math.floor(share * count)))
    return {
      lane: place((event.clientY - top) / height, lanes),
      part: place((event.clientX - left) / width, PARTS),
    }
  }
  const instant = (part: number) => ((run.end - run.epoch) * part) / PARTS
  const open = ({ part }: Place) =>
    go('timeline', {
      zoom: formatSpan({ from: run.epoch + instant(part), to: run.epoch + instant(part + 1) }, run.epoch),
    })
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const move = MOVES[event.key]
    if (move !== undefined) {
      const [lane, part] = cursor.value === undefined ? [0, 0] : move(cursor.value)
      cursor.value = {
        lane: Math.max(0, Math.min(lanes - 1, lane)),
        part: Math.max(0, Math.min(PARTS - 1, part)),
      }
    } else if (event.key === 'Enter' && cursor.value !== undefined) open(cursor.value)
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  const tell = ({ lane, part }: Place) =>
    `slot ${lane}, ${formatClock(instant(part))} to ${formatClock(instant(part + 1))}: ${formatShare(usage[lane * PARTS + part]!, 1)} busy`
  const told = hovered.value ?? cursor.value
  const mean = shares.reduce((sum, share) => sum + share, 0) / lanes
  return (
    <>
      <div class="usage" style={{ height: `${rowHeight * lanes}px` }}>
        {hasNames && (
          <ol class="usage-names" aria-hidden="true">
            {shares.map((_, lane) => (
              <li key={lane}>slot {lane}</li>
            ))}
          </ol>
        )}
        <div
          ref={box}
          class="usage-picture"
          role="application"
          tabIndex={0}
          aria-label={`${lanes} slots, ${formatShare(mean, 1)} busy on average: arrows move, Enter opens the timeline there`}
          aria-describedby="usage-cursor"
          aria-details="usage-table"
          onKeyDown={onKeyDown}
          onPointerMove={(event) => (hovered.value = find(event))}
          onPointerLeave={() => (hovered.value = undefined)}
          onClick={(event) => open(find(event))}
        >
          <Canvas
            class="picture-canvas"
            paint={paint}
            version={`${Math.floor(tick.value / EVERY_TICKS)},${cursor.value?.lane},${cursor.value?.part}`}
          />
        </div>
        {hasNames && (
          <ol class="usage-names num" aria-hidden="true">
            {shares.map((share, lane) => (
              <li key={lane}>{formatShare(share, 1)}</li>
            ))}
          </ol>
        )}
      </div>
      <p class="muted" id="usage-cursor" aria-live="polite">
        {told === undefined ? `${formatShare(mean, 1)} busy on average, over the whole run.` : tell(told)}
      </p>
      <HiddenTable
        id="usage-table"
        caption={
          cursor.value === undefined
            ? 'How busy each slot was'
            : `How busy each slot was, and from ${formatClock(instant(cursor.value.part))} to ${formatClock(instant(cursor.value.part + 1))}`
        }
        columns={['Slot', 'Over the whole run', 'At the cursor']}
        current={cursor.value?.lane ?? -1}
        rows={shares.map((share, lane) => [
          lane,
          formatShare(share, 1),
          cursor.value === undefined ? '' : formatShare(usage[lane * PARTS + cursor.value.part]!, 1),
        ])}
      />
    </>
  )
}

const MOVES: Readonly<Record<string, (at: Place) => [lane: number, part: number]>> = {
  ArrowUp: ({ lane, part }) => [lane - 1, part],
  ArrowDown: ({ lane, part }) => [lane + 1, part],
  ArrowLeft: ({ lane, part }) => [lane, part - 1],
  ArrowRight: ({ lane, part }) => [lane, part + 1],
  PageUp: ({ lane, part }) => [lane, part - PAGE_PARTS],
  PageDown: ({ lane, part }) => [lane, part + PAGE_PARTS],
  Home: ({ lane }) => [lane, 0],
  End: ({ lane }) => [lane, PARTS - 1],
}
