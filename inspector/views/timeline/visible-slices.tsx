import { useMemo } from 'preact/hooks'
import { formatDuration, plainText } from '../../model/format.ts'
import type { RunStore } from '../../model/run-store.ts'
import { store } from '../../state/session.ts'
import { HiddenTable } from '../../ui/hidden-table.tsx'
import { outcomeWord } from '../../ui/slice-text.tsx'
import { useRested } from '../../ui/use-rested.ts'

const SHOWN = 100

/** The attempts in view, for who cannot see the picture. */
export function VisibleSlices({ from, to }: { from: number; to: number }) {
  const run = store.value!
  const [low, high] = [useRested(from), useRested(to)]
  return useMemo(() => <SliceTable run={run} from={low} to={high} />, [run, run.version, low, high])
}

function SliceTable({ run, from, to }: { run: RunStore; from: number; to: number }) {
  const { slices } = run
  const shown: number[] = []
  let inView = 0
  for (let slice = slices.firstAfter(to) - 1; slice >= 0; slice--) {
    if (slices.endOf(slice, run.end) < from) continue
    inView++
    if (shown.length < SHOWN) shown.push(slice)
    // Counting on through a long run would cost more than it tells.
    if (inView > SHOWN * 10) break
  }
  return (
    <HiddenTable
      caption={`Attempts in view, newest first: ${shown.length} of ${
        inView > SHOWN * 10 ? `more than ${SHOWN * 10}` : inView
      }`}
      columns={['Job', 'Attempt', 'Slot', 'Outcome', 'Ran']}
      rows={shown.map((slice) => [
        plainText(run.nameOf(slices.job.data[slice]!)),
        slices.attempt.data[slice],
        slices.slot.data[slice],
        outcomeWord(slices.outcome.data[slice]!),
        formatDuration(slices.endOf(slice, run.end) - slices.start.data[slice]!),
      ])}
    />
  )
}
