import { formatClock, formatDuration, plainText } from '../model/format.ts'
import { EXECUTING, FAILED, isQueued } from '../model/job-states.ts'
import type { RunStore } from '../model/run-store.ts'
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

/** How long an attempt has held its slot after it was abandoned, as it was known at `until`; empty for one that has not. */
export function zombieText({ slices }: RunStore, slice: number, until: number): string {
  const ms = slices.zombieMs(slice, until)
  if (ms === undefined) return ''
  const held = slices.isZombie(slice, until) ? 'has held' : 'held'
  return `${held} its slot as a zombie for ${formatDuration(ms)}`
}

/** An attempt in a line of words, as it was known at `until`. */
export function SliceText({ slice, until }: { slice: number; until: number }) {
  const run = store.value!
  const { slices } = run
  const job = slices.job.data[slice]!
  const outcome = slices.outcomeAt(slice, until)
  const start = slices.start.data[slice]!
  const zombie = zombieText(run, slice, until)
  return (
    <>
      <OutcomeMark outcome={outcome} /> <b>{plainText(run.nameOf(job))}</b>{' '}
      <span class="mono muted">{plainText(run.idOf(job))}</span> attempt {slices.attempt.data[slice]}{' '}
      {outcomeWord(outcome)} · slot {slices.slot.data[slice]} · at {formatClock(start - run.epoch)} · waited{' '}
      {formatDuration(start - slices.readyAt.data[slice]!)} · ran{' '}
      {formatDuration(Math.min(until, slices.endOf(slice, until)) - start)}
      {zombie !== '' && ` · ${zombie}`}
    </>
  )
}
