import { readFileSync } from 'node:fs'
import type { Chart } from '../../protocol/chart.ts'
import { packageFile } from './static-files.ts'

/** Machines whose layouts come with the package, made by `npm run pages`. */
const MACHINES = ['pool', 'job', 'orchestrator'] as const

let charts: readonly Chart[] | undefined

/** The charts of the package's machines, laid out; read once. */
export function ownCharts(): readonly Chart[] {
  charts ??= MACHINES.map(
    (machine) => JSON.parse(readFileSync(packageFile(`./machines/${machine}.chart.json`), 'utf8')) as Chart,
  )
  return charts
}

/** The charts as a recording carries them, so that it can be shown without a server. */
export function chartDocuments(): Readonly<Record<string, string>> {
  return Object.fromEntries(ownCharts().map((chart) => [`chart/${chart.id}`, JSON.stringify(chart)]))
}
