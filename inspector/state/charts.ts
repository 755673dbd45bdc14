import {
  type Chart,
  type ChartEdge,
  EVENT_CODES,
  type EventName,
  JOB_STATES,
  type MachineDocument,
} from '../../src/protocol/index.ts'
import type { RunStore } from '../model/run-store.ts'

const parsed = new Map<string, unknown>()

/** The laid out chart of one of the package's machines, from the recording; `undefined` when it has none. */
export const chartOf = (run: RunStore, machine: string): Chart | undefined =>
  read<Chart>(run, `chart/${machine}`)

/** What the recording holds of a machine that jobs ran, by its hash; `undefined` until it has come. */
export const machineOf = (run: RunStore, hash: string): MachineDocument | undefined =>
  read<MachineDocument>(run, `machine/${hash}`)

function read<Document>(run: RunStore, name: string): Document | undefined {
  const text = run.documents.get(name)
  if (text === undefined) return undefined
  if (!parsed.has(text)) parsed.set(text, JSON.parse(text))
  return parsed.get(text) as Document
}

/** How many jobs are in each state of the job's chart, by its id; a state counts what is inside it. */
export function countsByState(counts: Uint32Array): Map<string, number> {
  const byState = new Map<string, number>()
  JOB_STATES.forEach((state, index) => {
    const parts = state.split('.')
    for (let length = 0; length <= parts.length; length++) {
      const id = ['job', ...parts.slice(0, length)].join('.')
      byState.set(id, (byState.get(id) ?? 0) + counts[index]!)
    }
  })
  return byState
}

/** How often jobs took each transition of their chart. Of candidates of one event, those with the same ends share. */
export function takenByEdge(run: RunStore, chart: Chart): Map<string, number> {
  const taken = new Map<string, number>()
  const seen = new Set<string>()
  for (const edge of chart.down.edges) {
    const key = `${edge.source} ${edge.event} ${edge.target}`
    // Only the first of the same ends: nothing tells them apart afterwards.
    if (seen.has(key)) continue
    seen.add(key)
    taken.set(edge.id, takenBetween(run, edge))
  }
  return taken
}

function takenBetween(run: RunStore, { source, event, target }: ChartEdge): number {
  const code = EVENT_CODES[event as EventName]
  if (code === undefined) return 0
  let count = 0
  for (const from of leavesOf(source))
    for (const to of entered(target)) count += run.taken.times(from, to, code)
  return count
}

/** The leaf states in a state of the job's chart, by number. */
function leavesOf(id: string): number[] {
  const path = id.replace(/^job\.?/, '')
  return JOB_STATES.flatMap((state, index) =>
    path === '' || state === path || state.startsWith(`${path}.`) ? [index] : [],
  )
}

/** The leaf a transition to a state ends in: the state itself, or its first child. */
const entered = (id: string): number[] => leavesOf(id).slice(0, 1)
