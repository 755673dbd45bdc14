import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** One row of a bench: what was measured, against what, and the bar it must reach. */
export interface Row {
  readonly id: string
  readonly what: string
  readonly ours: number
  readonly peer: number
  readonly unit: string
  readonly ratio: number
  /** At least this, or with `isCeiling` at most; absent where two figures are only to be seen beside each other. */
  readonly bar?: number
  readonly isCeiling: boolean
  readonly holds: boolean
}

/** What can be measured, by name: each returns one figure. */
export type Measures<Name extends string = string> = Readonly<Record<Name, () => Promise<number>>>

/** Figures that count, after some that only warm up; the median of them is taken. */
const ROUNDS = 5
const WARM_UP_ROUNDS = 5

/** Lets timers and garbage collection of what ran before pass, so that it does not weigh on what runs next. */
export async function breathe(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 10))
  if (globalThis.gc === undefined) throw new Error('Expected --expose-gc: run it with `npm run bench`.')
  globalThis.gc()
}

export type Done = () => void

/** Seconds that `work` takes: until it calls `done`, when what follows is not to be timed, else until it has ended. */
export async function seconds(work: (done: Done) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  let endedAt: number | undefined
  await work(() => {
    endedAt = performance.now()
  })
  return ((endedAt ?? performance.now()) - startedAt) / 1000
}

/** Jobs a second: `work` does all of them, see {@link seconds}. */
export async function perSecond(jobs: number, work: (done: Done) => Promise<unknown>): Promise<number> {
  return jobs / (await seconds(work))
}

/** Microseconds a job: `work` does all of them, see {@link seconds}. */
export async function microseconds(jobs: number, work: (done: Done) => Promise<unknown>): Promise<number> {
  return (1e6 * (await seconds(work))) / jobs
}

/** The median figure of one measure, in this process. */
export async function medianOf(measure: () => Promise<number>): Promise<number> {
  const figures: number[] = []
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    const figure = await measure()
    if (round >= WARM_UP_ROUNDS) figures.push(figure)
  }
  return median(figures)
}

/**
 * Runs each measure in a process of its own, and returns its figure.
 *
 * Together in one process, what the compiler learnt from one and the heap that another left would weigh on the next.
 *
 * @param turns - How often, one measure after the other; the median counts. More than 1 where ratios are close to 1: two
 * processes that do the same can differ by a tenth.
 */
export async function measureAll<Name extends string>(
  suite: string,
  measures: Measures<Name>,
  progress: (what: string) => void,
  turns = 1,
): Promise<Record<Name, number>> {
  const names = Object.keys(measures) as Name[]
  const figures = new Map<Name, number[]>(names.map((name) => [name, []]))
  const script = fileURLToPath(new URL('./measure.ts', import.meta.url))
  for (let turn = 0; turn < turns; turn++) {
    for (const name of names) {
      progress(name)
      const args = [...process.execArgv, script, suite, name]
      const { stdout } = await promisify(execFile)(process.execPath, args)
      figures.get(name)?.push(Number(stdout))
    }
  }
  return Object.fromEntries(Array.from(figures, ([name, all]) => [name, median(all)])) as Record<Name, number>
}

export function atLeast(id: string, what: string, ours: number, peer: number, bar: number): Row {
  const ratio = ours / peer
  return { id, what, ours, peer, unit: 'jobs/s', ratio, bar, isCeiling: false, holds: ratio >= bar }
}

export function atMost(id: string, what: string, ours: number, peer: number, bar: number, unit: string): Row {
  const ratio = ours / peer
  return { id, what, ours, peer, unit, ratio, bar, isCeiling: true, holds: ratio <= bar }
}

/** A row without a bar. */
export function beside(id: string, what: string, ours: number, peer: number): Row {
  return { id, what, ours, peer, unit: 'jobs/s', ratio: ours / peer, isCeiling: false, holds: true }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
