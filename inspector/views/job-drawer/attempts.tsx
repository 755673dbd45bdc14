import { formatClock, formatDuration, formatMiB, plainText } from '../../model/format.ts'
import { EXECUTING, isQueued, STATE_NAMES } from '../../model/job-states.ts'
import type { RunStore } from '../../model/run-store.ts'
import { OPEN } from '../../model/slices.ts'
import { usedBy } from '../../model/used.ts'
import { store } from '../../state/session.ts'
import { momentOf, seek } from '../../state/time.ts'
import { OutcomeMark, outcomeWord, zombieText } from '../../ui/slice-text.tsx'

/** Each attempt with its wait and its run as a bar, on one scale, and what it threw. */
export function Attempts({ job }: { job: number }) {
  const run = store.value!
  const { slices } = run
  const { at } = momentOf(run)
  const shown = run.slicesOf(job).filter((slice) => slices.start.data[slice]! <= at)
  if (shown.length === 0) return null
  const from = slices.readyAt.data[shown[0]!]!
  const to = Math.max(...shown.map((slice) => Math.min(at, slices.endOf(slice, at))))
  const span = Math.max(0.001, to - from)
  return (
    <section class="drawer-part">
      <h3>{shown.length === 1 ? 'Attempt' : `${shown.length} attempts`}</h3>
      <ol class="attempts">
        {shown.map((slice) => {
          const start = slices.start.data[slice]!
          const ready = slices.readyAt.data[slice]!
          const end = slices.endOf(slice, at)
          const isOver = end < at || slices.end.data[slice]! <= at
          const outcome = isOver ? slices.outcome.data[slice]! : OPEN
          const tone =
            outcome === OPEN ? STATE_NAMES[EXECUTING] : isQueued(outcome) ? 'retried' : STATE_NAMES[outcome]
          const zombie = zombieText(run, slice, at)
          const share = (ms: number) => `${(ms / span) * 100}%`
          return (
            <li key={slice}>
              <p>
                <b>{slices.attempt.data[slice]}</b>
                <OutcomeMark outcome={outcome} />
                <span>{outcomeWord(outcome)}</span>
                <span class="muted">
                  waited {formatDuration(start - ready)}, ran {formatDuration(Math.min(end, at) - start)},
                  slot {slices.slot.data[slice]}
                  {zombie !== '' && `, ${zombie}`}
                  {isOver && usageText(run, job, slices.attempt.data[slice]!)}
                </span>
                <button type="button" class="link" onClick={() => seek(start)}>
                  {formatClock(start - run.epoch)}
                </button>
              </p>
              <span class="attempt-bar" aria-hidden="true">
                <i class="bg-wait" style={{ left: share(ready - from), width: share(start - ready) }} />
                <i
                  class={`bg-${tone}`}
                  style={{ left: share(start - from), width: share(Math.min(end, at) - start) }}
                />
              </span>
              {isOver && <Thrown job={job} attempt={slices.attempt.data[slice]!} />}
            </li>
          )
        })}
      </ol>
    </section>
  )
}

/** What the attempt used, where its executor told. */
function usageText(run: RunStore, job: number, attempt: number): string {
  const { cpuMs, memoryMiB } = usedBy(run, job, attempt)
  return (
    (Number.isNaN(cpuMs) ? '' : `, processor ${formatDuration(cpuMs)}`) +
    (Number.isNaN(memoryMiB) ? '' : `, memory ${formatMiB(memoryMiB)}`)
  )
}

function Thrown({ job, attempt }: { job: number; attempt: number }) {
  const run = store.value!
  const { errors, jobs } = run
  const text = (number: number) => run.text(number)
  const last = jobs.error.data[job]!
  if (last < 0) return null
  for (let row = last; row >= 0; row--) {
    if (errors.job.data[row] !== job || errors.attempt.data[row] !== attempt) continue
    const stack = text(errors.stack.data[row]!)
    const code = text(errors.code.data[row]!)
    const causes = text(errors.causes.data[row]!)
    return (
      <div class="thrown">
        <p>
          <b>{plainText(text(errors.name.data[row]!))}</b>: {plainText(text(errors.message.data[row]!))}{' '}
          {code !== '' && <code class="muted">{plainText(code)}</code>}
        </p>
        {causes !== '' && (
          <ul class="causes">
            {causes.split('\n').map((cause, place) => (
              <li key={place}>
                <span class="muted">because of</span> {plainText(cause)}
              </li>
            ))}
          </ul>
        )}
        {stack !== '' && (
          <details>
            <summary>Stack</summary>
            <pre tabIndex={0}>{plainText(stack)}</pre>
          </details>
        )}
      </div>
    )
  }
  return null
}
