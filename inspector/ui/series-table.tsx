import type { Signal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { upperBound } from '../model/column.ts'
import { formatClock } from '../model/format.ts'
import { restTick } from '../state/rest.ts'
import { store } from '../state/session.ts'
import { peekMoment } from '../state/time.ts'
import { HiddenTable } from './hidden-table.tsx'

const SHOWN = 20

interface Props {
  readonly id: string
  readonly caption: string
  readonly columns: readonly string[]
  /** Instants in ms since the run's start, then a column of values for each of `columns`. */
  readonly data: () => readonly ArrayLike<number>[]
  /** The place that the picture's cursor is on; -1 for none: then the moment shown is. */
  readonly cursor: Signal<number>
  readonly format: (value: number) => string
}

/**
 * What a picture over the run's time shows around its cursor, for who cannot see it.
 *
 * It is made anew when the cursor moves, and when the moment rests: its picture may be drawn more often.
 */
export function SeriesTable(props: Props) {
  return useMemo(() => <Rows {...props} />, [props.id, props.cursor])
}

function Rows({ id, caption, columns, data, cursor, format }: Props) {
  void restTick.value
  const run = store.peek()!
  const values = data()
  const [instants = []] = values
  const { length } = instants
  const shown = upperBound(instants, peekMoment(run).at - run.epoch, 0, length) - 1
  const current = Math.max(0, Math.min(length - 1, cursor.value >= 0 ? cursor.value : shown))
  const first = Math.max(0, Math.min(length - SHOWN, current - (SHOWN >> 1)))
  const places = Array.from({ length: Math.min(SHOWN, length) }, (_, row) => first + row)
  return (
    <HiddenTable
      id={id}
      caption={`${caption}: ${places.length} of ${length} instants`}
      columns={['At', ...columns]}
      current={current - first}
      rows={places.map((place) => [
        formatClock(instants[place]!),
        ...columns.map((_, column) => format(Number(values[column + 1]?.[place] ?? 0))),
      ])}
    />
  )
}
