import type { HandlerModels } from '../model/outcomes.ts'
import type { Step } from '../model/step.ts'
import type { Subject, WorldOptions, WorldPoolOptions } from '../model/subject.ts'
import type { Violation } from '../model/world-view.ts'

/** A run that breaks a promise, as JSON: `replay` does it again. */
export interface Counterexample {
  readonly format: typeof COUNTEREXAMPLE_FORMAT
  /** The workflow's name. */
  readonly subject: string
  readonly input?: unknown
  readonly pool?: WorldPoolOptions
  readonly isDurable?: boolean
  /** Absent when some of it cannot be JSON, such as a function: give it to `replay` again. */
  readonly handlers?: HandlerModels
  /** What the runtime's own chance was made of; absent: always the middle. */
  readonly seed?: number
  readonly steps: readonly Step[]
  readonly violation: Violation
}

export const COUNTEREXAMPLE_FORMAT = 'espalier-counterexample-1'

export function counterexampleOf(
  subject: Subject,
  { input, pool, handlers, isDurable, seed }: WorldOptions & { readonly seed?: number | undefined },
  steps: readonly Step[],
  violation: Violation,
): Counterexample {
  // What JSON cannot carry without loss is left out: whoever does the run again gives it anew.
  const plain = Object.entries({ input, pool, handlers }).filter(([, value]) => isJson(value))
  return {
    format: COUNTEREXAMPLE_FORMAT,
    subject: subject.name ?? 'jobs',
    ...Object.fromEntries(plain),
    ...(isDurable ? { isDurable } : {}),
    ...(seed === undefined ? {} : { seed }),
    steps: [...steps],
    violation,
  }
}

function isJson(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (Array.isArray(value)) return value.every(isJson)
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype) return false
  return Object.values(value).every((part) => part === undefined || isJson(part))
}
