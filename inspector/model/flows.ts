import { EVENTS } from '../../src/protocol/index.ts'
import { ABSENT, STATE_COUNT } from './job-states.ts'
import type { RunStore } from './run-store.ts'

/** Jobs that went from one state to another, by whatever event; {@link ABSENT} as `from` for their first state. */
export interface Flow {
  readonly from: number
  readonly to: number
  readonly count: number
}

/** All ways that jobs went between different states. */
export function flowsOf(run: RunStore): Flow[] {
  const flows: Flow[] = []
  const states = Array.from({ length: STATE_COUNT }, (_, state) => state)
  for (const from of [ABSENT, ...states]) {
    for (const to of states) {
      if (from === to) continue
      let count = 0
      for (let code = 0; code < EVENTS.length; code++) count += run.taken.times(from, to, code)
      if (count > 0) flows.push({ from, to, count })
    }
  }
  return flows
}
