import type { ActorDetail, Chart } from '../../../src/protocol/index.ts'
import type { Actor } from '../../model/actor.ts'
import { plainText } from '../../model/format.ts'
import { useDetail } from '../../source/use-detail.ts'
import { canControl } from '../../state/session.ts'
import { ChartView } from '../../ui/chart.tsx'
import { ChartRoom } from '../../ui/chart-room.tsx'
import { Empty } from '../../ui/parts.tsx'
import { confirmSend } from './send.tsx'

/** The chart of the machine that a job runs: a user's own, laid out by the server when it is first looked at. */
export function BodyChart({
  actor,
  machine,
  accepts,
}: {
  actor: Actor
  machine: ActorDetail
  accepts: readonly string[]
}) {
  const path = `api/actors/${encodeURIComponent(actor.id)}/chart`
  const { body: chart, error } = useDetail<Chart>(path, machine.machine)
  if (error !== undefined) return <Empty icon="machines" title={plainText(error)} />
  if (chart === undefined) return <Empty icon="machines" title="Laying out its chart …" />
  const active = new Set(machine.active)
  const { edges } = chart.down
  const isEnabled = ({ source, event }: (typeof edges)[number]) =>
    active.has(source) && accepts.includes(event)
  const centre = machine.active.at(-1)
  return (
    <ChartRoom chart={chart} centre={centre}>
      {(layout, scale) => (
        <ChartView
          layout={layout}
          scale={scale}
          label={`Chart of ${machine.machine}`}
          marks={{ active, enabled: new Set(edges.filter(isEnabled).map(({ id }) => id)) }}
          {...(canControl.value && {
            onEdge: (id: string) => {
              const edge = edges.find((each) => each.id === id)
              if (edge !== undefined) confirmSend(actor, edge.event, machine)
            },
          })}
        />
      )}
    </ChartRoom>
  )
}
