import { checkDuration, checkInteger, checkKeys, checkObject } from './check.ts'
import { ENDED_STATUSES, type EndedStatus } from './job.ts'

/** How long ended jobs of one outcome stay known. */
export interface KeepRule {
  /** The latest so many. */
  readonly count?: number
  /** Those that ended at most so long ago, in ms. Default: of any age. */
  readonly ageMs?: number
}

/** What to keep of what has ended; a number is a count for each outcome. */
export type Keep = number | Partial<Readonly<Record<EndedStatus, number | KeepRule>>>

export type ResolvedKeep = Readonly<Record<EndedStatus, Required<KeepRule>>>

/**
 * What to keep, complete.
 *
 * @param defaultCount - Of the outcomes that name no count. Default: all.
 * @throws {EspalierError} `ESP_INVALID_OPTION`, `ESP_UNKNOWN_OPTION`.
 */
export function resolveKeep(keep: Keep | undefined, defaultCount = Number.MAX_SAFE_INTEGER): ResolvedKeep {
  if (keep !== undefined && typeof keep !== 'number') checkKeys('keep', checkObject('keep', keep), STATUSES)
  const rules = typeof keep === 'number' ? { completed: keep, failed: keep, cancelled: keep } : (keep ?? {})
  const ruleOf = (status: EndedStatus): Required<KeepRule> => {
    const option = `keep.${status}`
    const { [status]: given = {} } = rules
    if (typeof given !== 'number') checkKeys(option, checkObject(option, given), KEEP_RULE)
    const { count = defaultCount, ageMs } = typeof given === 'number' ? { count: given } : given
    return {
      count: checkInteger(`${option}.count`, count),
      ageMs: ageMs === undefined ? Number.POSITIVE_INFINITY : checkDuration(`${option}.ageMs`, ageMs),
    }
  }
  return { completed: ruleOf('completed'), failed: ruleOf('failed'), cancelled: ruleOf('cancelled') }
}

const STATUSES: ReadonlySet<string> = new Set(ENDED_STATUSES)
const KEEP_RULE: ReadonlySet<string> = new Set<keyof KeepRule>(['count', 'ageMs'])
