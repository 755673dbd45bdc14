import { Empty } from '../../ui/parts.tsx'

export function StatelyView() {
  return <Empty icon="machines" title="Not in this version" />
}
