import type { TreeAt } from '../../model/tree-at.ts'
import { stateName } from '../../ui/state-mark.tsx'

/** What a node is called at the moment: as its job is, unless a decision pruned it. */
export const nodeStateName = (at: TreeAt, node: number): string =>
  at.isPruned(node) ? 'pruned' : stateName(at.states[node]!)
