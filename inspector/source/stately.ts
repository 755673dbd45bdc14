import { batch } from '@preact/signals'
import { StatelyActors } from '../model/stately-actors.ts'
import { connection, statelyActors, tick } from '../state/session.ts'

/** What `createBrowserInspector` waits for before it sends anything, and what it says when it stops. */
const CONNECTED = '@statelyai.connected'
const DISCONNECTED = '@statelyai.disconnected'

/**
 * Listens to the page that opened this one, or holds it in a frame, as the `url` of `createBrowserInspector`.
 *
 * @returns `false` when there is no such page.
 */
export function startStately(): boolean {
  const source: Window | null = window.opener ?? (window.parent === window ? null : window.parent)
  if (source === null) return false
  const actors = new StatelyActors()
  addEventListener('message', ({ data, source: sender }) => {
    if (sender !== source) return
    if (isTyped(data) && data.type === DISCONNECTED) {
      connection.value = { kind: 'ended' }
      return
    }
    if (!actors.take(data)) return
    batch(() => {
      if (connection.peek().kind !== 'stately') {
        statelyActors.value = actors
        connection.value = { kind: 'stately' }
      }
      tick.value = tick.peek() + 1
    })
  })
  // Whoever it is gets only this word; what it answers is shown as text.
  source.postMessage({ type: CONNECTED }, '*')
  return true
}

const isTyped = (data: unknown): data is { readonly type: string } =>
  typeof data === 'object' && data !== null && typeof (data as { type?: unknown }).type === 'string'
