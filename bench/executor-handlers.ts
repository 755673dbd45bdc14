import type { HandlerContext } from 'espalier'

// What the jobs of the `executors` suite run, in threads and processes.

export const noop = (): void => {}

/** Computes for some 25 ms, always as much. */
export const burn = (): number => {
  let sum = 0
  for (let index = 0; index < 12_000_000; index++) sum += Math.sqrt(index)
  return sum
}

/** Takes a buffer and gives it back, moved both ways. */
export const passBack = (buffer: ArrayBuffer, { move }: HandlerContext): ArrayBuffer => {
  move([buffer])
  return buffer
}
