import { effect } from '@preact/signals'
import { render } from 'preact'
import { App, startLoading } from './app/app.tsx'
import { startKeyboard } from './app/keyboard.ts'
import { startSource } from './source/start.ts'
import { startMomentLink } from './state/moment-link.ts'
import { startRest } from './state/rest.ts'
import { startRouting } from './state/route.ts'
import { connection, store } from './state/session.ts'
import { startTheme } from './state/theme.ts'
import { startTime } from './state/time.ts'

/**
 * How long the page waits for the first of its data before it says that it does, in ms: a frame costs it up to 200, and one
 * without data would stand between the data and theirs.
 */
const QUICK_MS = 100

/** Resolves when there is something to show, a run or a word why there is none, or nothing came quickly. */
async function firstNews(): Promise<void> {
  let stop = () => {}
  await new Promise<void>((resolve) => {
    stop = effect(() => {
      if (store.value !== undefined || connection.value.kind !== 'loading') resolve()
    })
    setTimeout(resolve, QUICK_MS)
  })
  stop()
}

startTheme()
startRouting()
startTime()
startRest()
startMomentLink()
startKeyboard()
startLoading()
void startSource()
const root = document.getElementById('app')
if (root !== null) void firstNews().then(() => render(<App />, root))
