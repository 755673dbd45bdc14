// One measure of one suite, in this process: prints its median figure, or runs a round whenever `measureAll` asks.
import { measures as core } from './core.ts'
import { measures as executors } from './executors.ts'
import { measures as explore } from './explore.ts'
import { measures as inspector } from './inspector.ts'
import { measures as store } from './store.ts'
import { type Measures, medianOf, runRounds } from './suite.ts'

const suites: Readonly<Record<string, Measures>> = { core, executors, explore, inspector, store }

const [suite = '', name = ''] = process.argv.slice(2)
const measure = suites[suite]?.[name]
if (measure === undefined)
  throw new Error(`Expected a suite and one of its measures, but got "${suite} ${name}".`)
if (process.send === undefined) process.stdout.write(String(await medianOf(measure)))
else runRounds(measure)
