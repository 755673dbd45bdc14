import { useSignal } from '@preact/signals'
import type { RecordingHeader } from '../../../src/protocol/index.ts'
import { compareKinds, type KindDelta } from '../../model/compare.ts'
import { formatCount, formatDuration, formatRate, plainText } from '../../model/format.ts'
import { CANCELLED, COMPLETED, FAILED } from '../../model/job-states.ts'
import type { RunStore } from '../../model/run-store.ts'
import { loadRecording, messageOf, recordingOf } from '../../source/recorded.ts'
import { header, store } from '../../state/session.ts'
import { Icon } from '../../ui/icons.tsx'
import { Card, Empty } from '../../ui/parts.tsx'

interface Side {
  readonly header: RecordingHeader
  readonly run: RunStore
  readonly fault?: string
}

/** This run beside another one, which is read from a file: a recording or a report. */
export function CompareView() {
  const other = useSignal<Side | undefined>(undefined)
  const problem = useSignal('')
  const run = store.value
  const read = async (file: File) => {
    problem.value = ''
    try {
      other.value = await loadRecording(await recordingOf(new Uint8Array(await file.arrayBuffer())))
    } catch (error) {
      other.value = undefined
      problem.value = messageOf(error)
    }
  }
  const choose = (
    <label class="button file">
      <Icon name="compare" size={14} />{' '}
      {other.value === undefined ? 'Choose a recording or report' : 'Choose another'}
      <input
        type="file"
        class="visually-hidden"
        accept=".html,.espalier"
        onChange={(event) => {
          const [file] = event.currentTarget.files ?? []
          if (file !== undefined) void read(file)
        }}
      />
    </label>
  )
  if (run === undefined || header.value === undefined || other.value === undefined) {
    return (
      <Card class="fill compare-empty">
        <Empty icon="compare" title="Compare this run with another one">
          <p>The file is read here; it goes nowhere else.</p>
          <p>{choose}</p>
          {problem.value !== '' && (
            <p role="alert" class="s-failed">
              {problem.value}
            </p>
          )}
        </Empty>
      </Card>
    )
  }
  const sides = [{ header: header.value, run }, other.value] as const
  return (
    <div class="view compare">
      <div class="view-head">
        {choose}
        {other.value.fault !== undefined && (
          <span class="s-stopping">The other recording is not whole: {other.value.fault}</span>
        )}
      </div>
      <Totals sides={sides} />
      <Card title="By kind: the other run against this one" class="fill">
        <Deltas deltas={compareKinds(sides[0].run, sides[1].run)} />
      </Card>
    </div>
  )
}

function Totals({ sides }: { sides: readonly [Side, Side] }) {
  const rows: readonly (readonly [string, (run: RunStore) => number, (value: number) => string])[] = [
    ['Took', (run) => run.end - run.epoch, formatDuration],
    ['Jobs', (run) => run.jobCount, formatCount],
    ['Completed', (run) => run.counts[COMPLETED]!, formatCount],
    ['Failed', (run) => run.counts[FAILED]!, formatCount],
    ['Cancelled', (run) => run.counts[CANCELLED]!, formatCount],
    ['Attempts', (run) => run.slices.length, formatCount],
    [
      'Jobs per second',
      (run) => (run.end > run.epoch ? (run.jobCount / (run.end - run.epoch)) * 1000 : 0),
      formatRate,
    ],
    ['Slots', (run) => run.slices.lanes.length, formatCount],
  ]
  const [own, other] = sides
  return (
    <Card title="As a whole">
      <div class="table-room" tabIndex={0} role="region" aria-label="Totals">
        <table class="figures">
          <thead>
            <tr>
              <th scope="col">
                <span class="visually-hidden">What</span>
              </th>
              <th scope="col" class="num">
                {plainText(own.header.title)} (this)
              </th>
              <th scope="col" class="num">
                {plainText(other.header.title)} (other)
              </th>
              <th scope="col" class="num">
                Change
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, take, format]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="num">{format(take(own.run))}</td>
                <td class="num">{format(take(other.run))}</td>
                <td class="num">
                  <Change before={take(own.run)} after={take(other.run)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  )
}

function Deltas({ deltas }: { deltas: readonly KindDelta[] }) {
  return (
    <div class="table-room" tabIndex={0} role="region" aria-label="By kind">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Kind</th>
            {['Attempts', 'other', 'Failed', 'other', 'p50', 'other', 'change', 'p95', 'other', 'change'].map(
              (title, index) => (
                <th key={index} scope="col" class="num">
                  {title}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {deltas.map(({ kind, own, other }) => (
            <tr key={kind}>
              <th scope="row">{plainText(kind) || 'without a name'}</th>
              <td class="num">{count(own?.attempts)}</td>
              <td class="num">{count(other?.attempts)}</td>
              <td class="num">{count(own?.failed)}</td>
              <td class="num">{count(other?.failed)}</td>
              <td class="num">{formatDuration(own?.p50Ms ?? Number.NaN)}</td>
              <td class="num">{formatDuration(other?.p50Ms ?? Number.NaN)}</td>
              <td class="num">
                <Change before={own?.p50Ms} after={other?.p50Ms} />
              </td>
              <td class="num">{formatDuration(own?.p95Ms ?? Number.NaN)}</td>
              <td class="num">{formatDuration(other?.p95Ms ?? Number.NaN)}</td>
              <td class="num">
                <Change before={own?.p95Ms} after={other?.p95Ms} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

const count = (value: number | undefined): string => (value === undefined ? '–' : formatCount(value))

/** More or less, in percent, with its sign: a rise is no good or bad by itself. */
function Change({ before, after }: { before: number | undefined; after: number | undefined }) {
  if (before === undefined || after === undefined || !(before > 0) || Number.isNaN(after))
    return <span class="muted">–</span>
  const change = (after / before - 1) * 100
  if (Math.abs(change) < 0.5) return <span class="muted">same</span>
  return (
    <span>
      {change > 0 ? '▲ +' : '▼ −'}
      {Math.abs(change).toFixed(0)} %
    </span>
  )
}
