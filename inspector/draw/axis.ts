import { upperBound } from '../model/column.ts'
import type { Surface } from '../ui/canvas.tsx'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** The round steps between marks of time, in ms. */
export const STEPS = [
  ...[0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 6, 12, 24].map((hours) => hours * HOUR),
]

/** The round step between marks, so that a span has at most so many; in ms. */
export function stepOf(span: number, most: number): number {
  return STEPS[Math.min(STEPS.length - 1, upperBound(STEPS, span / most, 0, STEPS.length))]!
}

/** A place on the axis, as short as the step between its marks allows. */
export function markText(ms: number, step: number): string {
  const sign = ms < 0 ? '-' : ''
  const whole = Math.abs(ms)
  const digits = step >= SECOND ? 0 : step >= 100 ? 1 : step >= 10 ? 2 : step >= 1 ? 3 : 4
  const seconds = (whole / SECOND) % 60
  const minutes = Math.floor(whole / MINUTE) % 60
  const hours = Math.floor(whole / HOUR)
  const tail = seconds.toFixed(digits)
  if (hours > 0)
    return `${sign}${hours}:${String(minutes).padStart(2, '0')}:${tail.padStart(digits > 0 ? digits + 3 : 2, '0')}`
  if (minutes > 0) return `${sign}${minutes}:${tail.padStart(digits > 0 ? digits + 3 : 2, '0')}`
  return `${sign}${tail} s`
}

/** Marks of time along the top: lines through the picture, words above them. */
export function drawAxis(surface: Surface, from: number, to: number, height: number): void {
  const { context, width, palette } = surface
  const step = stepOf(to - from, Math.max(2, width / 90))
  context.font = '11px system-ui, "DejaVu Sans", sans-serif'
  context.textBaseline = 'middle'
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
    const x = Math.round(((at - from) / (to - from)) * width) + 0.5
    context.fillStyle = palette.lineStrong.css
    context.fillRect(x, height - 6, 1, 6)
    context.fillStyle = palette.muted.css
    context.fillText(markText(at, step), x + 4, height / 2)
  }
}
