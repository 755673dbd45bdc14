import type { JobOrigin } from '../../../machines/index.ts'

/** Where a job comes from, as its chart has it: absent for one that stands alone. */
export function originOf({ nodeId, treeId, metadata }: Partial<JobOrigin>): JobOrigin | undefined {
  const standsAlone = nodeId === undefined && treeId === undefined && metadata === undefined
  return standsAlone ? undefined : { nodeId, treeId, metadata }
}
