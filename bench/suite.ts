import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

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
    await pause()
    const figure = await measure()
    if (round >= WARM_UP_ROUNDS) figures.push(figure)
  }
  return median(figures)
}

/** Runs a round of one measure whenever the other process asks for it. */
export function runRounds(measure: () => Promise<number>): void {
  process.on('message', async () => {
    await pause()
    process.send?.(await measure())
  })
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 10))

/**
 * Runs each measure in a process of its own, and returns its figures, one for each round.
 *
 * Together in one process, what the compiler learnt from one and the heap that another left would weigh on the next. In
 * a round each process runs once, one after the other, every other time in reverse: the machine's pace changes within
 * seconds, and the figures of one round were taken close to each other.
 *
 * @param turns - How often, with new processes. More than 1 where ratios are close to 1: two processes that do the same can
 * differ by a tenth.
 */
export async function measureAll<Name extends string>(
  suite: string,
  measures: Measures<Name>,
  progress: (what: string) => void,
  turns = 1,
): Promise<Record<Name, readonly number[]>> {
  const names = Object.keys(measures) as Name[]
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let turn = 0; turn < turns; turn++) {
    const children = names.map((name) => ({ name, child: fork(SCRIPT, [suite, name]) }))
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      progress(`${suite}, turn ${turn + 1} of ${turns}, round ${round + 1} of ${WARM_UP_ROUNDS + ROUNDS}`)
      for (const { name, child } of round % 2 === 0 ? children : children.toReversed()) {
        const figure = await askFor(child, name)
        if (round >= WARM_UP_ROUNDS) figures[name].push(figure)
      }
    }
    await Promise.all(children.map(({ child }) => end(child)))
  }
  return figures
}

/**
 * {@link measureAll} for some of a suite's measures: those that are compared with each other. With all others between its
 * rounds each would lie idle for as long as these take, and come to its next round cold.
 */
export function turnsOf<All extends Measures>(
  suite: string,
  measures: All,
  progress: (what: string) => void,
  turns: number,
): <Name extends keyof All & string>(...names: readonly Name[]) => Promise<Record<Name, readonly number[]>> {
  return async <Name extends keyof All & string>(...names: readonly Name[]) => {
    const compared = Object.fromEntries(names.map((name) => [name, measures[name]])) as Pick<All, Name>
    return await measureAll<Name>(suite, compared, (what) => progress(`${names.join(', ')}: ${what}`), turns)
  }
}

const SCRIPT = fileURLToPath(new URL('./measure.ts', import.meta.url))

/** The figure of one round. */
function askFor(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new Error(`The process that measures "${name}" has ended.`))
    child.once('exit', failed)
    child.once('message', (figure) => {
      child.off('exit', failed)
      resolve(Number(figure))
    })
    child.send('round')
  })
}

/** Without its channel it has nothing left to do. */
async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.disconnect()
  await exit
}

/** What was measured: by round, or one figure that stands for itself. */
type Figures = number | readonly number[]

export function atLeast(id: string, what: string, ours: Figures, peer: Figures, bar: number): Row {
  const compared = compare(ours, peer)
  return { id, what, ...compared, unit: 'jobs/s', bar, isCeiling: false, holds: compared.ratio >= bar }
}

export function atMost(
  id: string,
  what: string,
  ours: Figures,
  peer: Figures,
  bar: number,
  unit: string,
): Row {
  const compared = compare(ours, peer)
  return { id, what, ...compared, unit, bar, isCeiling: true, holds: compared.ratio <= bar }
}

/** A row without a bar. */
export function beside(id: string, what: string, ours: Figures, peer: Figures): Row {
  return { id, what, ...compare(ours, peer), unit: 'jobs/s', isCeiling: false, holds: true }
}

/** Medians; the ratio is that of the ratios within each round, so it need not be that of the other two. */
function compare(ours: Figures, peer: Figures): Pick<Row, 'ours' | 'peer' | 'ratio'> {
  const [our, their] = [[ours].flat(), [peer].flat()]
  const rounds = Math.max(our.length, their.length)
  const ratios = Array.from({ length: rounds }, (_, round) => at(our, round) / at(their, round))
  return { ours: median(our), peer: median(their), ratio: median(ratios) }
}

/** Of what was measured once, always the same. */
const at = (figures: readonly number[], round: number): number =>
  (figures.length === 1 ? figures[0] : figures[round]) as number

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
