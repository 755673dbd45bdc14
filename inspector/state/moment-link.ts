import { effect, untracked } from '@preact/signals'
import { restTick } from './rest.ts'
import { route, setParams } from './route.ts'
import { header, store } from './session.ts'
import { chosenAt, follow, goTo, isFollowing } from './time.ts'

/** Keeps the moment shown in the address, in ms since the run's start, and goes to the one that an address names. */
export function startMomentLink(): void {
  let written = ''
  effect(() => {
    const at = route.value.params.at ?? ''
    // A run that has just come is shown at the moment that was asked for before.
    const epoch = header.value?.startedAt
    if (epoch === undefined || at === written) return
    written = at
    const ms = Number.parseFloat(at)
    untracked(() => (Number.isFinite(ms) && ms >= 0 ? goTo(epoch + ms) : follow()))
  })
  effect(() => {
    void [restTick.value, isFollowing.value]
    const run = store.peek()
    if (run === undefined) return
    const at = isFollowing.peek() ? '' : String(Math.round((chosenAt.peek() - run.epoch) * 1000) / 1000)
    if (at === written) return
    written = at
    untracked(() => setParams({ at }))
  })
}
