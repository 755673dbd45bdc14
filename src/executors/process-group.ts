import { canReadProcesses, readProcesses } from './process-table.ts'

const FIRST_LOOK_MS = 2
const LONGEST_LOOK_MS = 250

/**
 * Sends a signal to a detached child and to all that it has started.
 *
 * They are its process group; on Linux also those of its session that have made a group of their own, as `timeout` of
 * coreutils does. One that founds a session of its own is out of reach, on every system.
 *
 * @param leader - The child's pid, which is its group's and its session's number too.
 */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  sendSignal(-leader, signal)
  for (const { pid, group } of othersOf(leader)) if (group !== leader) sendSignal(pid, signal)
}

/** Resolves when nothing of a group runs any more, however long that takes. */
export async function groupEnd(leader: number): Promise<void> {
  for (let restMs = FIRST_LOOK_MS; isGroupAlive(leader); restMs = Math.min(restMs * 2, LONGEST_LOOK_MS)) {
    await new Promise((resolve) => setTimeout(resolve, restMs))
  }
}

function isGroupAlive(leader: number): boolean {
  // One that has ended and whom nobody has buried still counts for `kill`.
  return canReadProcesses ? othersOf(leader).length > 0 : sendSignal(-leader, 0)
}

/** What runs in the session of a child, itself included. */
const othersOf = (leader: number) =>
  canReadProcesses
    ? readProcesses(leader).filter(({ session, hasEnded }) => session === leader && !hasEnded)
    : []

/** @returns Whether there was somebody to send it to. */
function sendSignal(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, signal)
    return true
  } catch {
    return false
  }
}
