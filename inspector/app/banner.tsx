import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { formatCount, formatShare, plural } from '../model/format.ts'
import { retryNow } from '../source/start.ts'
import { connection, missingJobs, status, store } from '../state/session.ts'
import { Icon } from '../ui/icons.tsx'

/** What is not as it should be with the data on screen, in one line each. */
export function Banner() {
  const { value } = connection
  const run = store.value
  return (
    <div class="banners">
      {value.kind === 'silent' && <Silent />}
      {value.kind === 'lost' && <Lost retryAt={value.retryAt} />}
      {value.kind === 'recorded' && value.read !== undefined && (
        <p class="banner" role="status">
          Reading the recording: this is the first {formatShare(value.read, 1)} of it.
        </p>
      )}
      {value.kind === 'recorded' && value.fault !== undefined && run !== undefined && (
        <p class="banner bad" role="alert">
          <Icon name="warn" /> The recording is not whole; shown are {plural(run.jobCount, 'job')} and{' '}
          {plural(run.eventCount, 'event')} up to the fault. {value.fault}
        </p>
      )}
      {missingJobs.value > 0 && run !== undefined && (
        <p class="banner" role="status">
          <Icon name="warn" /> Showing {formatCount(run.jobCount)} of{' '}
          {formatCount(run.jobCount + missingJobs.value)} jobs: {formatCount(missingJobs.value)} had ended
          before this recording began.
        </p>
      )}
      {value.kind === 'live' && status.value?.isSlow && (
        <p class="banner" role="status">
          <Icon name="warn" /> This page is slower than the run: some of what happened is still on its way.
          The slots and the counts of the pool are exact, the rest catches up.
        </p>
      )}
    </div>
  )
}

function Silent() {
  return (
    <p class="banner bad" role="alert">
      <Icon name="warn" /> The server does not answer: what you see is of its last word. It goes on as soon as
      there is another.
      <button type="button" onClick={retryNow}>
        Connect anew
      </button>
    </p>
  )
}

function Lost({ retryAt }: { retryAt: number }) {
  const left = useSignal(0)
  useEffect(() => {
    const count = () => {
      left.value = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000))
    }
    count()
    const timer = setInterval(count, 250)
    return () => clearInterval(timer)
  }, [retryAt])
  return (
    <p class="banner bad" role="alert">
      <Icon name="warn" /> The connection is lost: what you see is of that moment.{' '}
      <span aria-live="off">{left.value > 0 ? `Trying again in ${left.value} s.` : 'Trying again …'}</span>
      <button type="button" onClick={retryNow}>
        Try now
      </button>
    </p>
  )
}
