import type { FeedStatus } from '../../src/protocol/index.ts'
import { ABSENT, BLOCKED, COMPLETED, EXECUTING, FAILED, isEnded, READY, STOPPING } from './job-states.ts'
import type { Moment } from './moment.ts'
import { poolAt } from './pool-at.ts'
import type { RunStore } from './run-store.ts'
import { quantileOf } from './statistics.ts'

/** Something that somebody should look at. */
export type Trouble =
  | {
      readonly kind: 'failing'
      readonly key: string
      readonly name: string
      readonly count: number
      /** How many of the kind have ended. */
      readonly of: number
      readonly message: string
    }
  /** Jobs that failed of kinds beside those that are told one by one. */
  | { readonly kind: 'others'; readonly key: string; readonly kinds: number; readonly count: number }
  | { readonly kind: 'slow'; readonly key: string; readonly count: number; readonly overMs: number }
  | {
      readonly kind: 'blocked'
      readonly key: string
      readonly id: string
      readonly name: string
      readonly count: number
    }
  | {
      readonly kind: 'idle'
      readonly key: string
      readonly free: number
      readonly ready: number
      readonly why: string
    }

const MOST_KINDS = 4
/** Below so many ended jobs, a quantile says nothing. */
const LEAST_ENDED = 20
/** How many ended attempts are looked at for what is usual. */
const SAMPLED = 2_000

/**
 * What needs attention at a moment, worst first.
 *
 * @param status - Of a live pool, for the newest moment only.
 */
export function findTroubles(run: RunStore, moment: Moment, status?: FeedStatus): Trouble[] {
  return [
    ...failingKinds(run, moment),
    ...idleSlots(run, moment, status),
    ...slowJobs(run, moment),
    ...blockers(run, moment),
  ]
}

function failingKinds(run: RunStore, moment: Moment): Trouble[] {
  if (moment.counts[FAILED] === 0) return []
  const failed = new Map<number, { count: number; last: number }>()
  const ended = new Map<number, number>()
  for (let job = 0; job < run.jobCount; job++) {
    const state = moment.states[job]!
    if (state === ABSENT || !isEnded(state)) continue
    const kind = run.jobs.kind.data[job]!
    ended.set(kind, (ended.get(kind) ?? 0) + 1)
    if (state === FAILED) failed.set(kind, { count: (failed.get(kind)?.count ?? 0) + 1, last: job })
  }
  const worstFirst = [...failed].sort(([, a], [, b]) => b.count - a.count)
  const told = worstFirst.slice(0, MOST_KINDS).map(([kind, { count, last }]): Trouble => {
    const error = run.jobs.error.data[last]!
    return {
      kind: 'failing',
      key: `failing ${kind}`,
      name: run.text(kind),
      count,
      of: ended.get(kind) ?? count,
      message: error < 0 ? '' : run.text(run.errors.message.data[error]!),
    }
  })
  const others = worstFirst.slice(MOST_KINDS)
  if (others.length === 0) return told
  const count = others.reduce((sum, [, kind]) => sum + kind.count, 0)
  return [...told, { kind: 'others', key: 'others', kinds: others.length, count }]
}

function slowJobs(run: RunStore, moment: Moment): Trouble[] {
  const { slices } = run
  const durations: number[] = []
  for (let slice = slices.firstAfter(moment.at) - 1; slice >= 0 && durations.length < SAMPLED; slice--)
    if (slices.outcomeAt(slice, moment.at) === COMPLETED)
      durations.push(slices.end.data[slice]! - slices.start.data[slice]!)
  if (durations.length < LEAST_ENDED) return []
  const overMs = 3 * quantileOf(Float64Array.from(durations).sort(), 0.99)
  let count = 0
  for (const job of moment.slots()) {
    if (job < 0 || moment.stateOf(job) !== EXECUTING) continue
    const slice = moment.sliceOf(job)
    if (slice >= 0 && moment.at - slices.start.data[slice]! > overMs) count++
  }
  return count === 0 ? [] : [{ kind: 'slow', key: 'slow', count, overMs }]
}

/** The job that most blocked ones wait for directly. */
function blockers(run: RunStore, moment: Moment): Trouble[] {
  if (moment.counts[BLOCKED]! < 2) return []
  const waiting = new Map<number, number>()
  run.links.forEach((dependant, dependency) => {
    if (moment.states[dependant] !== BLOCKED || isEnded(moment.stateOf(dependency))) return
    waiting.set(dependency, (waiting.get(dependency) ?? 0) + 1)
  })
  const [worst] = [...waiting].sort(([, a], [, b]) => b - a)
  if (worst === undefined || worst[1] < 2) return []
  const [job, count] = worst
  return [{ kind: 'blocked', key: 'blocked', id: run.idOf(job), name: run.nameOf(job), count }]
}

function idleSlots(run: RunStore, moment: Moment, status: FeedStatus | undefined): Trouble[] {
  if (moment.counts[READY] === 0) return []
  const { limit, lifecycle, dispatch } = poolAt(run, moment, status)
  if (limit === undefined || (dispatch === 'open' && lifecycle === 'accepting')) return []
  const free = limit - (status?.busy ?? moment.counts[EXECUTING]! + moment.counts[STOPPING]! + moment.zombies)
  if (free <= 0) return []
  const why = dispatch === 'open' ? `the pool is ${lifecycle}` : `the pool is ${dispatch}`
  return [{ kind: 'idle', key: 'idle', free, ready: moment.counts[READY]!, why }]
}
