import { useComputed, useSignal } from '@preact/signals'
import { formatCount, plainText } from '../model/format.ts'
import { findJobs } from '../model/job-list.ts'
import { isHelpOpen, isPaletteOpen } from '../state/overlays.ts'
import { go, selectJob, VIEWS } from '../state/route.ts'
import { canControl, store } from '../state/session.ts'
import { nextTheme } from '../state/theme.ts'
import { follow, momentOf, togglePlay } from '../state/time.ts'
import { Dialog } from '../ui/dialog.tsx'
import { StateMark } from '../ui/state-mark.tsx'
import { togglePool } from './controls.tsx'
import { goToFailure } from './keyboard.ts'

interface Entry {
  readonly name: string
  readonly hint: string
  readonly state?: number
  readonly run: () => void
}

const MOST_JOBS = 12

function commands(): Entry[] {
  return [
    ...VIEWS.map((view) => ({ name: `Go to ${view}`, hint: 'view', run: () => go(view) })),
    { name: 'Show failed jobs', hint: 'jobs', run: () => go('jobs', { q: 'state:failed' }) },
    { name: 'Show jobs that were retried', hint: 'jobs', run: () => go('jobs', { q: 'is:retried' }) },
    { name: 'Next failure', hint: ']', run: () => goToFailure(1) },
    { name: 'Follow the newest moment', hint: 'L', run: follow },
    { name: 'Play or hold the time', hint: 'Space', run: togglePlay },
    { name: 'Change the theme', hint: 'T', run: nextTheme },
    { name: 'Keys and help', hint: '?', run: () => (isHelpOpen.value = true) },
    ...(canControl.value ? [{ name: 'Pause or resume the pool', hint: 'P', run: togglePool }] : []),
  ]
}

function jobsFor(text: string): Entry[] {
  const run = store.value
  if (run === undefined || text.length < 2) return []
  const jobs = findJobs(run, momentOf(run), text)
  const shown = [...jobs.subarray(0, MOST_JOBS)].map((job) => ({
    name: plainText(run.nameOf(job)),
    hint: plainText(run.idOf(job)),
    state: momentOf(run).stateOf(job),
    run: () => selectJob(run.idOf(job)),
  }))
  if (shown.length === jobs.length) return shown
  const name = `Show all ${formatCount(jobs.length)} jobs like this`
  const hint = `${shown.length} of ${formatCount(jobs.length)} are here`
  return [...shown, { name, hint, run: () => go('jobs', { q: text }) }]
}

export function CommandPalette() {
  const text = useSignal('')
  const cursor = useSignal(0)
  const entries = useComputed(() => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean)
    const found = commands().filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)))
    return [...found, ...jobsFor(text.value)]
  })
  const close = () => {
    isPaletteOpen.value = false
  }
  const choose = (entry: Entry | undefined) => {
    close()
    entry?.run()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const last = entries.value.length - 1
    if (event.key === 'ArrowDown') cursor.value = Math.min(last, cursor.value + 1)
    else if (event.key === 'ArrowUp') cursor.value = Math.max(0, cursor.value - 1)
    else if (event.key === 'Enter') choose(entries.value[cursor.value])
    else return
    event.preventDefault()
  }
  return (
    <Dialog label="Find" class="palette" onClose={close}>
      <input
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={entries.value.length > 0 ? `palette-${cursor.value}` : undefined}
        aria-label="Find a view, a job or a command"
        placeholder="A view, a command, or a job: id, name, state:failed, >5s"
        autofocus
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value
          cursor.value = 0
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="palette-list" role="listbox" aria-label="Found">
        {entries.value.map((entry, index) => (
          <li
            key={`${entry.name} ${entry.hint}`}
            id={`palette-${index}`}
            role="option"
            aria-selected={index === cursor.value}
            ref={(option) => {
              if (index === cursor.value) option?.scrollIntoView({ block: 'nearest' })
            }}
            onClick={() => choose(entry)}
          >
            {entry.state !== undefined && <StateMark state={entry.state} />}
            <span class="ellipsis">{entry.name}</span>
            <span class="muted mono ellipsis">{entry.hint}</span>
          </li>
        ))}
      </ul>
      {entries.value.length === 0 && <p class="muted palette-none">Nothing is called so.</p>}
    </Dialog>
  )
}
