/**
 * An instant in whole µs, from one in ms.
 *
 * The same instant is the same number, and a later one no smaller, whatever it is counted from: near now the steps between two ms
 * that a double can tell are a quarter of a µs, so that what is rounded after a subtraction or an addition may come out in another µs.
 *
 * @param at - Epoch ms.
 * @returns Epoch µs.
 */
export function microsOf(at: number): number {
  const whole = Math.floor(at)
  return 1000 * whole + Math.round((at - whole) * 1000)
}
