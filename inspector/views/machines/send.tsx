import { useSignal } from '@preact/signals'
import type { Actor } from '../../model/actor.ts'
import { plainText } from '../../model/format.ts'
import { doCommand } from '../../source/api.ts'
import { question } from '../../state/overlays.ts'
import { toast } from '../../state/toasts.ts'

/** Asks, and then sends an event to an actor, with fields that somebody may add as JSON. */
export function confirmSend(actor: Actor, event: string): void {
  let fields = ''
  question.value = {
    title: `Send ${event} to ${plainText(actor.name)}?`,
    body: (
      <>
        <p>
          The actor takes it as if the run itself had sent it. It is in{' '}
          <b>{actor.states.map((state) => state.replace(/^\w+\./, '')).join(' and ')}</b>.
        </p>
        <Fields
          onChange={(text) => {
            fields = text
          }}
        />
      </>
    ),
    confirm: `Send ${event}`,
    onConfirm: () => {
      const extra = parseFields(fields)
      if (extra === undefined) {
        toast('failed', 'Nothing was sent: the fields are no JSON object, such as {"approved": true}.')
        return
      }
      void doCommand(
        { type: 'actor.send', actor: actor.id, event: { ...extra, type: event } },
        `${event} sent`,
      )
    },
  }
}

function Fields({ onChange }: { onChange: (text: string) => void }) {
  const text = useSignal('')
  const isWrong = parseFields(text.value) === undefined
  return (
    <label class="fields">
      <span class="muted">Fields of the event, as JSON; leave it empty for none</span>
      <textarea
        class="mono"
        rows={3}
        placeholder='{"approved": true}'
        aria-invalid={isWrong}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value
          onChange(text.value)
        }}
      />
    </label>
  )
}

function parseFields(text: string): Record<string, unknown> | undefined {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
