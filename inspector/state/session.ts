import { computed, signal } from '@preact/signals'
import type { FeedStatus, RecordingHeader } from '../../src/protocol/index.ts'
import type { RunStore } from '../model/run-store.ts'
import type { StatelyActors } from '../model/stately-actors.ts'

/** Where the page's data come from, and how that is going. */
export type Connection =
  | { readonly kind: 'loading'; readonly what: string }
  | { readonly kind: 'live' }
  /** Connected, but the server says nothing: what is shown is of its last word. */
  | { readonly kind: 'silent' }
  /** Lost: what is shown is of then. Tried again at `retryAt`, epoch ms. */
  | { readonly kind: 'lost'; readonly retryAt: number }
  /** The pool is closed; everything it told is here. */
  | { readonly kind: 'ended' }
  /** A recording, whole or up to a fault; or, while it is still being read, the share that is here. */
  | { readonly kind: 'recorded'; readonly fault?: string; readonly read?: number }
  /** The server wants its token first. */
  | { readonly kind: 'locked' }
  /** Nothing can be shown. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Actors of an inspected page, through `@statelyai/inspect`. */
  | { readonly kind: 'stately' }

export const connection = signal<Connection>({ kind: 'loading', what: 'Waiting for the recording' })
export const header = signal<RecordingHeader | undefined>(undefined)
/** Changes when the run has: a store is no part of the reactive graph. */
export const tick = signal(0)
const current = signal<RunStore | undefined>(undefined)

/** What is shown. Who reads its value in a component or effect is told of every change in it. */
export const store = {
  get value(): RunStore | undefined {
    void tick.value
    return current.value
  },
  set value(run: RunStore | undefined) {
    current.value = run
  },
  peek: (): RunStore | undefined => current.peek(),
}
/** What a live pool says of itself, exact however far its blocks are behind. */
export const status = signal<FeedStatus | undefined>(undefined)
/** Whether the server has no pool, but a recording. */
export const isServedRecording = signal(false)
/** Whether the server lets this page change anything. */
export const isOperator = signal(false)
/** Whether this page can change anything now: a pool that is there and not closed, by a server that lets it. */
export const canControl = computed(() => isOperator.value && connection.value.kind === 'live')
/** Whether the page was opened by a link whose code the server does not take. */
export const isCodeRefused = signal(false)
/** Jobs that ended before the recording began. */
export const missingJobs = signal(0)
/** Where there is no run, but another page's actors. */
export const statelyActors = signal<StatelyActors | undefined>(undefined)
