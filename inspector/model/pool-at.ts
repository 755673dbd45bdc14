import { EVENT_CODES, type FeedStatus, POOL_STATES } from '../../src/protocol/index.ts'
import { upperBound } from './column.ts'
import type { Moment } from './moment.ts'
import type { RunStore } from './run-store.ts'

const { 'pool.limited': LIMITED, 'pool.paused': PAUSED, 'pool.throttled': THROTTLED } = EVENT_CODES
const { 'pool.resumed': RESUMED, 'pool.unthrottled': UNTHROTTLED } = EVENT_CODES

/** The pool at a moment. */
export interface PoolAt extends Pick<FeedStatus, 'lifecycle' | 'dispatch'> {
  /** How many slots it had; `undefined` where nothing tells it. */
  readonly limit: number | undefined
}

/**
 * What the pool was at a moment, by its events and samples.
 *
 * @param status - What a live pool says of itself: for the newest moment only, whose events may still be on their way.
 */
export function poolAt(run: RunStore, moment: Moment, status?: FeedStatus): PoolAt {
  if (status !== undefined) return status
  const { poolSteps: steps } = run
  const next = upperBound(steps, moment.step - 1, 0, steps.length)
  const [lifecycle, dispatch] = next === 0 ? stateBefore(run, steps[0]) : stateAfter(run, steps[next - 1]!)
  return { lifecycle, dispatch, limit: limitAt(run, moment, next) }
}

type PoolState = (typeof POOL_STATES)[number]

const stateAfter = (run: RunStore, step: number): PoolState =>
  POOL_STATES[run.log.state.data[step]!] ?? POOL_STATES[0]

/** A recording may begin with a pool that is paused already: its first event tells what it was until then. */
function stateBefore(run: RunStore, first: number | undefined): PoolState {
  if (first === undefined) return POOL_STATES[0]
  const [, dispatch] = stateAfter(run, first)
  switch (run.log.code.data[first]) {
    case RESUMED:
      return ['accepting', 'paused']
    case UNTHROTTLED:
      return ['accepting', 'throttled']
    case PAUSED:
    case THROTTLED:
      return ['accepting', 'open']
    default:
      return ['accepting', dispatch]
  }
}

/**
 * What was told last; before anything was, what is told first, when that is no change.
 *
 * @param next - The place in `poolSteps` of the first event after the moment.
 */
function limitAt({ poolSteps, log, samples }: RunStore, { at }: Moment, next: number): number | undefined {
  const isLimit = (step: number) => log.code.data[step] === LIMITED
  const change = poolSteps.slice(0, next).findLast(isLimit)
  const changedAt = change === undefined ? Number.NEGATIVE_INFINITY : log.at.data[change]!
  const sample = upperBound(samples.at.data, at, 0, samples.at.length) - 1
  // A sample of the same instant may have been taken before the change.
  if (sample >= 0 && samples.at.data[sample]! > changedAt) return samples.limit.data[sample]
  if (change !== undefined) return log.detail.data[change]
  const later = poolSteps.slice(next).find(isLimit)
  const isTold = samples.at.length > 0 && (later === undefined || samples.at.data[0]! < log.at.data[later]!)
  return isTold ? samples.limit.data[0] : undefined
}
