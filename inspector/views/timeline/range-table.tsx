import { useMemo } from 'preact/hooks'
import { formatClock, formatCount, formatDuration, plainText } from '../../model/format.ts'
import { figuresOf } from '../../model/range.ts'
import { selectJob } from '../../state/route.ts'
import { store, tick } from '../../state/session.ts'
import { Icon } from '../../ui/icons.tsx'
import { KindTable } from '../../ui/kind-table.tsx'

/** What ran in a chosen range of time, by kind. */
export function RangeTable({ from, to, onClose }: { from: number; to: number; onClose: () => void }) {
  const run = store.value!
  const figures = useMemo(() => figuresOf(run, from, to, run.end), [from, to, tick.value])
  const attempts = figures.reduce((sum, each) => sum + each.attempts, 0)
  const busy = figures.reduce((sum, each) => sum + each.busyMs, 0)
  return (
    <section class="card range" aria-label="Figures of the range">
      <header class="card-head">
        <h2>
          {formatClock(from - run.epoch)} to {formatClock(to - run.epoch)}
        </h2>
        <span class="muted">
          {formatCount(attempts)} attempts, {formatDuration(busy)} of work in {formatDuration(to - from)}
        </span>
        <div class="card-aside">
          <button type="button" class="plain square" aria-label="Close the figures" onClick={onClose}>
            <Icon name="close" />
          </button>
        </div>
      </header>
      <KindTable
        figures={figures}
        nameOf={(job) => plainText(run.nameOf(job))}
        onJob={(job) => selectJob(run.idOf(job))}
      />
    </section>
  )
}
