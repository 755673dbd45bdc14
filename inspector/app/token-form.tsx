import { useSignal } from '@preact/signals'
import { messageOf } from '../source/recorded.ts'
import { unlock } from '../source/start.ts'
import { isCodeRefused } from '../state/session.ts'

/** The server wants its token: whoever started it was told the address with a code, and where the token lies. */
export function TokenForm() {
  const token = useSignal('')
  const refusal = useSignal('')
  return (
    <form
      class="empty"
      onSubmit={(event) => {
        event.preventDefault()
        unlock(token.value.trim()).catch((error) => {
          refusal.value = messageOf(error)
        })
      }}
    >
      <p class="empty-title">This inspector wants its token</p>
      <label class="token">
        <span class="muted">
          {isCodeRefused.value
            ? 'The link was used already, or is of an earlier start of the server: its code opens one session, in one browser. Give the token.'
            : 'Open the address that was printed at the start, which has a code good once, or give the token.'}
        </span>
        <input
          type="password"
          autocomplete="off"
          aria-label="Token"
          value={token.value}
          onInput={(event) => (token.value = event.currentTarget.value)}
        />
      </label>
      {refusal.value !== '' && (
        <p role="alert" class="s-failed">
          {refusal.value}
        </p>
      )}
      <button type="submit" class="primary" disabled={token.value === ''}>
        Open
      </button>
    </form>
  )
}
