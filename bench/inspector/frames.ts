import type { Browser, Page } from 'playwright-core'

/** JavaScript on the page's main thread, in ms of a processor for each frame. */
export interface Frames {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly worst: number
  /** The longest task of the thread, whatever it did. */
  readonly longestTask: number
}

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly ts: number
  readonly dur?: number
  /** Of a processor: other work of the machine is not in it. */
  readonly tdur?: number
  readonly tid: number
  readonly pid: number
}

/** What a browser spends in scripts; what it paints, lays out and composes comes on top, and no budget of ours holds it. */
const SCRIPTS = new Set([
  ...['FunctionCall', 'EvaluateScript', 'EventDispatch', 'FireAnimationFrame', 'TimerFire'],
  ...['RunMicrotasks', 'MajorGC', 'MinorGC'],
])

/** Traces what a page does meanwhile, and tells how long its scripts took in each frame. */
export async function framesOf(browser: Browser, page: Page, act: () => Promise<void>): Promise<Frames> {
  await browser.startTracing(page, {
    categories: ['devtools.timeline', 'v8', 'disabled-by-default-devtools.timeline'],
  })
  await act()
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    traceEvents: TraceEvent[]
  }
  const threads = new Map<string, TraceEvent[]>()
  for (const event of traceEvents) {
    const thread = `${event.pid} ${event.tid}`
    const events = threads.get(thread)
    if (events === undefined) threads.set(thread, [event])
    else events.push(event)
  }
  // The page's main thread is the one that fires animation frames.
  const busiest = [...threads.values()].sort(
    (a, b) => countOf(b, 'FireAnimationFrame') - countOf(a, 'FireAnimationFrame'),
  )[0]
  const times = scriptTimes(busiest ?? [])
  const tasks = (busiest ?? []).filter(({ name }) => name === 'RunTask')
  if (times.length === 0)
    throw new Error('Expected frames in the trace, found none: this Chromium names them otherwise.')
  return {
    ...summarise(times),
    longestTask: Math.max(...tasks.map(({ dur = 0, tdur = dur }) => tdur)) / 1000,
  }
}

function scriptTimes(events: readonly TraceEvent[]): number[] {
  const starts = events
    .filter(({ name, ph }) => name === 'AnimationFrame' && ph === 'b')
    .map(({ ts }) => ts)
    .sort((a, b) => a - b)
  const times = starts.map(() => 0)
  const scripts = events
    .filter(({ name, dur }) => SCRIPTS.has(name) && dur !== undefined)
    .sort((a, b) => a.ts - b.ts)
  let frame = -1
  let covered = 0
  for (const { ts, dur = 0, tdur = dur } of scripts) {
    while (frame + 1 < starts.length && starts[frame + 1]! <= ts) frame++
    // Calls inside calls are in theirs already.
    if (ts < covered) continue
    covered = ts + dur
    if (frame >= 0) times[frame]! += tdur / 1000
  }
  return times.filter((time) => time > 0)
}

function summarise(times: readonly number[]): Omit<Frames, 'longestTask'> {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), worst: at(1) }
}

const countOf = (events: readonly TraceEvent[], name: string): number =>
  events.filter((event) => event.name === name).length
