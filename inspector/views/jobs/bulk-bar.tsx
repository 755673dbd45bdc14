import type { JobSelection } from '../../../src/protocol/index.ts'
import { confirmBulk, confirmPriority, type Priority } from '../../app/controls.tsx'
import { formatCount } from '../../model/format.ts'
import type { JobList } from '../../model/job-list.ts'
import { PRIORITIES } from '../../model/priorities.ts'
import { store } from '../../state/session.ts'

/** Acts on the marked jobs, or on exactly those that are listed. */
export function BulkBar({
  list,
  marked,
  text,
  onClear,
}: {
  list: JobList
  marked: ReadonlySet<number>
  text: string
  onClear: () => void
}) {
  const run = store.value!
  const isAll = marked.size === 0
  const chosen = isAll ? [...list.jobs] : [...marked]
  if (chosen.length === 0 || (isAll && text === '')) return null
  const jobs: JobSelection = { ids: chosen.map((job) => run.idOf(job)) }
  return (
    <div class="bulk" role="group" aria-label="Act on jobs">
      <span class="muted">
        {isAll ? `all ${formatCount(chosen.length)} listed` : `${formatCount(chosen.length)} chosen`}
      </span>
      <button type="button" class="danger" onClick={() => void confirmBulk('cancel', jobs)}>
        Cancel …
      </button>
      <button type="button" onClick={() => void confirmBulk('retry', jobs)}>
        Retry …
      </button>
      <select
        aria-label="Change the priority"
        value=""
        onChange={(event) => {
          const { value } = event.currentTarget
          event.currentTarget.value = ''
          if (value !== '') void confirmPriority(jobs, value as Priority)
        }}
      >
        <option value="">Priority …</option>
        {PRIORITIES.map((priority) => (
          <option key={priority}>{priority}</option>
        ))}
      </select>
      {!isAll && (
        <button type="button" class="plain" onClick={onClear}>
          Clear
        </button>
      )}
    </div>
  )
}
