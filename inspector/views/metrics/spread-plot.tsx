import { formatDuration, plainText } from '../../model/format.ts'
import type { KindFigures } from '../../model/range.ts'
import { selectJob } from '../../state/route.ts'
import { store } from '../../state/session.ts'

const SHOWN = 14
const LEAST_MS = 0.01

/** Each kind as a bar from its median to its 95th percentile, and its longest attempt by name; on a logarithmic scale. */
export function SpreadPlot({ figures }: { figures: readonly KindFigures[] }) {
  const run = store.value!
  const shown = figures.filter(({ p50Ms }) => !Number.isNaN(p50Ms)).slice(0, SHOWN)
  if (shown.length === 0) return <p class="muted">No attempt has ended yet.</p>
  const low = Math.log(Math.max(LEAST_MS, Math.min(...shown.map(({ p50Ms }) => p50Ms)) / 1.6))
  const high = Math.log(Math.max(LEAST_MS * 2, ...shown.map(({ maxMs }) => maxMs)) * 1.15)
  const place = (ms: number) =>
    `${Math.max(0, Math.min(100, ((Math.log(Math.max(LEAST_MS, ms)) - low) / (high - low)) * 100))}%`
  const width = (from: number, to: number) => `calc(${place(to)} - ${place(from)})`
  return (
    <>
      <ul class="spreads">
        {shown.map((each) => (
          <li key={each.kind}>
            <span class="ellipsis">{plainText(each.kind) || 'without a name'}</span>
            <span class="spread">
              <i class="whisker" style={{ left: place(each.p50Ms), width: width(each.p50Ms, each.maxMs) }} />
              <i
                class="spread-box"
                style={{ left: place(each.p50Ms), width: width(each.p50Ms, each.p95Ms) }}
              />
              <button
                type="button"
                class="extreme"
                style={{ left: place(each.maxMs) }}
                title={`Longest: ${plainText(run.nameOf(each.longest))}, ${formatDuration(each.maxMs)}`}
                aria-label={`Longest of ${plainText(each.kind)}: ${plainText(run.nameOf(each.longest))}, ${formatDuration(each.maxMs)}`}
                onClick={() => selectJob(run.idOf(each.longest))}
              />
            </span>
            <span class="muted num">
              {formatDuration(each.p50Ms)} · {formatDuration(each.p95Ms)} · {formatDuration(each.maxMs)}
            </span>
          </li>
        ))}
      </ul>
      <p class="muted spread-note">
        {shown.length < figures.length && `${shown.length} of ${figures.length} kinds. `}From p50 to p95, the
        dot is the longest; logarithmic. Right: p50 · p95 · longest.
      </p>
    </>
  )
}
