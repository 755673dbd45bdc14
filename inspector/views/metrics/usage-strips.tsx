import { useMemo } from 'preact/hooks'
import { formatShare } from '../../model/format.ts'
import { slotUsage } from '../../model/usage.ts'
import { store, tick } from '../../state/session.ts'
import { Canvas, type Surface } from '../../ui/canvas.tsx'
import { HiddenTable } from '../../ui/hidden-table.tsx'

const PARTS = 200
const ROW_PX = 15
const TALLEST_PX = 420
const EVERY_TICKS = 10

/** A strip for each slot, darker where it was busier, and its share of the whole run. */
export function UsageStrips() {
  const run = store.value!
  const lanes = run.slices.lanes.length
  const usage = useMemo(
    () => slotUsage(run, run.epoch, Math.max(run.end, run.epoch + 1), PARTS),
    [run, Math.floor(tick.value / EVERY_TICKS)],
  )
  const shares = Array.from({ length: lanes }, (_, lane) => {
    let sum = 0
    for (let part = 0; part < PARTS; part++) sum += usage[lane * PARTS + part]!
    return sum / PARTS
  })
  const rowHeight = Math.max(2, Math.min(ROW_PX, TALLEST_PX / Math.max(1, lanes)))
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
  }
  if (lanes === 0) return <p class="muted">Nothing has run yet.</p>
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
        <div class="usage-picture">
          <Canvas
            class="picture-canvas"
            paint={paint}
            version={usage}
            role="img"
            aria-label={`${lanes} slots, ${formatShare(mean, 1)} busy on average; the table after it tells each`}
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
      <p class="muted">{formatShare(mean, 1)} busy on average, over the whole run.</p>
      <HiddenTable
        caption="How busy each slot was"
        columns={['Slot', 'Busy']}
        rows={shares.map((share, lane) => [lane, formatShare(share, 1)])}
      />
    </>
  )
}
