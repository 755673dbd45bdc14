import { FAILED } from '../model/job-states.ts'
import { hasLetterKeys, isHelpOpen, isPaletteOpen, question } from '../state/overlays.ts'
import { go, route, selectedId, selectJob, VIEWS } from '../state/route.ts'
import { canControl, store } from '../state/session.ts'
import { nextTheme } from '../state/theme.ts'
import { follow, momentOf, stepBy, togglePlay } from '../state/time.ts'
import { confirmCancel, confirmRetry, togglePool } from './controls.tsx'

interface Key {
  readonly keys: readonly string[]
  readonly shown: string
  readonly does: string
  readonly run: () => void
  /** A single letter or sign, which can be switched off. */
  readonly isLetter?: boolean
}

/** What each key does; the help lists them in this order. */
export const KEYS: readonly Key[] = [
  {
    keys: ['1', '2', '3', '4', '5', '6', '7', '8', '9'],
    shown: '1–9',
    does: 'the views',
    run: () => {},
    isLetter: true,
  },
  { keys: ['/'], shown: '/', does: 'search in this view', run: focusSearch, isLetter: true },
  { keys: [' '], shown: 'Space', does: 'play or hold the time', run: togglePlay, isLetter: true },
  { keys: [','], shown: ',', does: 'one event back', run: () => stepBy(-1), isLetter: true },
  { keys: ['.'], shown: '.', does: 'one event on', run: () => stepBy(1), isLetter: true },
  { keys: ['l'], shown: 'L', does: 'follow the newest moment', run: follow, isLetter: true },
  { keys: ['['], shown: '[', does: 'the failure before', run: () => goToFailure(-1), isLetter: true },
  { keys: [']'], shown: ']', does: 'the next failure', run: () => goToFailure(1), isLetter: true },
  {
    keys: ['p'],
    shown: 'P',
    does: 'pause or resume the pool',
    run: () => canControl.peek() && togglePool(),
    isLetter: true,
  },
  {
    keys: ['r'],
    shown: 'R',
    does: 'retry the selected job',
    run: () => withSelected(confirmRetry),
    isLetter: true,
  },
  {
    keys: ['x'],
    shown: 'X',
    does: 'cancel the selected job',
    run: () => withSelected(confirmCancel),
    isLetter: true,
  },
  { keys: ['t'], shown: 'T', does: 'the next theme', run: nextTheme, isLetter: true },
  { keys: ['?'], shown: '?', does: 'this help', run: () => toggle(isHelpOpen), isLetter: true },
  {
    keys: ['Escape'],
    shown: 'Esc',
    does: 'close what is open',
    run: () => selectedId.peek() !== '' && selectJob(''),
  },
]

export function startKeyboard(): void {
  addEventListener('keydown', (event) => {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault()
      toggle(isPaletteOpen)
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target))
      return
    // A dialog has its own keys, and a menu closes by itself.
    if (question.peek() !== undefined || isPaletteOpen.peek() || isHelpOpen.peek()) return
    if (event.key === 'Escape' && document.querySelector(':popover-open') !== null) return
    if (event.key === ' ' && (event.target as Element).closest('button, a, summary, [role=slider]')) return
    const key = KEYS.find(({ keys }) => keys.includes(event.key))
    if (key === undefined || (key.isLetter && !hasLetterKeys.peek())) return
    event.preventDefault()
    const view = VIEWS[Number(event.key) - 1]
    if (view !== undefined) go(view)
    else key.run()
  })
}

/** The next failed job in the order of submission, from the selected one. */
export function goToFailure(direction: 1 | -1): void {
  const run = store.peek()
  if (run === undefined) return
  const { states } = momentOf(run)
  const from = selectedId.peek() === '' ? (direction === 1 ? -1 : run.jobCount) : run.find(selectedId.peek())
  for (let job = from + direction; job >= 0 && job < run.jobCount; job += direction) {
    if (states[job] === FAILED) {
      selectJob(run.idOf(job))
      return
    }
  }
}

function focusSearch(): void {
  if (route.peek().view === 'overview') go('jobs')
  requestAnimationFrame(() => document.querySelector<HTMLInputElement>('main input[type=search]')?.focus())
}

function withSelected(act: (ids: readonly string[]) => void): void {
  if (selectedId.peek() !== '' && canControl.peek()) act([selectedId.peek()])
}

function toggle(flag: { value: boolean; peek(): boolean }): void {
  flag.value = !flag.peek()
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    (target.matches('input, textarea, select') && !target.matches('[type=checkbox], [type=range]')))
