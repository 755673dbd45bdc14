import { readdirSync, readFileSync } from 'node:fs'

/** A process, as Linux tells of it. */
export interface ProcessRow {
  readonly pid: number
  readonly group: number
  /** The process that founded its session: all that a detached child starts stays in it, unless it makes its own. */
  readonly session: number
  /** It has ended, and only waits for its parent to take note. */
  readonly hasEnded: boolean
  /** CPU time of its own and of the children it has waited for, in ms; counted in steps of 10. */
  readonly cpuMs: number
  /** Resident memory; pages shared with others are counted in each of them. */
  readonly memoryBytes: number
}

/** Whether this system tells of its processes. */
export const canReadProcesses = process.platform === 'linux'

/** Linux counts CPU time in hundredths of a second on every machine that Node runs on. */
const MS_PER_TICK = 10

/**
 * The processes of this machine, or of the container.
 *
 * @param from - Only those with this pid or a higher one: descendants of a young process are, unless the pids have
 * come round in its lifetime.
 */
export function readProcesses(from = 1): ProcessRow[] {
  const rows: ProcessRow[] = []
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!(pid >= from)) continue
    const row = parseStat(pid, readStat(name), pageBytes())
    if (row !== undefined) rows.push(row)
  }
  return rows
}

/** Reads the text of `/proc/<pid>/stat`; the name in it may hold spaces and parentheses. */
export function parseStat(pid: number, text: string | undefined, pageSize: number): ProcessRow | undefined {
  if (text === undefined) return undefined
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (index: number) => Number(fields[index])
  return {
    pid,
    group: field(2),
    session: field(3),
    hasEnded: fields[0] === 'Z' || fields[0] === 'X',
    cpuMs: (field(11) + field(12) + field(13) + field(14)) * MS_PER_TICK,
    memoryBytes: field(21) * pageSize,
  }
}

/** Absent when the process has gone meanwhile. */
function readStat(pid: string): string | undefined {
  try {
    // Of utf8 Node reads the whole file in one call, without a buffer of 64 KiB for each.
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
}

const AT_PAGESZ = 6n
const FALLBACK_PAGE_BYTES = 4_096
let knownPageBytes: number | undefined

/** The kernel tells each process its page size when it starts it, in pairs of a key and a value. */
function pageBytes(): number {
  knownPageBytes ??= readPageBytes()
  return knownPageBytes
}

function readPageBytes(): number {
  const pairs = readFileSync('/proc/self/auxv')
  for (let at = 0; at + 16 <= pairs.length; at += 16) {
    if (pairs.readBigUInt64LE(at) === AT_PAGESZ) return Number(pairs.readBigUInt64LE(at + 8))
  }
  return FALLBACK_PAGE_BYTES
}
