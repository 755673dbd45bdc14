import type { Step } from '../model/step.ts'
import type { World } from '../world/world.ts'
import type { Choice } from './choices.ts'

/** A state that an exploration has found, and the way that first led to it. */
export interface ExploredState {
  readonly parent: ExploredState | undefined
  readonly step: Step | undefined
  readonly depth: number
  /** How many faults have struck on the way. */
  readonly faults: number
  choices: readonly Choice[]
  /** Whether an end can be reached without a fault: of ends from the start, of others once the search is over. */
  canEnd: boolean
  /** The states that lead here without a fault. */
  readonly sources: ExploredState[]
  /** The world it was found in, for its first choice. */
  world: World | undefined
}

/** The steps that first led to a state. */
export function stepsTo(state: ExploredState): Step[] {
  const steps: Step[] = []
  for (let each: ExploredState | undefined = state; each?.step !== undefined; each = each.parent)
    steps.push(each.step)
  return steps.reverse()
}

/**
 * Finds a state from which no end can be reached without a fault.
 *
 * @param states - All there are, in the order they were found in: the first that is stuck is one of the nearest.
 */
export function findStuck(states: readonly ExploredState[]): ExploredState | undefined {
  const open = states.filter(({ canEnd }) => canEnd)
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    for (const source of state.sources) {
      if (source.canEnd) continue
      source.canEnd = true
      open.push(source)
    }
  }
  return states.find(({ canEnd }) => !canEnd)
}
