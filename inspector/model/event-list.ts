import { EVENTS, JOB_STATES, NODE_STATES, POOL_STATES, RUN_STATES } from '../../src/protocol/index.ts'
import { upperBound } from './column.ts'
import type { RunStore } from './run-store.ts'

/** The events that a search finds among the first so many, by their number in the log. */
export interface EventList {
  readonly length: number
  at(row: number): number
}

/**
 * Searches the log: the id of a job gives its events, any other word those whose name holds it.
 *
 * @param until - How many events have happened.
 */
export function listEvents(run: RunStore, until: number, text: string): EventList {
  const word = text.trim().toLowerCase()
  if (word === '') return { length: until, at: (row) => row }
  const exact = run.find(text)
  const job = exact < 0 && text !== text.trim() ? run.find(text.trim()) : exact
  if (job < 0) return ofCodes(run, until, (name) => name.includes(word))
  const steps = run.stepsOf(job)
  return { length: upperBound(steps, until - 1, 0, steps.length), at: (row) => steps[row]! }
}

function ofCodes(run: RunStore, until: number, isMeant: (name: string) => boolean): EventList {
  const { data } = run.log.code
  const codes = new Set(EVENTS.flatMap(({ name }, code) => (isMeant(name) ? [code] : [])))
  let count = 0
  for (let step = 0; step < until; step++) if (codes.has(data[step]!)) count++
  const found = new Uint32Array(count)
  let length = 0
  for (let step = 0; step < until; step++) if (codes.has(data[step]!)) found[length++] = step
  return { length, at: (row) => found[row]! }
}

/** Whom an event happened to, in words. */
export function subjectOf(run: RunStore, step: number): string {
  const subject = run.log.subject.data[step]!
  switch (EVENTS[run.log.code.data[step]!]?.subject) {
    case 'job':
      return run.nameOf(subject)
    case 'node':
      return run.text(run.tree.nodes.label.data[subject]!)
    case 'run':
      return run.text(run.tree.runs[subject]?.workflow ?? 0)
    default:
      return 'pool'
  }
}

/** The state that an event left its subject in. */
export function stateAfter(run: RunStore, step: number): string {
  const state = run.log.state.data[step]!
  switch (EVENTS[run.log.code.data[step]!]?.subject) {
    case 'job':
      return JOB_STATES[state] ?? ''
    case 'node':
      return NODE_STATES[state] ?? ''
    case 'run':
      return RUN_STATES[state] ?? ''
    default:
      return POOL_STATES[state]?.join(', ') ?? ''
  }
}
