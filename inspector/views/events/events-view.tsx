import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { EVENTS } from '../../../src/protocol/index.ts'
import { listEvents, stateAfter, subjectOf } from '../../model/event-list.ts'
import { formatClock, formatCount, plainText } from '../../model/format.ts'
import { route, selectJob, setParams } from '../../state/route.ts'
import { store } from '../../state/session.ts'
import { isFollowing, momentOf, seek } from '../../state/time.ts'
import { Grid, type GridColumn } from '../../ui/grid.tsx'
import { Empty, Tabs } from '../../ui/parts.tsx'
import { SearchBox } from '../../ui/search-box.tsx'
import { StateMark } from '../../ui/state-mark.tsx'
import { Sequence } from './sequence.tsx'

/** The log of events, or who told whom around one job. */
export function EventsView() {
  const isSequence = route.value.params.as === 'sequence'
  const text = route.value.params.q ?? ''
  return (
    <div class="view">
      <div class="view-head">
        <Tabs
          label="Show the events as"
          names={[
            { name: 'log', title: 'Log' },
            { name: 'sequence', title: 'Sequence' },
          ]}
          current={isSequence ? 'sequence' : 'log'}
          onChoose={(name) => setParams({ as: name === 'sequence' ? 'sequence' : '' })}
        />
        {!isSequence && (
          <SearchBox
            value={text}
            placeholder="Search events: attempt.failed, cancel, or the id of a job"
            onChange={(q) => setParams({ q })}
          />
        )}
        {!isSequence && <Count text={text} />}
      </div>
      {isSequence ? <Sequence /> : <Log text={text} />}
    </div>
  )
}

function Count({ text }: { text: string }) {
  const run = store.value!
  const { step } = momentOf(run)
  const { length } = useMemo(() => listEvents(run, step, text), [step, text])
  return (
    <p class="of" role="status">
      <b>{formatCount(length)}</b> of {formatCount(run.eventCount)} events
    </p>
  )
}

function Log({ text }: { text: string }) {
  const run = store.value!
  const moment = momentOf(run)
  const cursor = useSignal(-1)
  const isAtEnd = useSignal(true)
  const list = useMemo(() => listEvents(run, moment.step, text), [moment.step, text])
  const { log } = run
  const columns: GridColumn[] = [
    {
      key: 'at',
      title: 'At',
      width: '92px',
      isNumber: true,
      cell: (row) => formatClock(log.at.data[list.at(row)]! - run.epoch),
    },
    {
      key: 'event',
      title: 'Event',
      width: 'minmax(150px, 200px)',
      cell: (row) => (
        <code class={toneOf(log.code.data[list.at(row)]!)}>{EVENTS[log.code.data[list.at(row)]!]?.name}</code>
      ),
    },
    {
      key: 'actor',
      title: 'Of',
      width: 'minmax(130px, 1fr)',
      cell: (row) => <span class="ellipsis">{plainText(subjectOf(run, list.at(row)))}</span>,
    },
    {
      key: 'id',
      title: 'Id',
      width: 'minmax(90px, 1fr)',
      cell: (row) => {
        const job = log.job.data[list.at(row)]!
        return job < 0 ? null : <span class="mono muted ellipsis">{plainText(run.idOf(job))}</span>
      },
    },
    {
      key: 'change',
      title: 'From → to',
      width: 'minmax(180px, 1.2fr)',
      cell: (row) => <Change step={list.at(row)} />,
    },
    {
      key: 'detail',
      title: 'Detail',
      width: 'minmax(140px, 2fr)',
      cell: (row) => <span class="muted ellipsis">{plainText(detailOf(list.at(row)))}</span>,
    },
  ]
  return (
    <Grid
      label="Events"
      columns={columns}
      count={list.length}
      cursor={cursor.value}
      onCursor={(row) => {
        cursor.value = row
        isAtEnd.value = false
      }}
      onOpen={(row) => {
        const job = log.job.data[list.at(row)]!
        seek(log.at.data[list.at(row)]!)
        if (job >= 0) selectJob(run.idOf(job))
      }}
      sticksToEnd={isFollowing.value && isAtEnd.value}
      onScroll={(atEnd) => (isAtEnd.value = atEnd)}
      empty={
        <Empty
          icon="events"
          title={
            run.eventCount === 0 ? 'Nothing has happened yet' : 'No event is like this until this moment'
          }
        />
      }
    />
  )
}

function Change({ step }: { step: number }) {
  const run = store.value!
  const { log } = run
  const job = log.job.data[step]!
  const previous = log.previous.data[step]!
  const after = stateAfter(run, step)
  const before = previous < 0 ? '' : stateAfter(run, previous)
  return (
    <>
      {job >= 0 && <StateMark state={log.state.data[step]!} />}
      <span class="ellipsis">
        {before === after ? (
          <span class="muted">{shortOf(after)}</span>
        ) : before === '' ? (
          shortOf(after)
        ) : (
          `${shortOf(before)} → ${shortOf(after)}`
        )}
      </span>
    </>
  )
}

/** `running.executing` as people call it: `executing`; of the pool both its parts. */
const shortOf = (state: string): string => state.replace(/\b\w+\./g, '')

function detailOf(step: number): string {
  const run = store.value!
  const detail = run.log.detail.data[step]!
  const job = run.log.job.data[step]!
  switch (EVENTS[run.log.code.data[step]!]?.name) {
    case 'attempt.failed':
    case 'deadline.reached':
      return detail > 0 ? run.text(run.errors.message.data[detail - 1]!) : ''
    case 'attempt.started':
      return `slot ${detail}`
    case 'attempt.progressed':
      return `${detail / 10} %`
    case 'job.ignored':
      return `${EVENTS[detail]?.name} changed nothing`
    case 'job.cancel':
      return detail > 0 ? run.text(run.cancels.reason.data[detail - 1]!) : ''
    case 'node.decided':
      return detail > 0 ? run.text(run.tree.decisions.why.data[detail - 1]!) : ''
    case 'pool.limited':
      return `${detail} at a time`
    case 'job.submitted':
      return run.kindOf(job)
    default:
      return ''
  }
}

function toneOf(code: number): string {
  const name = EVENTS[code]?.name ?? ''
  if (name === 'attempt.failed') return 's-failed'
  if (name === 'attempt.completed') return 's-completed'
  return name === 'job.cancel' || name === 'job.ignored' ? 's-stopping' : ''
}
