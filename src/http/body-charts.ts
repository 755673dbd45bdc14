import type { AnyActorRef, AnyStateMachine } from 'xstate'
import { type Description, describeMachine, hashOf } from '../diagram/describe.ts'
import { EspalierError } from '../domain/errors.ts'
import type { Chart } from '../protocol/chart.ts'

/** Larger ones would take the layout minutes, and nobody could read them. */
const STATES_MAX = 300
/** Charts that are kept. */
const CHARTS_MAX = 100

type LayOut = (machine: string, description: Description) => Promise<Chart>

/** The charts of machines that jobs run: each is laid out once, however many jobs run it. */
export class BodyCharts {
  readonly #layOut: LayOut
  readonly #hashes = new WeakMap<AnyStateMachine, string>()
  readonly #charts = new Map<string, Promise<Chart>>()

  constructor(layOut: LayOut) {
    this.#layOut = layOut
  }

  /** @throws {EspalierError} `ESP_NOT_THERE` for an actor that is no machine, or one too large to draw. */
  chartOf(actor: AnyActorRef | undefined): Promise<Chart> {
    const machine = (actor?.getSnapshot() as { readonly machine?: AnyStateMachine } | undefined)?.machine
    if (machine === undefined)
      throw new EspalierError('ESP_NOT_THERE', { what: 'chart: no machine runs in it' })
    const known = this.#charts.get(this.#hashes.get(machine) ?? '')
    if (known !== undefined) return known
    const description = describeMachine(machine)
    if (description.states.length > STATES_MAX) {
      const what = `chart of ${description.states.length} states; at most ${STATES_MAX} are drawn`
      throw new EspalierError('ESP_NOT_THERE', { what })
    }
    const hash = hashOf(description)
    this.#hashes.set(machine, hash)
    const chart = this.#charts.get(hash) ?? this.#layOut(machine.id, description)
    this.#keep(hash, chart)
    return chart
  }

  #keep(hash: string, chart: Promise<Chart>): void {
    this.#charts.set(hash, chart)
    chart.catch(() => this.#charts.delete(hash))
    for (const oldest of this.#charts.keys()) {
      if (this.#charts.size <= CHARTS_MAX) break
      this.#charts.delete(oldest)
    }
  }
}
