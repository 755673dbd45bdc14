import {
  type Chart,
  type ChartEdge,
  EVENT_CODES,
  EVENTS,
  type EventName,
  JOB_STATES,
  POOL_STATES,
  RUN_STATES,
} from '../../src/protocol/index.ts'
import { ABSENT } from './job-states.ts'
import type { Moment } from './moment.ts'
import { poolAt } from './pool-at.ts'
import type { RunStore } from './run-store.ts'

/** An actor at a moment. */
export interface Actor {
  readonly id: string
  readonly name: string
  readonly machine: 'pool' | 'orchestrator' | 'job'
  /** Its active leaf states, by their ids in the chart. */
  readonly states: readonly string[]
  /** What happened to it until the moment, by number in the log; none for all jobs together. */
  readonly steps: readonly number[]
  /** Another one when something happened to it. */
  readonly version: number
  /** How often it took each transition, by edge. */
  takenBy(chart: Chart): Map<string, number>
  /** The transition it took last. */
  lastEdge(chart: Chart): string | undefined
}

/** The states that hold no other active one: the innermost. */
export const leavesOf = (states: readonly string[]): string[] =>
  states.filter((id) => !states.some((other) => other.startsWith(`${id}.`)))

/** A state without the name of its chart: `job.queued.ready` → `queued.ready`. */
export const stateInChart = (id: string): string => id.replace(/^[^.]*\./, '')

/** The actor of an id: `pool`, `jobs` for all jobs together, a run's, or a job's. */
export function actorOf(run: RunStore, moment: Moment, id: string): Actor | undefined {
  if (id === 'pool') return poolActor(run, moment)
  if (id === 'jobs') {
    const states = JOB_STATES.filter((_, state) => moment.counts[state]! > 0).map((state) => `job.${state}`)
    return actor(run, { id, name: 'All jobs', machine: 'job', states, steps: [], leafOf: () => '' })
  }
  const row = run.tree.runs.findIndex((each) => run.text(each.id) === id)
  if (row >= 0) return runActor(run, moment, row)
  const job = run.find(id)
  return job < 0 ? undefined : jobActor(run, moment, job)
}

function poolActor(run: RunStore, moment: Moment): Actor {
  const steps = run.poolSteps.filter((step) => step < moment.step)
  const { lifecycle, dispatch } = poolAt(run, moment)
  const states = [`pool.lifecycle.${lifecycle}`, `pool.dispatch.${dispatch}`]
  const leafOf = (step: number) => POOL_STATES[run.log.state.data[step]!]?.map((name) => name).join(' ') ?? ''
  return actor(run, { id: 'pool', name: 'The pool', machine: 'pool', states, steps, leafOf })
}

function runActor(run: RunStore, moment: Moment, row: number): Actor {
  const { id, workflow, steps: all } = run.tree.runs[row]!
  const steps = all.filter((step) => step < moment.step)
  const leafOf = (step: number) => `orchestrator.${RUN_STATES[run.log.state.data[step]!]}`
  const states = [steps.length === 0 ? 'orchestrator.queued' : leafOf(steps.at(-1)!)]
  const name = run.text(workflow)
  return actor(run, { id: run.text(id), name, machine: 'orchestrator', states, steps, leafOf })
}

function jobActor(run: RunStore, moment: Moment, job: number): Actor {
  const steps = run.stepsOf(job).filter((step) => step < moment.step)
  const leafOf = (step: number) => `job.${JOB_STATES[run.log.state.data[step]!]}`
  const state = moment.stateOf(job)
  const states = state === ABSENT ? [] : [`job.${JOB_STATES[state]}`]
  return actor(run, { id: run.idOf(job), name: run.nameOf(job), machine: 'job', states, steps, leafOf })
}

interface Parts extends Pick<Actor, 'id' | 'name' | 'machine' | 'states' | 'steps'> {
  /** The leaf state after an event. */
  readonly leafOf: (step: number) => string
}

function actor(run: RunStore, { leafOf, ...parts }: Parts): Actor {
  const { steps } = parts
  const edgeOf = (chart: Chart, place: number): string | undefined => {
    const step = steps[place]!
    const name = EVENTS[run.log.code.data[step]!]!.name
    const before = place === 0 ? undefined : leafOf(steps[place - 1]!)
    return before === undefined ? undefined : edgeBetween(chart, before, name, leafOf(step))
  }
  return {
    ...parts,
    version: steps.at(-1) ?? -1,
    takenBy(chart) {
      const taken = new Map<string, number>()
      for (let place = 1; place < steps.length; place++) {
        const edge = edgeOf(chart, place)
        if (edge !== undefined) taken.set(edge, (taken.get(edge) ?? 0) + 1)
      }
      return taken
    },
    lastEdge(chart) {
      for (let place = steps.length - 1; place > 0; place--) {
        const edge = edgeOf(chart, place)
        if (edge !== undefined) return edge
      }
      return undefined
    },
  }
}

/** The first transition of the chart that an event takes from one leaf state to another. */
function edgeBetween(chart: Chart, before: string, event: EventName, after: string): string | undefined {
  const isIn = (leaf: string, state: string) => leaf === state || leaf.startsWith(`${state}.`)
  const fits = ({ source, target, event: name }: ChartEdge) =>
    name === event && isIn(before, source) && isIn(after, target)
  return EVENT_CODES[event] === undefined ? undefined : chart.down.edges.find(fits)?.id
}
