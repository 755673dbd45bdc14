/** One row of a bench: what was measured, against what, and the bar it must reach. */
export interface Row {
  readonly id: string
  readonly what: string
  /** Jobs per second, or whatever `unit` says. */
  readonly ours: number
  readonly peer: number
  readonly unit: string
  readonly ratio: number
  /** At least this, or with `isCeiling` at most. */
  readonly bar: number
  readonly isCeiling: boolean
  readonly holds: boolean
}

/** Rounds of each measure; the median counts. */
const ROUNDS = 5

/** Lets timers and garbage collection of what ran before pass, so that it does not weigh on what runs next. */
export async function breathe(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 10))
  if (globalThis.gc === undefined) throw new Error('Expected --expose-gc: run it with `npm run bench`.')
  globalThis.gc()
}

/** Calls the measures in turn, several rounds, and returns each one's median: so all see the same machine. */
export async function medians<Name extends string>(
  measures: Readonly<Record<Name, () => Promise<number>>>,
  rounds = ROUNDS,
): Promise<Record<Name, number>> {
  const names = Object.keys(measures) as Name[]
  const seen = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      await breathe()
      const value = await measures[name]()
      // The first round only warms up.
      if (round > 0) seen[name].push(value)
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(seen[name])])) as Record<Name, number>
}

export function atLeast(
  id: string,
  what: string,
  ours: number,
  peer: number,
  bar: number,
  unit = 'jobs/s',
): Row {
  const ratio = ours / peer
  return { id, what, ours, peer, unit, ratio, bar, isCeiling: false, holds: ratio >= bar }
}

export function atMost(id: string, what: string, ours: number, peer: number, bar: number, unit: string): Row {
  const ratio = ours / peer
  return { id, what, ours, peer, unit, ratio, bar, isCeiling: true, holds: ratio <= bar }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
