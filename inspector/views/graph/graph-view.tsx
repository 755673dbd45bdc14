import { Card, Empty } from '../../ui/parts.tsx'

export function GraphView() {
  return (
    <Card>
      <Empty icon="graph" title="Not in this version" />
    </Card>
  )
}
