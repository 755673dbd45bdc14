/** The names of the priority bands, most urgent first. */
export const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const

export type Priority = (typeof PRIORITIES)[number]

/** The index of a priority in {@link PRIORITIES}, 0 most urgent; -1 for a name that is none. */
export function bandOf(priority: unknown): number {
  return PRIORITIES.indexOf(priority as Priority)
}
