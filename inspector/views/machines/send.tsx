import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { ActorDetail } from '../../../src/protocol/index.ts'
import { type Actor, leavesOf, stateInChart } from '../../model/actor.ts'
import { plainText } from '../../model/format.ts'
import { doCommand, getJson } from '../../source/api.ts'
import { question } from '../../state/overlays.ts'
import { toast } from '../../state/toasts.ts'

/** The one event of a page that a job takes itself; all others go to the actor it runs. */
const OF_JOB = 'job.cancel'
const NO_OBJECT = 'Expected a JSON object, such as {"approved": true}.'

/**
 * Asks, and then sends an event to an actor, with fields that somebody may add as JSON.
 *
 * @param body - The actor that a job runs, which the event is for.
 */
export function confirmSend(actor: Actor, event: string, body: ActorDetail | undefined): void {
  let fields = ''
  const states = body === undefined || event === OF_JOB ? actor.states : leavesOf(body.active)
  question.value = {
    title: `Send ${event} to ${plainText(actor.name)}?`,
    body: (
      <>
        <p>
          The actor takes it as if the run itself had sent it.
          {states.length > 0 && (
            <>
              {' '}
              It is in <b>{plainText(states.map(stateInChart).join(' and '))}</b>.
            </>
          )}
        </p>
        <Fields
          onChange={(text) => {
            fields = text
          }}
        />
      </>
    ),
    confirm: `Send ${event}`,
    // The dialog stays while the fields are none.
    onConfirm: () => send(actor, { ...parseFields(fields), type: event }),
  }
}

/** Sends an event, and tells when it has changed nothing that can be seen: a guard may have refused it. */
async function send(actor: Actor, event: { readonly type: string }): Promise<void> {
  const before = await seenOf(actor)
  const sent = await doCommand({ type: 'actor.send', actor: actor.id, event }, `${event.type} delivered`)
  if (sent === undefined || before === undefined || before !== (await seenOf(actor))) return
  toast('failed', `${event.type} changed neither the state nor the context: no transition may have taken it.`)
}

/** The states and contexts of an actor and of what it runs; `undefined` when the server tells of none. */
async function seenOf({ id }: Actor): Promise<string | undefined> {
  try {
    const { value, context, body } = await getJson<ActorDetail>(`api/actors/${encodeURIComponent(id)}`)
    return JSON.stringify([value, context, body?.value, body?.context])
  } catch {
    return undefined
  }
}

function Fields({ onChange }: { onChange: (text: string) => void }) {
  const text = useSignal('')
  const area = useRef<HTMLTextAreaElement>(null)
  const isWrong = parseFields(text.value) === undefined
  // A form with a field that is not valid is not sent, and its dialog stays as it is.
  useEffect(() => area.current?.setCustomValidity(isWrong ? NO_OBJECT : ''), [isWrong])
  return (
    <label class="fields">
      <span class="muted">Fields of the event, as JSON; leave it empty for none</span>
      <textarea
        ref={area}
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
