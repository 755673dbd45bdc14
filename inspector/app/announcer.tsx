import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { formatCount } from '../model/format.ts'
import { COMPLETED, FAILED } from '../model/job-states.ts'
import { connection, store } from '../state/session.ts'

/** How often the page may speak of its own. */
const PAUSE_MS = 5_000

/** Tells readers of the screen how a live run is going, at most every five seconds. */
export function Announcer() {
  const text = useSignal('')
  useEffect(() => {
    const timer = setInterval(() => {
      const run = store.peek()
      if (run === undefined || connection.peek().kind !== 'live' || document.hidden) return
      const { counts } = run
      const done = `${formatCount(counts[COMPLETED]!)} of ${formatCount(run.jobCount)} jobs done`
      text.value = counts[FAILED]! > 0 ? `${done}, ${formatCount(counts[FAILED]!)} failed` : done
    }, PAUSE_MS)
    return () => clearInterval(timer)
  }, [])
  return (
    <div class="visually-hidden" aria-live="polite">
      {text.value}
    </div>
  )
}
