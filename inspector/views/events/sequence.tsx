import { formatClock, formatCount, plainText } from '../../model/format.ts'
import { EXECUTOR, POOL, sequenceOf, sequenceToMermaid } from '../../model/sequence.ts'
import { hrefOf, selectedId, selectJob } from '../../state/route.ts'
import { store } from '../../state/session.ts'
import { momentOf, seek } from '../../state/time.ts'
import { toast } from '../../state/toasts.ts'
import { ArrowTip } from '../../ui/arrow-tip.tsx'
import { Icon } from '../../ui/icons.tsx'
import { Card, Empty } from '../../ui/parts.tsx'

const MOST_JOBS = 10
const MOST_MESSAGES = 120
const COLUMN = 150
const ROW = 26
const HEAD = 46

/** Lifelines of the selected job and those around it, and what they were told, from top to bottom. */
export function Sequence() {
  const run = store.value!
  const moment = momentOf(run)
  const job = run.find(selectedId.value)
  if (job < 0) {
    return (
      <Card class="fill">
        <Empty icon="events" title="Select a job">
          <p>
            Its events are drawn with those of the jobs around it.{' '}
            <a class="link" href={hrefOf('jobs')}>
              Find one
            </a>
          </p>
        </Empty>
      </Card>
    )
  }
  const diagram = sequenceOf(run, moment, job, MOST_JOBS, MOST_MESSAGES)
  const names = ['pool', 'executor', ...diagram.jobs.map((each) => plainText(run.nameOf(each)))]
  const width = names.length * COLUMN
  const height = HEAD + diagram.messages.length * ROW + 20
  const x = (place: number) => place * COLUMN + COLUMN / 2
  const copy = () =>
    navigator.clipboard.writeText(sequenceToMermaid(run, diagram)).then(
      () => toast('done', 'The diagram is in the clipboard, as Mermaid.'),
      () => toast('failed', 'The browser does not let this page write to the clipboard.'),
    )
  return (
    <Card
      class="fill"
      title={`Around ${plainText(run.nameOf(job))}`}
      aside={
        <>
          <span class="muted">
            {formatCount(diagram.messages.length)} of {formatCount(diagram.total)} events{' '}
          </span>
          <button type="button" onClick={() => void copy()}>
            <Icon name="copy" size={13} /> Mermaid
          </button>
        </>
      }
    >
      <div class="graph-room" tabIndex={0} role="region" aria-label="Sequence, to scroll">
        <svg
          class="graph sequence"
          viewBox={`0 0 ${width} ${height}`}
          style={{ minWidth: `${width}px` }}
          role="group"
          aria-label="Sequence of events"
        >
          <defs>
            <ArrowTip id="told" class="arrow-on" />
          </defs>
          {names.map((name, place) => (
            <g
              key={`${place} ${name}`}
              class={place === POOL || place === EXECUTOR ? 'lifeline' : 'lifeline of-job'}
            >
              <path d={`M${x(place)} ${HEAD - 8}V${height}`} class="life" />
              <rect x={x(place) - COLUMN / 2 + 8} y={6} width={COLUMN - 16} height={28} rx={6} />
              <text x={x(place)} y={24} class="edge-label">
                {name.length > 19 ? `${name.slice(0, 18)}…` : name}
              </text>
            </g>
          ))}
          {diagram.messages.map(({ from, to, step, text }, index) => {
            const y = HEAD + index * ROW + 14
            const told = diagram.jobs[to - 2] ?? diagram.jobs[from - 2]
            return (
              <g
                key={step}
                class="message"
                role="button"
                tabIndex={0}
                aria-label={`${formatClock(run.log.at.data[step]! - run.epoch)}: ${names[from]} to ${names[to]}: ${text}`}
                onClick={() => seek(run.log.at.data[step]!)}
                onKeyDown={(event) => {
                  if (event.key !== 'Enter' || told === undefined) return
                  event.preventDefault()
                  event.stopPropagation()
                  selectJob(run.idOf(told))
                }}
              >
                <path
                  d={`M${x(from)} ${y}H${x(to) + (to > from ? -2 : 2)}`}
                  class="line"
                  marker-end="url(#told)"
                />
                <text x={(x(from) + x(to)) / 2} y={y - 4} class="edge-label">
                  {text}
                </text>
              </g>
            )
          })}
        </svg>
      </div>
    </Card>
  )
}
