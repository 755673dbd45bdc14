import { inspect, stripVTControlCharacters } from 'node:util'

/** Longest text of foreign origin that is printed, in characters; what is longer ends in `…`. */
const FOREIGN_LENGTH_MAX = 500

/**
 * Makes foreign text safe to print on one line: without escape sequences, control characters, line breaks and
 * invisible marks that reorder text, and of bounded length.
 *
 * @param value - A label, note or error message; anything else than a string is shown as `inspect` shows it.
 */
export function clean(value: unknown, longest = FOREIGN_LENGTH_MAX): string {
  const text = typeof value === 'string' ? value : inspect(value, { depth: 1, breakLength: Infinity })
  // A little more than can be shown, so that a huge text costs nothing and one of escapes still says something.
  const head = text.slice(0, longest * 4)
  const safe = stripVTControlCharacters(head)
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(/[\p{Cf}\p{Cs}\p{Variation_Selector}]/gu, '')
    .trimEnd()
  return safe.length > longest || head.length < text.length
    ? `${safe.slice(0, longest - 1).toWellFormed()}…`
    : safe
}

const PLAIN = /^[\x20-\x7e]*$/
const COMBINING = /\p{M}/u
const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u

/** How many terminal columns a clean text takes. */
export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

function characterWidth(character: string): number {
  if (COMBINING.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}

/** The longest beginning of a clean text that fits into `width` columns. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  let left = width
  for (const character of text) {
    left -= characterWidth(character)
    if (left < 0) break
    kept += character
  }
  return kept
}

/** Shortens a clean text to `width` columns; what was shortened ends in `…`. */
export function clip(text: string, width: number): string {
  return widthOf(text) <= width ? text : `${cut(text, width - 1)}…`
}

/** Fills a clean text up to `width` columns. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}

/** `340ms`, `12.3s`, `2m 05s`, `1h 02m`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))}ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)}s`
  const seconds = Math.round(ms / 1000)
  const pad = (value: number) => String(value).padStart(2, '0')
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`
  const minutes = Math.floor(seconds / 60)
  return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`
}

/** `512 B`, `1.5 kB`, `20 MB`: powers of 1000. */
export function formatBytes(bytes: number): string {
  const power = Math.min(4, Math.floor(Math.log10(Math.max(bytes, 1)) / 3))
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`
}

/** At most three significant digits, and all of a whole number: `0.712`, `1234`. */
export function formatScore(score: number): string {
  return Math.abs(score) >= 100 ? String(Math.round(score)) : String(Number(score.toPrecision(3)))
}

/** `1 node`, `2 nodes`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** A reported fraction as a number from 0 to 1, whatever was reported. */
export function shareOf(fraction: number): number {
  return fraction > 0 ? Math.min(1, fraction) : 0
}

/** `[####------]`, `width` columns in all. */
export function progressBar(fraction: number, width: number): string {
  const room = Math.max(1, width - 2)
  const filled = Math.round(shareOf(fraction) * room)
  return `[${'#'.repeat(filled)}${'-'.repeat(room - filled)}]`
}

/** `a · b · c and 4 more`: labels have commas of their own. */
export function listShort(names: readonly string[], count: number): string {
  const shown = names.slice(0, count).join(' · ')
  return names.length > count ? `${shown} and ${names.length - count} more` : shown
}
