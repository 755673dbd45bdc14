import { formatClock, formatDuration, plainText } from '../model/format.ts'
import { EXECUTING, FAILED, isQueued } from '../model/job-states.ts'
import { OPEN } from '../model/slices.ts'
import { store } from '../state/session.ts'
import { StateMark, stateName } from './state-mark.tsx'

/** How an attempt went, in a word. */
export const outcomeWord = (outcome: number): string =>
  outcome === OPEN ? 'runs' : isQueued(outcome) ? 'failed, tried again' : stateName(outcome)

/** The sign of how an attempt went; one that was tried again has failed. */
export function OutcomeMark({ outcome }: { outcome: number }) {
  return <StateMark state={outcome === OPEN ? EXECUTING : isQueued(outcome) ? FAILED : outcome} />
}

/** An attempt in a line of words, as it was known at `until`. */
export function SliceText({ slice, until }: { slice: number; until: number }) {
  const run = store.value!
  const { slices } = run
  const job = slices.job.data[slice]!
  const outcome = slices.outcomeAt(slice, until)
  const start = slices.start.data[slice]!
  return (
    <>
      <OutcomeMark outcome={outcome} /> <b>{plainText(run.nameOf(job))}</b>{' '}
      <span class="mono muted">{plainText(run.idOf(job))}</span> attempt {slices.attempt.data[slice]}{' '}
      {outcomeWord(outcome)} · slot {slices.slot.data[slice]} · at {formatClock(start - run.epoch)} · waited{' '}
      {formatDuration(start - slices.readyAt.data[slice]!)} · ran{' '}
      {formatDuration(Math.min(until, slices.endOf(slice, until)) - start)}
    </>
  )
}
