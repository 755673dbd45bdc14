import { readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

/**
 * Of a core that both want, a thread this nice gets a tenth of what one of usual priority gets. Packing takes less of a
 * processor than a tenth of what the pool's thread needs to make the notes, so it keeps up.
 */
export const PACKING_NICENESS = 10

/** Lets other threads go first: on Linux, where priorities are per thread. Elsewhere nothing happens. */
export function letOthersGoFirst(): void {
  if (process.platform !== 'linux') return
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    setPriority(thread, Math.max(getPriority(thread), PACKING_NICENESS))
  } catch {
    // Without /proc the thread has no number to ask for: it works at the usual priority.
  }
}
