import type { RunStore } from './run-store.ts'

/** What attempts used; `NaN` where nobody told. */
export interface Used {
  readonly cpuMs: number
  readonly memoryMiB: number
}

const UNKNOWN: Used = { cpuMs: Number.NaN, memoryMiB: Number.NaN }

/** What one attempt used. */
export function usedBy(run: RunStore, job: number, attempt: number): Used {
  const row = run.usageRows.of(job).find((each) => run.usages.attempt.data[each] === attempt)
  return row === undefined ? UNKNOWN : usedIn(run, row)
}

/** What the attempts of a job that had ended by a moment used: all their processor time, and the most memory of one. */
export function usedUntil(run: RunStore, job: number, at: number): Used {
  const rows = run.usageRows.of(job)
  if (rows.length === 0) return UNKNOWN
  const { slices } = run
  const ended = new Set<number>()
  for (const slice of run.slicesOf(job))
    if (slices.end.data[slice]! <= at) ended.add(slices.attempt.data[slice]!)
  let [cpuMs, memoryMiB] = [Number.NaN, Number.NaN]
  for (const row of rows) {
    if (!ended.has(run.usages.attempt.data[row]!)) continue
    const used = usedIn(run, row)
    if (!Number.isNaN(used.cpuMs)) cpuMs = (cpuMs || 0) + used.cpuMs
    if (!Number.isNaN(used.memoryMiB)) memoryMiB = Math.max(memoryMiB || 0, used.memoryMiB)
  }
  return { cpuMs, memoryMiB }
}

function usedIn({ usages }: RunStore, row: number): Used {
  const cpu = usages.cpu.data[row]!
  const memory = usages.memory.data[row]!
  return {
    cpuMs: cpu < 0 ? Number.NaN : cpu / 1000,
    memoryMiB: memory < 0 ? Number.NaN : memory / 1024,
  }
}
