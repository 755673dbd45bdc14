import { formatCount, formatDuration, formatShare, plainText } from '../model/format.ts'
import { CANCELLED, COMPLETED, FAILED } from '../model/job-states.ts'
import { Summary } from '../model/summary.ts'
import { isHelpOpen, isPaletteOpen } from '../state/overlays.ts'
import { canControl, connection, header, isServedRecording, status, store } from '../state/session.ts'
import { nextTheme, theme } from '../state/theme.ts'
import { isFollowing, isOver, momentOf } from '../state/time.ts'
import { Icon } from '../ui/icons.tsx'
import { changeLimit, limit, togglePool } from './controls.tsx'
import { ExportMenu } from './export-menu.tsx'

export function TopBar() {
  return (
    <header class="top">
      <svg class="brand" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
        <path d="M12 22V3M12 17H6V9M12 17h6V9M12 11H9V5M12 11h3V5" />
      </svg>
      <h1 class="ellipsis" title={header.value?.title}>
        {plainText(header.value?.title || 'espalier')}
      </h1>
      <ConnectionPill />
      <Progress />
      <div class="top-actions">
        {canControl.value && <PoolControls />}
        <ExportMenu />
        <button type="button" onClick={() => (isPaletteOpen.value = true)} title="Commands (Ctrl K)">
          <Icon name="search" /> <span class="wide-only">Find</span> <kbd>⌘K</kbd>
        </button>
        <button
          type="button"
          class="plain square"
          onClick={nextTheme}
          aria-label={`Theme: ${theme.value}. Change it`}
          title={`Theme: ${theme.value} (T)`}
        >
          <Icon name="theme" />
        </button>
        <button
          type="button"
          class="plain square"
          onClick={() => (isHelpOpen.value = true)}
          aria-label="Keys and help"
          title="Help (?)"
        >
          <Icon name="help" />
        </button>
      </div>
    </header>
  )
}

const KINDS = {
  loading: ['wait', 'loading'],
  live: ['live', 'live'],
  silent: ['bad', 'no answer'],
  lost: ['bad', 'disconnected'],
  ended: ['over', 'ended'],
  recorded: ['over', 'recorded'],
  locked: ['warn', 'locked'],
  refused: ['bad', 'no data'],
  stately: ['live', 'inspecting'],
} as const

function ConnectionPill() {
  const { kind } = connection.value
  const [tone, word] = KINDS[kind === 'ended' && isServedRecording.value ? 'recorded' : kind]
  const pool = kind === 'live' ? status.value : undefined
  const special =
    pool !== undefined &&
    (pool.lifecycle !== 'accepting' ? pool.lifecycle : pool.dispatch !== 'open' ? pool.dispatch : '')
  return (
    <>
      <span class={`pill ${tone}`}>{word}</span>
      {special && <span class="pill warn">{special}</span>}
      {!isFollowing.value && store.value !== undefined && <span class="pill past">in the past</span>}
    </>
  )
}

/** How far the jobs are, of all that there are at this moment. */
function Progress() {
  const run = store.value
  if (run === undefined || run.jobCount === 0) return <div class="progress-room" />
  const moment = momentOf(run)
  const { counts, total } = moment
  const ended = counts[COMPLETED]! + counts[FAILED]! + counts[CANCELLED]!
  const { etaMs, elapsedMs } = new Summary(run, moment)
  const parts = [
    ['completed', counts[COMPLETED]!],
    ['failed', counts[FAILED]!],
    ['cancelled', counts[CANCELLED]!],
  ] as const
  return (
    <div class="progress-room">
      <div
        class="progress"
        role="img"
        aria-label={`${formatCount(ended)} of ${formatCount(total)} jobs have ended: ${parts.map(([name, count]) => `${formatCount(count)} ${name}`).join(', ')}`}
      >
        {parts.map(([name, count]) => (
          <i key={name} class={`bg-${name}`} style={{ width: `${(count / Math.max(1, total)) * 100}%` }} />
        ))}
      </div>
      <span class="muted nowrap">
        {formatShare(ended, total)} · {formatDuration(elapsedMs)}
        {etaMs !== undefined && !isOver.value && ` · empty in ${formatDuration(etaMs)}`}
      </span>
    </div>
  )
}

function PoolControls() {
  const pool = status.value
  if (pool === undefined) return null
  const isPaused = pool.dispatch === 'paused'
  return (
    <>
      <div class="stepper" role="group" aria-label="Jobs at a time">
        <button
          type="button"
          aria-label="One less at a time"
          disabled={limit.value <= 1}
          onClick={() => changeLimit(-1)}
        >
          <Icon name="minus" size={13} />
        </button>
        <span title="At most so many jobs at a time">{limit.value} slots</span>
        <button type="button" aria-label="One more at a time" onClick={() => changeLimit(1)}>
          <Icon name="plus" size={13} />
        </button>
      </div>
      <button type="button" onClick={togglePool} title="Pause or resume (P)">
        <Icon name={isPaused ? 'play' : 'pause'} size={14} /> {isPaused ? 'Resume' : 'Pause'}
      </button>
    </>
  )
}
