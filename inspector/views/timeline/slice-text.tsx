import { useMemo } from 'preact/hooks'
import { formatClock, formatDuration, plainText } from '../../model/format.ts'
import { EXECUTING, FAILED, isQueued } from '../../model/job-states.ts'
import type { RunStore } from '../../model/run-store.ts'
import { OPEN } from '../../model/slices.ts'
import { store } from '../../state/session.ts'
import { HiddenTable } from '../../ui/hidden-table.tsx'
import { StateMark, stateName } from '../../ui/state-mark.tsx'
import { useRested } from '../../ui/use-rested.ts'

const SHOWN = 100

const wordOf = (outcome: number): string =>
  outcome === OPEN ? 'runs' : isQueued(outcome) ? 'failed, tried again' : stateName(outcome)

/** An attempt in a line of words. */
export function SliceText({ slice }: { slice: number }) {
  const run = store.value!
  const { slices } = run
  const job = slices.job.data[slice]!
  const outcome = slices.outcome.data[slice]!
  const start = slices.start.data[slice]!
  return (
    <>
      <StateMark state={outcome === OPEN ? EXECUTING : isQueued(outcome) ? FAILED : outcome} />{' '}
      <b>{plainText(run.nameOf(job))}</b> <span class="mono muted">{plainText(run.idOf(job))}</span> attempt{' '}
      {slices.attempt.data[slice]} {wordOf(outcome)} · slot {slices.slot.data[slice]} · at{' '}
      {formatClock(start - run.epoch)} · waited {formatDuration(start - slices.readyAt.data[slice]!)} · ran{' '}
      {formatDuration(slices.endOf(slice, run.end) - start)}
    </>
  )
}

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
        wordOf(slices.outcome.data[slice]!),
        formatDuration(slices.endOf(slice, run.end) - slices.start.data[slice]!),
      ])}
    />
  )
}
