import { batch } from '@preact/signals'
import { type Connection, connection, header, isCodeRefused, store, tick } from '../state/session.ts'
import { isLocked, postJson } from './api.ts'
import { type Loaded, loadRecording, messageOf, unpack } from './recorded.ts'
import { Feed } from './socket.ts'

const feed = new Feed()

export const retryNow = (): void => feed.retryNow()

/** Finds out where this page's data are: in the page, at the page that opened it, or at its server. */
export async function startSource(): Promise<void> {
  try {
    const embedded = await embeddedRecording()
    if (embedded !== undefined) return await showRecording(embedded)
    if (location.protocol === 'file:')
      throw new Error('This file carries no recording. Make a report: espalier report <run> -o report.html')
    if (isStatelyTarget()) {
      const { startStately } = await import('./stately.ts')
      if (startStately()) return
      throw new Error(
        'Expected to be opened by a page with createBrowserInspector({ url }), but no page did.',
      )
    }
    await openSession()
    feed.start()
  } catch (error) {
    connection.value = isLocked(error) ? { kind: 'locked' } : { kind: 'refused', message: messageOf(error) }
  }
}

/** The bytes of the recording that this page carries; `undefined` when it carries none. */
async function embeddedRecording(): Promise<Uint8Array | undefined> {
  const text = document.getElementById('payload')?.textContent?.trim()
  return text ? unpack(text) : undefined
}

/** How often what has been read of a recording is drawn, ms. */
const DRAWN_EVERY_MS = 400

/** Shows a recording as it is read; what can be read of a damaged one is shown with a word about the rest. */
async function showRecording(bytes: Uint8Array): Promise<void> {
  connection.value = { kind: 'loading', what: 'Reading the recording' }
  let drawnAt = Number.NEGATIVE_INFINITY
  const loaded = await loadRecording(bytes, (part, share) => {
    const now = performance.now()
    if (now - drawnAt < DRAWN_EVERY_MS) return
    drawnAt = now
    show(part, { kind: 'recorded', read: share })
  })
  show(loaded, { kind: 'recorded', ...(loaded.fault !== undefined && { fault: loaded.fault }) })
}

function show({ header: head, run }: Loaded, state: Connection): void {
  batch(() => {
    header.value = head
    store.value = run
    connection.value = state
    tick.value = tick.peek() + 1
  })
}

/** The path that is given to `createBrowserInspector` as its `url`. */
const isStatelyTarget = (): boolean => location.pathname.endsWith('/stately')

/**
 * Gives the code of the address, which is good once, for a cookie, and takes it out of the address. Who opens a link again may
 * have the cookie of the first time: so a code that is refused is no end.
 */
async function openSession(): Promise<void> {
  const code = /^#code=([^&]+)/.exec(location.hash)?.[1]
  if (code === undefined) return
  location.replace('#/overview')
  try {
    await enter(decodeURIComponent(code))
  } catch (error) {
    if (!isLocked(error)) throw error
    isCodeRefused.value = true
  }
}

/** Gives the token for a cookie, and shows what it opens. */
export async function unlock(token: string): Promise<void> {
  await enter(token)
  isCodeRefused.value = false
  feed.retryNow()
}

const enter = (token: string): Promise<void> => postJson('api/session', { token })
