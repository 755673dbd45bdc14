import { effect, signal } from '@preact/signals'
import { store } from './session.ts'
import { momentTick } from './time.ts'

export const STILL_MS = 150
export const LATEST_MS = 1_000

/**
 * Changes when the moment has held still, and once a second while it does not. What takes longer than a frame may, or is
 * only read out, follows this instead of the moment itself.
 */
export const restTick = signal(0)

export function startRest(): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let restedAt = Number.NEGATIVE_INFINITY
  let shown: unknown
  const rest = () => {
    clearTimeout(timer)
    restedAt = performance.now()
    restTick.value = restTick.peek() + 1
  }
  effect(() => {
    void momentTick.value
    clearTimeout(timer)
    const run = store.peek()
    if (run !== shown || performance.now() - restedAt > LATEST_MS) rest()
    else timer = setTimeout(rest, STILL_MS)
    shown = run
  })
}
