import { Card, Empty } from '../../ui/parts.tsx'

export function MetricsView() {
  return (
    <Card>
      <Empty icon="metrics" title="Not in this version" />
    </Card>
  )
}
