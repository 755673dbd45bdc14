import { plainText } from '../model/format.ts'
import { selectJob } from '../state/route.ts'
import { store } from '../state/session.ts'
import { momentOf } from '../state/time.ts'
import { StateMark, stateName } from './state-mark.tsx'

/** A job by name; a click selects it. */
export function JobLink({ job }: { job: number }) {
  const run = store.value
  if (run === undefined || job < 0) return null
  const state = momentOf(run).stateOf(job)
  const name = plainText(run.nameOf(job))
  return (
    <button
      type="button"
      class="job-link"
      title={`${plainText(run.idOf(job))}: ${stateName(state)}`}
      onClick={() => selectJob(run.idOf(job))}
    >
      <StateMark state={state} />
      <span class="ellipsis">{name}</span>
      <span class="mono muted ellipsis">{plainText(run.idOf(job))}</span>
    </button>
  )
}

/** Several of them, and how many there are when these are not all. */
export function JobLinks({ jobs, of = jobs.length }: { jobs: readonly number[]; of?: number }) {
  return (
    <ul class="job-links">
      {jobs.map((job) => (
        <li key={job}>
          <JobLink job={job} />
        </li>
      ))}
      {of > jobs.length && (
        <li class="muted">
          {jobs.length} of {of}
        </li>
      )}
    </ul>
  )
}
