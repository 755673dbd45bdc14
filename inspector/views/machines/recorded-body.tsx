import type { ComponentChildren } from 'preact'
import { leavesOf } from '../../model/actor.ts'
import { formatClock, formatCount, plainText } from '../../model/format.ts'
import { machineOf } from '../../state/charts.ts'
import { header, store } from '../../state/session.ts'
import { momentOf, seek } from '../../state/time.ts'
import { ChartView } from '../../ui/chart.tsx'
import { ChartRoom } from '../../ui/chart-room.tsx'
import { Empty } from '../../ui/parts.tsx'

const SHOWN_STATES = 100
const EXECUTOR = 'machine'

/** The rows of `bodies` about a job until the moment shown; `undefined` for one that runs no machine, or has not yet. */
export function bodyRows(job: number): readonly number[] | undefined {
  const run = store.value!
  const moment = momentOf(run)
  if (job < 0) return undefined
  const rows = run.bodies.until(job, moment.at)
  const last = rows.at(-1)
  if (last !== undefined) return run.bodies.machine.data[last] === 0 ? undefined : rows
  const runsActors = run.text(run.jobs.executor.data[job]!) === EXECUTOR
  return runsActors && moment.sliceOf(job) >= 0 ? rows : undefined
}

/** What the machine of a job is called, as far as the recording knows. */
export function bodyName(rows: readonly number[]): string {
  const run = store.value!
  const last = rows.at(-1)
  const machine = last === undefined ? undefined : machineOf(run, run.text(run.bodies.machine.data[last]!))
  return machine?.id ?? 'its machine'
}

/** The chart of the machine that a job ran, where it was at the moment shown; or why the recording does not have it. */
export function RecordedBody({ rows }: { rows: readonly number[] }) {
  const run = store.value!
  const row = rows.at(-1)
  if (row === undefined) return <NoBody />
  const machine = machineOf(run, run.text(run.bodies.machine.data[row]!))
  if (machine === undefined) return <Empty icon="machines" title="Laying out its chart …" />
  if ('missing' in machine) return <Missing>{`The recording has no ${plainText(machine.missing)}.`}</Missing>
  const states = activeIn(row)
  const active = new Set(states)
  const { attempt } = run.bodies
  const before = rows.filter((each) => attempt.data[each] === attempt.data[row]).length - 1
  return (
    <>
      {states === undefined && (
        <p class="chart-word" role="status">
          {before > 0
            ? `The recording holds the first ${formatCount(before)} states of this attempt, and this moment lies after them.`
            : 'The machine had ended before anybody could see where it was: no state of it is recorded.'}
        </p>
      )}
      <ChartRoom chart={machine} centre={states?.at(-1)}>
        {(layout, scale) => (
          <ChartView layout={layout} scale={scale} label={`Chart of ${machine.id}`} marks={{ active }} />
        )}
      </ChartRoom>
    </>
  )
}

/** Each state the machine was in until the moment shown, newest first; a click goes to its moment. */
export function BodyStates({ rows }: { rows: readonly number[] }) {
  const run = store.value!
  const { at, attempt } = run.bodies
  const shown = rows.slice(-SHOWN_STATES).reverse()
  if (shown.length === 0) return <p class="muted">The recording holds no state of its machine.</p>
  return (
    <>
      {shown.length < rows.length && (
        <p class="muted">
          The last {shown.length} of {formatCount(rows.length)} states.
        </p>
      )}
      <ol class="steps actor-steps">
        {shown.map((row) => (
          <li key={row}>
            <button type="button" class="link mono" onClick={() => seek(at.data[row]!)}>
              {formatClock(at.data[row]! - run.epoch)}
            </button>
            <code>{leavesText(activeIn(row))}</code>
            <span class="muted">attempt {attempt.data[row]}</span>
          </li>
        ))}
      </ol>
    </>
  )
}

function NoBody() {
  return (
    <Missing>
      {header.value?.id === 'trace' ? (
        <>
          It was made from a store, which keeps what happened to jobs, but no definitions of machines and none
          of their states. A recording made while a run goes on has both:{' '}
          <code>espalier run … --report run.html</code>, or the page’s own export.
        </>
      ) : (
        'The attempt had ended before the recording began.'
      )}
    </Missing>
  )
}

const Missing = ({ children }: { children: ComponentChildren }) => (
  <Empty icon="machines" title="This recording does not hold the chart of its machine">
    <p>{children}</p>
  </Empty>
)

function activeIn(row: number): readonly string[] | undefined {
  const run = store.value!
  const text = run.text(run.bodies.active.data[row]!)
  return text === '' ? undefined : (JSON.parse(text) as string[])
}

/** `lamp.on, lamp.fan.slow`. */
const leavesText = (states: readonly string[] | undefined): string =>
  states === undefined ? 'not recorded' : plainText(leavesOf(states).join(', '))
