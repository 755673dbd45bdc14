import { useMemo } from 'preact/hooks'
import { RUN_STATES } from '../../../src/protocol/index.ts'
import { actorOf } from '../../model/actor.ts'
import { parseFilter } from '../../model/filter.ts'
import { formatCount, plainText, plural } from '../../model/format.ts'
import { findJobs } from '../../model/job-list.ts'
import type { RunStore } from '../../model/run-store.ts'
import type { Run } from '../../model/tree.ts'
import { restTick } from '../../state/rest.ts'
import { hrefOf, route, setParams } from '../../state/route.ts'
import { store } from '../../state/session.ts'
import { momentOf } from '../../state/time.ts'
import { SearchBox } from '../../ui/search-box.tsx'
import { StateMark, stateName } from '../../ui/state-mark.tsx'

const SHOWN_JOBS = 60
const SHOWN_RUNS = 20

/** Every actor: the pool, the orchestrators, all jobs as one, and each job. */
export function ActorList({ current }: { current: string }) {
  const run = store.value!
  const moment = momentOf(run)
  const text = route.value.params.q ?? ''
  const jobs = useMemo(() => findJobs(run, moment, text), [run, text, restTick.value])
  const shown = [...jobs.subarray(0, SHOWN_JOBS)]
  const found = findRuns(run, text)
  const runs = found.slice(0, SHOWN_RUNS)
  const pool = actorOf(run, moment, 'pool')
  return (
    <aside class="card actors" aria-label="Actors">
      <Entry
        id="pool"
        current={current}
        name="The pool"
        state={pool?.states.map((state) => state.split('.').at(-1)).join(', ') ?? ''}
      />
      {runs.map(({ id, workflow, steps }) => {
        const before = steps.filter((step) => step < moment.step)
        const state = RUN_STATES[run.log.state.data[before.at(-1) ?? -1] ?? 0]
        return (
          <Entry
            key={id}
            id={run.text(id)}
            text={text}
            current={current}
            name={run.text(workflow)}
            state={state?.split('.').at(-1) ?? ''}
          />
        )
      })}
      {found.length > runs.length && (
        <p class="muted">
          {runs.length} of {plural(found.length, 'run')}
        </p>
      )}
      <Entry id="jobs" current={current} name="All jobs" state={formatCount(moment.total)} />
      <SearchBox value={text} placeholder="Find a run or a job" onChange={(q) => setParams({ q })} />
      <p class="muted" role="status">
        {formatCount(shown.length)} of {plural(jobs.length, 'job')}
      </p>
      <ul>
        {shown.map((job) => (
          <li key={job}>
            <a
              href={hrefOf('machines', { ...(text && { q: text }), actor: run.idOf(job) })}
              aria-current={run.idOf(job) === current ? 'true' : undefined}
              class="actor"
            >
              <StateMark state={moment.stateOf(job)} />
              <span class="ellipsis">{plainText(run.nameOf(job))}</span>
              <span class="muted">{stateName(moment.stateOf(job))}</span>
            </a>
          </li>
        ))}
      </ul>
    </aside>
  )
}

/** The runs whose id or workflow holds all words of a search. */
function findRuns(run: RunStore, text: string): readonly Run[] {
  const { words } = parseFilter(text)
  const texts = run.lowerCaseStrings()
  return run.tree.runs.filter(({ id, workflow }) =>
    words.every((word) => texts[id]!.includes(word) || texts[workflow]!.includes(word)),
  )
}

interface EntryProps {
  readonly id: string
  readonly current: string
  readonly name: string
  readonly state: string
  /** The search that has found it, which stays. */
  readonly text?: string
}

function Entry({ id, current, name, state, text = '' }: EntryProps) {
  return (
    <a
      class="actor"
      href={hrefOf('machines', { ...(text && { q: text }), actor: id })}
      aria-current={id === current ? 'true' : undefined}
    >
      <b class="ellipsis">{plainText(name)}</b>
      <span class="muted">{state}</span>
    </a>
  )
}
