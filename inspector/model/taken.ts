import { EVENTS } from '../../src/protocol/journal.ts'
import { ABSENT, STATE_COUNT } from './job-states.ts'

/** How often jobs went by each event from one state to another; {@link ABSENT} as `from` for their first event. */
export class Taken {
  readonly #counts = new Float64Array((STATE_COUNT + 1) * STATE_COUNT * EVENTS.length)

  count(from: number, to: number, code: number): void {
    this.#counts[placeOf(from, to, code)]! += 1
  }

  times(from: number, to: number, code: number): number {
    return this.#counts[placeOf(from, to, code)]!
  }
}

const placeOf = (from: number, to: number, code: number): number =>
  ((from === ABSENT ? STATE_COUNT : from) * STATE_COUNT + to) * EVENTS.length + code
