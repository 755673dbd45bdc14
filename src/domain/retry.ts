import { checkDuration, checkKeys, checkObject } from './check.ts'
import { EspalierError } from './errors.ts'

/** How long a job rests between a failed attempt and the next. */
export interface Backoff {
  /** `fixed` rests `delayMs` each time; `exponential` doubles it with each attempt. */
  readonly type: 'fixed' | 'exponential'
  /** The rest after the first failed attempt, in ms. 0 retries at once. */
  readonly delayMs: number
  /** The longest rest, in ms, before jitter. Default: 3,600,000 (an hour). */
  readonly maxDelayMs?: number
  /** The share of the rest that is random, 0 to 1: 0.2 spreads it over ±20 %. Default 0. */
  readonly jitter?: number
}

const HOUR_MS = 3_600_000

/**
 * The rest before the next attempt, in ms, never negative.
 *
 * @param failures - Failed attempts so far, from 1.
 * @param random - A number in [0, 1) that decides the jitter.
 */
export function backoffMs(backoff: Backoff, failures: number, random: number): number {
  const longest = backoff.maxDelayMs ?? HOUR_MS
  const factor = backoff.type === 'exponential' ? 2 ** Math.min(failures - 1, 52) : 1
  const rest = Math.min(backoff.delayMs * factor, longest)
  const jitter = backoff.jitter ?? 0
  return rest * (1 + jitter * (2 * random - 1))
}

const BACKOFF_NAMES: ReadonlySet<string> = new Set<keyof Backoff>(['type', 'delayMs', 'maxDelayMs', 'jitter'])

/** @throws {EspalierError} `ESP_INVALID_OPTION` or `ESP_UNKNOWN_OPTION`. */
export function checkBackoff(backoff: Backoff, name = 'backoff'): Backoff {
  checkObject(name, backoff)
  checkKeys(name, backoff, BACKOFF_NAMES)
  if (backoff.type !== 'fixed' && backoff.type !== 'exponential') {
    throw new EspalierError('ESP_INVALID_OPTION', {
      option: `${name}.type`,
      expected: "'fixed' or 'exponential'",
      got: (backoff as Partial<Backoff>).type,
    })
  }
  checkDuration(`${name}.delayMs`, backoff.delayMs)
  if (backoff.maxDelayMs !== undefined) checkDuration(`${name}.maxDelayMs`, backoff.maxDelayMs)
  if (backoff.jitter !== undefined && checkDuration(`${name}.jitter`, backoff.jitter) > 1) {
    throw new EspalierError('ESP_INVALID_OPTION', {
      option: `${name}.jitter`,
      expected: 'a share from 0 to 1',
      got: backoff.jitter,
    })
  }
  return backoff
}
