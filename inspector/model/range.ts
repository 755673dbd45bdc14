import { COMPLETED, FAILED, isQueued } from './job-states.ts'
import type { RunStore } from './run-store.ts'
import { OPEN } from './slices.ts'
import { quantileOf } from './statistics.ts'

/** Attempts of one kind of job, in a span of time. */
export interface KindFigures {
  readonly kind: string
  readonly attempts: number
  readonly failed: number
  readonly retried: number
  /** In ms. */
  readonly meanMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly maxMs: number
  /** The job of the longest attempt. */
  readonly longest: number
  readonly waitP50Ms: number
  readonly waitP95Ms: number
  /** Time in attempts inside the span, ms. */
  readonly busyMs: number
}

interface Gathered {
  durations: number[]
  waits: number[]
  failed: number
  retried: number
  busyMs: number
  longest: number
  maxMs: number
}

/** What the attempts in a span of time were like, by kind; the kind that took the most time first. */
export function figuresOf(run: RunStore, from: number, to: number, now: number): KindFigures[] {
  const { slices } = run
  const kinds = new Map<number, Gathered>()
  for (let slice = 0; slice < slices.length; slice++) {
    const start = slices.start.data[slice]!
    if (start > to) break
    const end = slices.endOf(slice, now)
    if (end < from) continue
    const job = slices.job.data[slice]!
    const kind = run.jobs.kind.data[job]!
    let gathered = kinds.get(kind)
    if (gathered === undefined) {
      gathered = { durations: [], waits: [], failed: 0, retried: 0, busyMs: 0, longest: -1, maxMs: -1 }
      kinds.set(kind, gathered)
    }
    const outcome = slices.outcome.data[slice]!
    if (outcome === FAILED) gathered.failed++
    else if (outcome !== OPEN && isQueued(outcome)) gathered.retried++
    gathered.busyMs += Math.min(to, end) - Math.max(from, start)
    gathered.waits.push(start - slices.readyAt.data[slice]!)
    if (outcome === COMPLETED || outcome === OPEN) gathered.durations.push(end - start)
    if (end - start > gathered.maxMs) {
      gathered.maxMs = end - start
      gathered.longest = job
    }
  }
  return [...kinds]
    .map(([kind, gathered]) => summarise(run.text(kind), gathered))
    .sort((a, b) => b.busyMs - a.busyMs)
}

function summarise(
  kind: string,
  { durations, waits, failed, retried, busyMs, longest, maxMs }: Gathered,
): KindFigures {
  const sorted = Float64Array.from(durations).sort()
  const waited = Float64Array.from(waits).sort()
  return {
    kind,
    attempts: waits.length,
    failed,
    retried,
    meanMs: sorted.reduce((sum, each) => sum + each, 0) / sorted.length,
    p50Ms: quantileOf(sorted, 0.5),
    p95Ms: quantileOf(sorted, 0.95),
    maxMs,
    longest,
    waitP50Ms: quantileOf(waited, 0.5),
    waitP95Ms: quantileOf(waited, 0.95),
    busyMs,
  }
}
