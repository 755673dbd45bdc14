import { jobMachine, orchestratorMachine, poolMachine } from 'espalier/machines'
import { describe, expect, test } from 'vitest'
import type { AnyEventObject, AnyStateMachine } from 'xstate'
import { adjacencyMapToArray, getAdjacencyMap } from 'xstate/graph'
import { type CompileOptions, compile } from '../../src/statechart/index.ts'
import { expectConformance } from './conformance.ts'

interface Chart {
  readonly machine: AnyStateMachine
  readonly input: unknown
  readonly events: readonly AnyEventObject[]
  /** As the runtime compiles it. */
  readonly compiling?: CompileOptions
}

const policy = {
  timeoutMs: 10,
  killGraceMs: 5,
  maxRetries: 1,
  maxLost: 1,
  backoff: { type: 'fixed', delayMs: 3 },
}
const failed = (attempt: number, reason: string) => ({
  type: 'attempt.failed',
  at: 4,
  attempt,
  error: new Error(`attempt ${attempt}`),
  reason,
  random: 0.5,
})
const jobEvents: AnyEventObject[] = [
  { type: 'dependencies.met', at: 1 },
  { type: 'slot.granted', at: 2 },
  { type: 'deadline.reached', at: 3 },
  { type: 'deadline.reached', at: 100 },
  { type: 'job.cancel', at: 4, by: 'user', reason: 'enough' },
  { type: 'attempt.completed', at: 5, attempt: 1, value: 'first' },
  { type: 'attempt.completed', at: 5, attempt: 2, value: 'second' },
  failed(1, 'error'),
  failed(2, 'error'),
  failed(1, 'lost'),
  failed(1, 'rejected'),
]
const job = (changes: object): Chart => ({
  machine: jobMachine,
  input: { jobId: 'j', origin: undefined, policy, queuedAt: 0, readyAt: undefined, ...changes },
  events: jobEvents,
  compiling: { replacesContext: true },
})

const counts = (queued: number, running: number) => ({
  queued,
  running,
  completed: 1,
  failed: 0,
  cancelled: 0,
})
const tree = (jobs: number, decisions: number, isCut = false) => ({ nodes: 3, jobs, decisions, isCut })

const charts: Readonly<Record<string, Chart>> = {
  job: job({}),
  'job with a start delay': job({ readyAt: 3 }),
  'job retried at once': job({ policy: { ...policy, backoff: { type: 'fixed', delayMs: 0 } } }),
  pool: {
    machine: poolMachine,
    input: { maxParallelJobs: 2 },
    events: [
      { type: 'pool.pause', at: 1 },
      { type: 'pool.resume', at: 2 },
      { type: 'pool.limit', at: 3, maxParallelJobs: 4 },
      { type: 'pressure.raised', at: 4, reasons: [{ measure: 'memoryShare', value: 0.95, clear: 0.85 }] },
      { type: 'pressure.cleared', at: 5 },
      { type: 'jobs.changed', at: 6, jobs: counts(1, 1) },
      { type: 'jobs.changed', at: 7, jobs: counts(0, 0) },
      { type: 'pool.shutdown', at: 8, wait: true, timeoutMs: 10 },
      { type: 'pool.shutdown', at: 8, wait: false, timeoutMs: 10 },
      { type: 'deadline.reached', at: 9 },
      { type: 'deadline.reached', at: 100 },
      { type: 'xstate.done.actor.job', output: undefined },
    ],
  },
  orchestrator: {
    machine: orchestratorMachine,
    input: { maxRunMs: 50 },
    events: [
      { type: 'run.start', at: 1 },
      { type: 'run.cancel', at: 2 },
      { type: 'tree.changed', at: 3, tree: tree(1, 0) },
      { type: 'tree.changed', at: 3, tree: tree(0, 0) },
      { type: 'tree.changed', at: 3, tree: tree(0, 0, true) },
      { type: 'tree.satisfied', at: 4, stopRunning: false },
      { type: 'tree.failed', at: 5 },
      { type: 'deadline.reached', at: 10 },
      { type: 'deadline.reached', at: 100 },
    ],
  },
}

describe.each(Object.entries(charts))(
  'the chart of the %s, compiled',
  (_, { machine, input, events, compiling }) => {
    test('has the same states and transitions as XState finds by searching all of them', () => {
      const search = (each: AnyStateMachine) =>
        adjacencyMapToArray(getAdjacencyMap(each, { events: [...events], input, limit: 5_000 }))
      const steps = (each: AnyStateMachine) =>
        search(each).map(({ state, event, nextState }) => [text(state), text(event), text(nextState)])
      const expected = steps(machine)
      expect(expected.length).toBeGreaterThan(50)
      expect(steps(compile(machine, compiling))).toEqual(expected)
    })

    test('behaves, tells and is inspected as in XState’s own actor', { timeout: 60_000 }, () => {
      const { states, sequences } = expectConformance(machine, {
        events,
        input,
        depth: 5,
        statesMax: 40,
        ...(compiling && { compiling }),
      })
      expect(states).toBeGreaterThan(5)
      expect(sequences).toBeGreaterThan(50)
    })
  },
)

function text(part: {
  value?: unknown
  context?: unknown
  status?: unknown
  output?: unknown
  type?: unknown
}): string {
  const { value, context, status, output, type } = part
  return JSON.stringify(type === undefined ? { value, context, status, output } : part)
}
