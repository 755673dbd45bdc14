import { Card, Empty } from '../../ui/parts.tsx'

export function EventsView() {
  return (
    <Card>
      <Empty icon="events" title="Not in this version" />
    </Card>
  )
}
