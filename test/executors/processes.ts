import { readdirSync, readFileSync } from 'node:fs'

/** Whether a process runs: one that has ended and whom nobody has buried does not. */
export function isRunning(pid: number): boolean {
  if (process.platform !== 'linux') {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  return !['Z', 'X', undefined].includes(stateOf(pid))
}

/** Resolves when none of the processes runs. */
export async function goneProcesses(pids: readonly number[]): Promise<void> {
  while (pids.some(isRunning)) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** The pids of this process's children, those included that have ended and are not buried. */
export function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && Number(fieldsOf(pid)[1]) === parent)
}

/** Numbers that stand on lines of their own. */
export const pidsIn = (text: string): number[] => (text.match(/^\d+$/gm) ?? []).map(Number)

const stateOf = (pid: number): string | undefined => fieldsOf(pid)[0]

function fieldsOf(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}
