import { computed, signal } from '@preact/signals'
import type { CommandResult, JobSelection } from '../../src/protocol/index.ts'
import { formatCount, plainText, plural } from '../model/format.ts'
import type { PRIORITIES } from '../model/priorities.ts'
import { doCommand, sendCommand } from '../source/api.ts'
import { question } from '../state/overlays.ts'
import { status } from '../state/session.ts'
import { toast } from '../state/toasts.ts'

export type Priority = (typeof PRIORITIES)[number]

/** What can be done to many jobs at once. */
const BULK = {
  cancel: {
    type: 'jobs.cancel',
    verb: 'Cancel',
    done: 'Cancelled',
    isDangerous: true,
    note: 'Jobs that depend on them are cancelled too.',
    noteOfOne: 'Jobs that depend on it are cancelled too.',
  },
  retry: {
    type: 'jobs.retry',
    verb: 'Retry',
    done: 'Submitted again',
    isDangerous: false,
    note: 'Each is submitted again as a new job.',
    noteOfOne: 'It is submitted again as a new job.',
  },
} as const

export const confirmCancel = (ids: readonly string[]): void => void confirmBulk('cancel', { ids })
export const confirmRetry = (ids: readonly string[]): void => void confirmBulk('retry', { ids })

/** Asks the server what a command would do to exactly these jobs, shows it, and does it when that is confirmed. */
export async function confirmBulk(what: keyof typeof BULK, jobs: JobSelection): Promise<void> {
  const { type, verb, done, isDangerous, note, noteOfOne } = BULK[what]
  const preview = await previewOf(() => sendCommand({ type, jobs, isPreview: true }))
  if (preview === undefined) return
  const isOne = preview.done === 1
  question.value = {
    title: isOne ? `${verb} this job?` : `${verb} ${plural(preview.done, 'job')}?`,
    body: <Preview result={preview} note={isOne ? noteOfOne : note} />,
    confirm: verb,
    isDangerous,
    onConfirm: () =>
      doCommand({ type, jobs }, done, ({ ids: [id], done: count }) =>
        what === 'retry' && count === 1 ? `${done} as ${id}` : done,
      ),
  }
}

export async function confirmPriority(jobs: JobSelection, priority: Priority): Promise<void> {
  const preview = await previewOf(() =>
    sendCommand({ type: 'jobs.prioritise', jobs, priority, isPreview: true }),
  )
  if (preview === undefined) return
  question.value = {
    title: `Give ${plural(preview.done, 'job')} the priority ${priority}?`,
    body: (
      <Preview
        result={preview}
        note={
          preview.done === 1
            ? 'It takes its new place in the ready queue at once.'
            : 'They take their new place in the ready queue at once.'
        }
      />
    ),
    confirm: 'Change the priority',
    onConfirm: () => doCommand({ type: 'jobs.prioritise', jobs, priority }, `Priority ${priority}`),
  }
}

export function togglePool(): void {
  const isPaused = status.peek()?.dispatch === 'paused'
  question.value = isPaused
    ? {
        title: 'Resume the pool?',
        body: <p>Waiting jobs start again as slots are free.</p>,
        confirm: 'Resume',
        onConfirm: () => doCommand({ type: 'pool.resume' }, 'The pool resumed'),
      }
    : {
        title: 'Pause the pool?',
        body: <p>Nothing new starts until it is resumed; what runs goes on.</p>,
        confirm: 'Pause',
        onConfirm: () => doCommand({ type: 'pool.pause' }, 'The pool is paused'),
      }
}

/** How long a status may be on its way that was sent before a command was carried out, in ms: two come a second. */
const STATUS_LATE_MS = 1_000

/** The limit that was asked for last, which counts until a status must have told what became of it. */
const askedLimit = signal<{ readonly limit: number; readonly until: number } | undefined>(undefined)

/** How many jobs may run at a time: what was asked for last, or else what the pool says. */
export const limit = computed(() => {
  const told = status.value?.limit ?? 0
  const asked = askedLimit.value
  return asked !== undefined && performance.now() < asked.until ? asked.limit : told
})

let isChangingLimit = false

/** Counts on from what was asked for last; what is asked while a command is on its way goes as one when that is answered. */
export async function changeLimit(by: 1 | -1): Promise<void> {
  const wanted = limit.peek() + by
  if (wanted < 1) return
  askedLimit.value = { limit: wanted, until: Number.POSITIVE_INFINITY }
  if (isChangingLimit) return
  isChangingLimit = true
  let sent: number | undefined
  while (askedLimit.peek() !== undefined && limit.peek() !== sent) {
    sent = limit.peek()
    const result = await doCommand(
      { type: 'pool.limit', maxParallelJobs: sent },
      `At most ${plural(sent, 'job')} at a time`,
    )
    if (result === undefined) askedLimit.value = undefined
  }
  isChangingLimit = false
  if (sent !== undefined && askedLimit.peek() !== undefined)
    askedLimit.value = { limit: sent, until: performance.now() + STATUS_LATE_MS }
}

async function previewOf(ask: () => Promise<CommandResult>): Promise<CommandResult | undefined> {
  try {
    const preview = await ask()
    if (preview.done > 0) return preview
    const [first] = preview.skipped
    toast('failed', `Nothing to do: ${first === undefined ? 'no job was found' : first.why}`)
  } catch (error) {
    toast('failed', error instanceof Error ? error.message : String(error))
  }
  return undefined
}

function Preview({ result, note }: { result: CommandResult; note: string }) {
  const shown = result.ids.slice(0, 8).map(plainText)
  return (
    <>
      <p>{note}</p>
      <p class="mono preview-ids">
        {shown.join(', ')}
        {result.done > shown.length &&
          ` and ${formatCount(result.done - shown.length)} more of ${formatCount(result.done)}`}
      </p>
      {result.skipped.length > 0 && (
        <>
          <h3>Left out</h3>
          <ul class="reasons">
            {result.skipped.map(({ why, count, ids }) => (
              <li key={why}>
                <b>{formatCount(count)}</b> {why}{' '}
                <span class="muted mono">
                  {ids.slice(0, 3).map(plainText).join(', ')}
                  {count > 3 && ' …'}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}
