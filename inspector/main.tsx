import { render } from 'preact'
import { App } from './app/app.tsx'
import { startKeyboard } from './app/keyboard.ts'
import { startSource } from './source/start.ts'
import { startMomentLink } from './state/moment-link.ts'
import { startRest } from './state/rest.ts'
import { startRouting } from './state/route.ts'
import { startTheme } from './state/theme.ts'
import { startTime } from './state/time.ts'

startTheme()
startRouting()
startTime()
startRest()
startMomentLink()
startKeyboard()
const root = document.getElementById('app')
if (root !== null) render(<App />, root)
void startSource()
