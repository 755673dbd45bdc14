import type { Moment } from './moment.ts'
import type { RunStore } from './run-store.ts'

/** In the order in which a recording numbers them. */
export const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const

/** The priority of each job at a moment: what was changed since is taken back, in a copy. */
export function prioritiesAt({ jobs, priorityChanges: changes }: RunStore, { step }: Moment): Uint8Array {
  let last = changes.step.length - 1
  if (last < 0 || changes.step.data[last]! < step) return jobs.priority.data
  const priorities = jobs.priority.data.slice(0, jobs.priority.length)
  for (; last >= 0 && changes.step.data[last]! >= step; last--)
    priorities[changes.job.data[last]!] = changes.before.data[last]!
  return priorities
}
