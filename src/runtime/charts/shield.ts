import type { Logger } from '../../ports/logger.ts'
import type { Inspection } from '../../statechart/index.ts'

/** XState calls inspectors in the middle of its own work: one that throws must not break that. */
export function shieldInspection(inspect: Inspection, logger: Logger): Inspection {
  let hasWarned = false
  return (event) => {
    try {
      if (typeof inspect === 'function') inspect(event)
      else inspect.next?.(event)
    } catch (thrown) {
      if (!hasWarned) logger.error('The inspector threw; it is told of no more than this first time.', thrown)
      hasWarned = true
    }
  }
}

/**
 * An observer that cannot throw.
 *
 * XState rethrows what a subscriber throws as an uncaught exception, which ends the process; a subscriber of a pool's
 * actors is logged instead.
 */
export function shieldObserver(args: readonly unknown[], report: (thrown: unknown) => void): object {
  const [first, error, complete] = args
  const given = (
    typeof first === 'object' && first !== null ? first : { next: first, error, complete }
  ) as Record<string, unknown>
  const shielded = (name: string) => {
    if (typeof given[name] !== 'function') return {}
    const call = (value?: unknown) => {
      try {
        ;(given[name] as (value?: unknown) => void)(value)
      } catch (thrown) {
        report(thrown)
      }
    }
    return { [name]: call }
  }
  return { ...shielded('next'), ...shielded('error'), ...shielded('complete') }
}
