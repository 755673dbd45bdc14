import { Card, Empty } from '../../ui/parts.tsx'

export function CompareView() {
  return (
    <Card>
      <Empty icon="compare" title="Not in this version" />
    </Card>
  )
}
