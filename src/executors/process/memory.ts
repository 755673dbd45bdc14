import { readFileSync } from 'node:fs'

/** What Linux tells of a process's memory. */
export interface ProcessMemory {
  readonly residentBytes: number
  /** The most it ever was. */
  readonly peakBytes: number
}

/** @returns `undefined` where there is no /proc, or no such process. */
export function memoryOf(pid: number | 'self'): ProcessMemory | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    // One that has just ended has a status, and no memory.
    const residentBytes = kibOf(status, 'VmRSS')
    return residentBytes > 0 ? { residentBytes, peakBytes: kibOf(status, 'VmHWM') } : undefined
  } catch {
    return undefined
  }
}

function kibOf(status: string, field: string): number {
  const at = status.indexOf(`${field}:`)
  return at < 0 ? 0 : Number.parseInt(status.slice(at + field.length + 1), 10) * 1024
}
