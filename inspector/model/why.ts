import { BLOCKED, DELAYED, isEnded, READY } from './job-states.ts'
import type { Moment } from './moment.ts'
import { prioritiesAt } from './priorities.ts'
import type { RunStore } from './run-store.ts'

/** Why a job is not running at a moment. */
export type Wait =
  /** Its first dependencies that have not ended; `outstanding` of `of` in all. */
  | {
      readonly for: 'dependencies'
      readonly jobs: readonly number[]
      readonly outstanding: number
      readonly of: number
    }
  /** Its place among the ready ones, from 1. */
  | { readonly for: 'slot'; readonly position: number; readonly ready: number }
  /** Until an instant, epoch ms; `undefined` when nothing tells it yet. */
  | { readonly for: 'instant'; readonly until: number | undefined }

const SHOWN = 20

/** `undefined` for a job that runs, has ended, or is not there yet. */
export function whyWaiting(run: RunStore, moment: Moment, job: number): Wait | undefined {
  const state = moment.stateOf(job)
  if (state === BLOCKED) {
    const all = run.links.dependenciesOf(job)
    const open = all.filter((each) => !isEnded(moment.stateOf(each)))
    return { for: 'dependencies', jobs: open.slice(0, SHOWN), outstanding: open.length, of: all.length }
  }
  if (state === READY)
    return { for: 'slot', position: positionOf(run, moment, job), ready: moment.counts[READY]! }
  if (state === DELAYED) return { for: 'instant', until: nextReady(run, moment, job) }
  return undefined
}

/** How many ready jobs go first: those of a higher priority, then of a higher score, then those submitted before. */
function positionOf(run: RunStore, moment: Moment, job: number): number {
  const { score } = run.jobs
  const priority = prioritiesAt(run, moment)
  const own = { priority: priority[job]!, score: score.data[job]! || 0 }
  let before = 0
  for (let other = 0; other < run.jobCount; other++) {
    if (moment.states[other] !== READY || other === job) continue
    const band = priority[other]!
    if (band > own.priority) continue
    const worth = score.data[other]! || 0
    if (band < own.priority || worth > own.score || (worth === own.score && other < job)) before++
  }
  return before + 1
}

/** When a job of the past came out of its delay; a live one's deadline is not in the journal. */
function nextReady(run: RunStore, moment: Moment, job: number): number | undefined {
  const step = run.stepsOf(job).find((each) => each >= moment.step && run.log.state.data[each] === READY)
  return step === undefined ? undefined : run.log.at.data[step]
}
