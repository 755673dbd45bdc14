import type { JobDetail } from '../../../src/protocol/index.ts'
import { formatCount, formatDuration } from '../../model/format.ts'
import { type PoolAt, poolAt } from '../../model/pool-at.ts'
import { Summary } from '../../model/summary.ts'
import { whyWaiting } from '../../model/why.ts'
import { store } from '../../state/session.ts'
import { momentOf, statusOfNow } from '../../state/time.ts'
import { JobLinks } from '../../ui/job-link.tsx'

/** Why the job does not run at this moment, in a sentence. */
export function WaitText({ job, detail }: { job: number; detail: JobDetail | undefined }) {
  const run = store.value!
  const moment = momentOf(run)
  const why = whyWaiting(run, moment, job)
  if (why === undefined) return null
  const pool = poolAt(run, moment, statusOfNow.value)
  return (
    <section class="drawer-part why">
      <h3>Why it waits</h3>
      {why.for === 'dependencies' && (
        <>
          <p>
            {why.of === 0
              ? 'For its submission to be committed.'
              : `For ${formatCount(why.outstanding)} of the ${formatCount(why.of)} jobs it depends on:`}
          </p>
          <JobLinks jobs={why.jobs} of={why.outstanding} />
        </>
      )}
      {why.for === 'slot' && (
        <p>
          {slotText(pool, new Summary(run, moment).running + moment.zombies)} It is number{' '}
          <b>{formatCount(why.position)}</b> of {formatCount(why.ready)} that are ready.
        </p>
      )}
      {why.for === 'instant' && <p>{delayText(detail, why.until, moment.at)}</p>}
    </section>
  )
}

/** What is known of why nothing more starts: a slot that is free may be held back by what no recording tells. */
function slotText({ dispatch, limit }: PoolAt, held: number): string {
  if (dispatch === 'paused') return 'The pool is paused: nothing starts.'
  if (dispatch === 'throttled') return 'The pool is throttled: a job starts only when no other runs.'
  return limit === undefined || held < limit ? '' : 'No slot is free.'
}

function delayText(detail: JobDetail | undefined, known: number | undefined, now: number): string {
  const until = known ?? (detail?.waits?.for === 'instant' ? detail.waits.at : undefined)
  return until === undefined
    ? 'For an instant: its start delay, or the rest after a failed attempt.'
    : `For its instant, in ${formatDuration(Math.max(0, until - now))}.`
}
