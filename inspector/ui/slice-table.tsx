import { useMemo } from 'preact/hooks'
import { formatClock, formatDuration, plainText } from '../model/format.ts'
import type { RunStore } from '../model/run-store.ts'
import { slicesAround } from '../model/slice-steps.ts'
import { store } from '../state/session.ts'
import { HiddenTable } from './hidden-table.tsx'
import { outcomeWord, zombieText } from './slice-text.tsx'
import { useRested } from './use-rested.ts'

const SHOWN = 100

interface Props {
  readonly id: string
  /** Epoch ms, as `until`: the instant shown. */
  readonly from: number
  readonly to: number
  readonly until: number
  /** Where the picture's cursor is, -1 for nowhere. */
  readonly cursor: number
}

/** The attempts in view around the cursor, or the newest ones, for who cannot see the picture. */
export function SliceTable({ cursor, ...props }: Props) {
  const run = store.value!
  const [from, to, until] = [useRested(props.from), useRested(props.to), useRested(props.until)]
  return useMemo(
    () => <Rows run={run} {...{ ...props, from, to, until, cursor }} />,
    [run, run.version, from, to, until, cursor],
  )
}

function Rows({ run, id, from, to, until, cursor }: Props & { run: RunStore }) {
  const { slices } = run
  const { shown, total } = slicesAround(run, cursor, { from, to: Math.min(to, until) }, SHOWN)
  return (
    <HiddenTable
      id={id}
      caption={`Attempts in view, newest first: ${shown.length} of ${total ?? `more than ${SHOWN * 10}`}`}
      columns={['Job', 'Attempt', 'Slot', 'Outcome', 'Began', 'Ran']}
      current={shown.indexOf(cursor)}
      rows={shown.map((slice) => {
        const start = slices.start.data[slice]!
        return [
          plainText(run.nameOf(slices.job.data[slice]!)),
          slices.attempt.data[slice],
          slices.slot.data[slice],
          [outcomeWord(slices.outcomeAt(slice, until)), zombieText(run, slice, until)]
            .filter((words) => words !== '')
            .join(', '),
          formatClock(start - run.epoch),
          formatDuration(Math.min(until, slices.endOf(slice, until)) - start),
        ]
      })}
    />
  )
}
