import { EVENT_CODES, EVENTS } from '../../src/protocol/index.ts'
import type { Moment } from './moment.ts'
import type { RunStore } from './run-store.ts'

/** A message of the diagram; `from` and `to` are places among the lifelines. */
export interface SequenceMessage {
  readonly from: number
  readonly to: number
  readonly step: number
  readonly text: string
}

export interface SequenceDiagram {
  /** Jobs, after the pool and the executor, which are first. */
  readonly jobs: readonly number[]
  readonly messages: readonly SequenceMessage[]
  /** How many messages there are, when these are not all. */
  readonly total: number
}

export const POOL = 0
export const EXECUTOR = 1
/** The place of the first job's lifeline. */
const FIRST_JOB = 2

const FROM_EXECUTOR = new Set(
  ['attempt.completed', 'attempt.failed', 'attempt.progressed', 'attempt.ended'].map(
    (name) => EVENT_CODES[name as 'attempt.ended'],
  ),
)

/** Who told whom what, among a job, what it depends on and what depends on it. */
export function sequenceOf(
  run: RunStore,
  moment: Moment,
  job: number,
  mostJobs: number,
  most: number,
): SequenceDiagram {
  const around = [...run.links.dependenciesOf(job, mostJobs), job, ...run.links.dependantsOf(job, mostJobs)]
  const jobs = [...new Set(around)].slice(0, mostJobs)
  const place = new Map(jobs.map((each, index) => [each, index + FIRST_JOB]))
  const steps = jobs.flatMap((each) => run.stepsOf(each)).filter((step) => step < moment.step)
  steps.sort((a, b) => a - b)
  const messages = steps
    .slice(-most)
    .map((step) => ({ ...endsOf(run, step, place), step, text: textOf(run, step) }))
  return { jobs, messages, total: steps.length }
}

function endsOf(
  run: RunStore,
  step: number,
  place: ReadonlyMap<number, number>,
): { from: number; to: number } {
  const code = run.log.code.data[step]!
  const job = run.log.job.data[step]!
  const own = place.get(job)!
  if (code === EVENT_CODES['attempt.started']) return { from: own, to: EXECUTOR }
  if (FROM_EXECUTOR.has(code)) return { from: EXECUTOR, to: own }
  if (code === EVENT_CODES['dependencies.met']) {
    // The dependency that ended last is the one that told it.
    const last = run.links
      .dependenciesOf(job)
      .filter((each) => place.has(each))
      .sort((a, b) => run.jobs.endedAt.data[b]! - run.jobs.endedAt.data[a]!)[0]
    return { from: last === undefined ? POOL : place.get(last)!, to: own }
  }
  return { from: POOL, to: own }
}

const textOf = (run: RunStore, step: number): string => EVENTS[run.log.code.data[step]!]?.name ?? ''

/** The diagram as Mermaid's `sequenceDiagram`. */
export function sequenceToMermaid(run: RunStore, { jobs, messages }: SequenceDiagram): string {
  const clean = (text: string) => text.replace(/[^\p{L}\p{N} ._-]/gu, ' ')
  const names = ['pool', 'executor', ...jobs.map((job) => clean(`${run.nameOf(job)} ${run.idOf(job)}`))]
  return [
    'sequenceDiagram',
    ...names.map((name, index) => `  participant p${index} as ${name}`),
    ...messages.map(({ from, to, text }) => `  p${from}->>p${to}: ${clean(text)}`),
    '',
  ].join('\n')
}
