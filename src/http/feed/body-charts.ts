import type { AnyActorRef, AnyStateMachine } from 'xstate'
import { type Description, describeMachine, hashOf } from '../../diagram/describe.ts'
import { EspalierError } from '../../domain/errors.ts'
import type { Chart, MachineDocument } from '../../protocol/chart.ts'

/** Larger ones would take the layout minutes, and nobody could read them. */
const STATES_MAX = 300
/** Machines that are known; of others, a recording tells that it has no chart. */
const CHARTS_MAX = 100
/** Machines that are read: one made anew for each job is read each time, on the pool's thread. */
const READ_MAX = 1_000

type LayOut = (machine: string, description: Description) => Promise<Chart>

interface Known {
  readonly id: string
  /** Absent for one that is not drawn, because of what `missing` tells. */
  readonly description?: Description
  readonly missing?: string
  chart?: Promise<Chart>
}

/** The charts of machines that jobs run: each is laid out once, when it is first asked for, however many jobs run it. */
export class BodyCharts {
  readonly #layOut: LayOut
  readonly #hashes = new WeakMap<AnyStateMachine, string>()
  readonly #known = new Map<string, Known>()
  #read = 0

  constructor(layOut: LayOut) {
    this.#layOut = layOut
  }

  /** The hashes of all machines that were met. */
  get hashes(): readonly string[] {
    return [...this.#known.keys()]
  }

  /** Takes down what is drawn of a machine: @returns the hash that names it, the same for all that are drawn alike. */
  meet(machine: AnyStateMachine): string {
    const met = this.#hashes.get(machine)
    if (met !== undefined) return met
    const [hash, known] = this.#describe(machine)
    this.#hashes.set(machine, hash)
    if (!this.#known.has(hash)) this.#known.set(hash, known)
    return hash
  }

  /** @throws {EspalierError} `ESP_NOT_THERE` for an actor that is no machine, or one that is not drawn. */
  chartOf(actor: AnyActorRef | undefined): Promise<Chart> {
    const machine = (actor?.getSnapshot() as { readonly machine?: AnyStateMachine } | undefined)?.machine
    if (machine === undefined)
      throw new EspalierError('ESP_NOT_THERE', { what: 'chart: no machine runs in it' })
    const known = this.#known.get(this.meet(machine)) as Known
    if (known.missing !== undefined) throw new EspalierError('ESP_NOT_THERE', { what: known.missing })
    return this.#chart(known)
  }

  /** What a recording holds of a machine that was met. */
  async document(hash: string): Promise<MachineDocument> {
    const known = this.#known.get(hash) as Known
    const { id, missing } = known
    if (missing !== undefined) return { id, missing }
    try {
      return await this.#chart(known)
    } catch (error) {
      return { id, missing: `chart: it could not be laid out: ${(error as Error).message}` }
    }
  }

  #chart(known: Known): Promise<Chart> {
    if (known.chart === undefined) {
      known.chart = this.#layOut(known.id, known.description as Description)
      known.chart.catch(() => {
        delete known.chart
      })
    }
    return known.chart
  }

  #describe(machine: AnyStateMachine): [hash: string, known: Known] {
    const { id } = machine
    const without = (missing: string): [string, Known] => [`!${id} ${missing}`, { id, missing }]
    if (this.#known.size >= CHARTS_MAX)
      return without(`chart: those of the first ${CHARTS_MAX} machines are kept`)
    if (++this.#read > READ_MAX)
      return without(`chart: the first ${READ_MAX} machines are read, and this one was made later`)
    let description: Description
    try {
      description = describeMachine(machine)
    } catch (error) {
      return without(`chart: it could not be read: ${(error as Error).message}`)
    }
    const { length } = description.states
    if (length > STATES_MAX) return without(`chart of ${length} states; at most ${STATES_MAX} are drawn`)
    return [hashOf(description), { id, description }]
  }
}
