import { readFileSync } from 'node:fs'
import { EspalierError } from '../domain/errors.ts'
import type { Chart } from '../protocol/chart.ts'
import { chartSvg } from '../protocol/chart-svg.ts'
import type { Handlers } from './server.ts'
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

function chartOf(params: unknown): Chart {
  const { machine } = params as { readonly machine: string }
  const chart = ownCharts().find(({ id }) => id === machine)
  if (chart === undefined) throw new EspalierError('ESP_NOT_THERE', { what: `chart "${machine}"` })
  return chart
}

export const chartHandlers: Pick<Handlers, 'charts' | 'chart' | 'chartSvg'> = {
  charts: () => ownCharts(),
  chart: ({ params }) => chartOf(params),
  chartSvg: ({ params, query }, reply) => {
    const { direction } = query as { readonly direction?: string }
    const chart = chartOf(params)
    return reply.type('image/svg+xml').send(chartSvg(direction === 'down' ? chart.down : chart.right))
  },
}
