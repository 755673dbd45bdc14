/** In the order in which a recording numbers them. */
export const PRIORITIES = ['critical', 'high', 'normal', 'low'] as const
