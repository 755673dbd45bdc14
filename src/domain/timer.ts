/** The longest delay, in ms, that a timer of Node takes; beyond it fires at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1
