import { hasLetterKeys, isHelpOpen, isPaletteOpen, question } from '../state/overlays.ts'
import { dismiss, toasts } from '../state/toasts.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Icon } from '../ui/icons.tsx'
import { CommandPalette } from './command-palette.tsx'
import { KEYS } from './keyboard.ts'

export function Dialogs() {
  return (
    <>
      {question.value !== undefined && <Confirmation />}
      {isHelpOpen.value && <Help />}
      {isPaletteOpen.value && <CommandPalette />}
      <Toasts />
    </>
  )
}

function Confirmation() {
  const asked = question.value!
  const close = () => {
    question.value = undefined
  }
  return (
    <Dialog label={asked.title} onClose={close}>
      <form
        method="dialog"
        onSubmit={() => {
          void asked.onConfirm()
        }}
      >
        <h2 class="dialog-title">{asked.title}</h2>
        <div class="dialog-body">{asked.body}</div>
        <div class="dialog-actions">
          <button type="button" onClick={close}>
            Leave it
          </button>
          <button type="submit" class={asked.isDangerous ? 'primary dangerous' : 'primary'}>
            {asked.confirm}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

function Help() {
  return (
    <Dialog label="Keys and help" onClose={() => (isHelpOpen.value = false)}>
      <h2 class="dialog-title">Keys</h2>
      <dl class="keys">
        <dt>
          <kbd>⌘K</kbd>
        </dt>
        <dd>find a view, a job or a command</dd>
        {KEYS.map(({ shown, does }) => (
          <>
            <dt key={shown}>
              <kbd>{shown}</kbd>
            </dt>
            <dd>{does}</dd>
          </>
        ))}
      </dl>
      <p class="muted">
        In tables: arrows, Page, Home and End move, Enter opens. In pictures: arrows move the cursor, + and −
        zoom, 0 fits.
      </p>
      <label class="check">
        <input
          type="checkbox"
          checked={hasLetterKeys.value}
          onChange={(event) => (hasLetterKeys.value = event.currentTarget.checked)}
        />
        Single letters are keys
      </label>
      <h2 class="dialog-title">Searches</h2>
      <p class="muted">
        <code>state:failed</code> <code>kind:load</code> <code>priority:high</code> <code>&gt;5s</code>{' '}
        <code>&lt;200ms</code> <code>is:retried</code> <code>dep:job-12</code> and words of an id, a name or
        an error.
      </p>
      <div class="dialog-actions">
        <button type="button" onClick={() => (isHelpOpen.value = false)}>
          Close
        </button>
      </div>
    </Dialog>
  )
}

function Toasts() {
  return (
    <div class="toasts" role="region" aria-label="Messages">
      {toasts.value.map(({ id, kind, text }) => (
        <p key={id} class={`toast ${kind}`} role={kind === 'failed' ? 'alert' : 'status'}>
          {kind === 'failed' && <Icon name="warn" />}
          <span>{text}</span>
          <button type="button" class="plain square" aria-label="Dismiss" onClick={() => dismiss(id)}>
            <Icon name="close" size={13} />
          </button>
        </p>
      ))}
    </div>
  )
}
