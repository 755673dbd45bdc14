export { plainText } from '../../src/protocol/plain-text.ts'

/** Made when a number asks for it: the first costs a browser 40 ms. */
let compact: Intl.NumberFormat | undefined

/** `60,175`, of a whole number. */
export const formatCount = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',')

/** `60.2K`, where there is no room; of what is not whole three digits behind the point, at most. */
export function formatShort(count: number): string {
  if (count < 10_000) return Number.isInteger(count) ? formatCount(count) : String(Number(count.toFixed(3)))
  compact ??= new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })
  return compact.format(count)
}

/** A rate, with as many digits as it is worth. */
export const formatRate = (rate: number): string =>
  rate >= 100
    ? formatCount(Math.round(rate))
    : rate >= 10
      ? rate.toFixed(1)
      : rate.toFixed(2).replace(/\.?0+$/, '')

/** `2.3 s`, `4 m 05 s`; `–` for what is not known. */
export function formatDuration(ms: number): string {
  if (Number.isNaN(ms)) return '–'
  if (ms < 0) return `-${formatDuration(-ms)}`
  if (ms < 1) return ms === 0 ? '0 ms' : `${ms.toFixed(2)} ms`
  if (ms < 999.5) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9_995 ? 2 : 1)} s`
  const seconds = Math.round(ms / 1000)
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  const two = (value: number) => String(value).padStart(2, '0')
  if (days > 0) return `${days} d ${two(hours)} h`
  if (hours > 0) return `${hours} h ${two(minutes)} m`
  return `${minutes} m ${two(seconds % 60)} s`
}

/** A place in the run's time, to the ms: `1:02:03.456`. */
export function formatClock(ms: number): string {
  const sign = ms < 0 ? '-' : ''
  const whole = Math.floor(Math.abs(ms))
  const [hours, minutes, seconds] = [
    Math.floor(whole / 3_600_000),
    Math.floor(whole / 60_000) % 60,
    Math.floor(whole / 1000) % 60,
  ]
  const rest = `${String(seconds).padStart(2, '0')}.${String(whole % 1000).padStart(3, '0')}`
  return hours > 0
    ? `${sign}${hours}:${String(minutes).padStart(2, '0')}:${rest}`
    : `${sign}${minutes}:${rest}`
}

/** `12 MiB`, rounded up; `–` for what is not known. */
export const formatMiB = (mebibytes: number): string =>
  Number.isNaN(mebibytes) ? '–' : `${formatCount(Math.ceil(mebibytes))} MiB`

export const formatShare = (part: number, whole: number): string =>
  whole === 0 ? '–' : `${((part / whole) * 100).toFixed(part === whole || part === 0 ? 0 : 1)} %`

/** `1 job`, `2 jobs`. */
export const plural = (count: number, word: string): string =>
  `${formatCount(count)} ${count === 1 ? word : word.endsWith('y') ? `${word.slice(0, -1)}ies` : `${word}s`}`
