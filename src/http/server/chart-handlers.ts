import { EspalierError } from '../../domain/errors.ts'
import type { Chart } from '../../protocol/chart.ts'
import { chartSvg } from '../../protocol/chart-svg.ts'
import { ownCharts } from '../files/charts.ts'
import type { Handlers } from './server.ts'

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
