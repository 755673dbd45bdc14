import { Card, Empty } from '../../ui/parts.tsx'

export function MachinesView() {
  return (
    <Card>
      <Empty icon="machines" title="Not in this version" />
    </Card>
  )
}
