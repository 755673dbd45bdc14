import { useRef } from 'preact/hooks'
import { formatCount, formatShare } from '../../model/format.ts'
import { BY_URGENCY, STATE_NAMES } from '../../model/job-states.ts'
import { chartOf, countsByState, takenByEdge } from '../../state/charts.ts'
import { go, hrefOf } from '../../state/route.ts'
import { store } from '../../state/session.ts'
import { momentOf } from '../../state/time.ts'
import { ChartView } from '../../ui/chart.tsx'
import { StateLabel } from '../../ui/state-mark.tsx'
import { useAspect } from '../../ui/use-aspect.ts'

/** The job's chart, with the number of jobs in each state at this moment. */
export function Population() {
  const run = store.value!
  const box = useRef<HTMLDivElement>(null)
  const aspect = useAspect(box)
  const { counts } = momentOf(run)
  const chart = chartOf(run, 'job')
  return (
    <div class="population" ref={box}>
      {chart === undefined ? (
        <StateTable />
      ) : (
        <ChartView
          layout={aspect > 1.25 ? chart.right : chart.down}
          label="Jobs in each state of their chart"
          marks={{ counts: countsByState(counts), taken: takenByEdge(run, chart) }}
          toneOf={(id) => `s-${id.split('.').at(-1)}`}
          onState={(id) => go('jobs', { q: `state:${id.split('.').at(-1)}` })}
        />
      )}
    </div>
  )
}

/** The same counts as bars, for recordings without charts. */
function StateTable() {
  const run = store.value!
  const { counts, total } = momentOf(run)
  return (
    <ul class="state-bars">
      {BY_URGENCY.map((state) => (
        <li key={state}>
          <a href={hrefOf('jobs', { q: `state:${STATE_NAMES[state]}` })}>
            <StateLabel state={state} />
            <span class="bar">
              <i
                class={`bg-${STATE_NAMES[state]}`}
                style={{ width: `${(counts[state]! / Math.max(1, total)) * 100}%` }}
              />
            </span>
            <span class="num">{formatCount(counts[state]!)}</span>
            <span class="num muted">{formatShare(counts[state]!, total)}</span>
          </a>
        </li>
      ))}
    </ul>
  )
}
