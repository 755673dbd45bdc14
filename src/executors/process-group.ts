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
 * @returns Whether anything of it ran.
 */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  const wasThere = sendSignal(-leader, signal)
  // One that has ended and whom nobody has buried still counts for `kill`.
  if (!canReadProcesses) return wasThere
  const running = readProcesses(leader).filter(({ session, hasEnded }) => session === leader && !hasEnded)
  for (const { pid, group } of running) if (group !== leader) sendSignal(pid, signal)
  return running.length > 0
}

/** Kills all of a group, and resolves when nothing of it runs any more, however long that takes. */
export async function endGroup(leader: number): Promise<void> {
  for (
    let restMs = FIRST_LOOK_MS;
    signalGroup(leader, 'SIGKILL');
    restMs = Math.min(restMs * 2, LONGEST_LOOK_MS)
  )
    await new Promise((resolve) => setTimeout(resolve, restMs))
}

/** @returns Whether there was somebody to send it to. */
function sendSignal(target: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(target, signal)
    return true
  } catch {
    return false
  }
}
