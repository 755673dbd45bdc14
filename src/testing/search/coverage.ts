import type { AnyStateMachine, AnyTransitionDefinition } from 'xstate'
import { jobMachine, orchestratorMachine, poolMachine } from '../../../machines/index.ts'
import type { ChartLayout } from '../../protocol/chart.ts'
import { chartSvg } from '../../protocol/chart-svg.ts'
import {
  type Inspection,
  type TransitionInfo,
  toMermaid,
  transitionId,
  transitionsOf,
} from '../../statechart/index.ts'

/** How much of a machine was seen. */
export interface MachineCoverage {
  readonly machine: string
  readonly transitions: number
  readonly taken: number
  /** Those never taken, in the order of the chart. */
  readonly missed: readonly TransitionInfo[]
  /** States that no transition has led to, the initial ones apart. */
  readonly missedStates: readonly string[]
}

/**
 * Notes which transitions of machines are taken, and tells which never were.
 *
 * Works for any XState machine: give {@link inspect} to its actor, or to a pool as `inspect`.
 */
export class Coverage {
  /** The charts of job, pool and orchestrator. */
  static readonly charts: readonly AnyStateMachine[] = [jobMachine, poolMachine, orchestratorMachine]
  /** How often, by id. */
  readonly #taken = new Map<string, number>()
  readonly #ids = new WeakMap<AnyTransitionDefinition, string>()
  readonly #watched = new WeakSet<object>()

  /** Takes XState's inspection events; give it to `createActor`, to a pool, or to a system's `inspect`. */
  readonly inspect: (event: Parameters<Extract<Inspection, (...args: never[]) => unknown>>[0]) => void = (
    event,
  ) => {
    if (event.type !== '@xstate.microstep') return
    for (const definition of event._transitions) this.#take(this.#idOf(definition), 1)
  }

  /** Watches the actors of a pool from now on. */
  attach({ pool }: { readonly pool: { readonly actor: { readonly system: object } } }): void {
    const { system } = pool.actor
    if (this.#watched.has(system)) return
    this.#watched.add(system)
    ;(system as { inspect(observer: { next(event: unknown): void }): unknown }).inspect({
      next: this.inspect as (event: unknown) => void,
    })
  }

  /** Whether a transition was taken, by its id in `transitionsOf(machine)`. */
  has(id: string): boolean {
    return this.#taken.has(id)
  }

  /** Adds what another has seen. */
  add(other: Coverage): void {
    for (const [id, times] of other.#taken) this.#take(id, times)
  }

  /** By machine. Default: the charts of job, pool and orchestrator. */
  report(machines: readonly AnyStateMachine[] = Coverage.charts): readonly MachineCoverage[] {
    return machines.map((machine) => {
      const all = transitionsOf(machine)
      const missed = all.filter(({ id }) => !this.#taken.has(id))
      const reached = new Set(all.filter(({ id }) => this.#taken.has(id)).flatMap(({ targets }) => targets))
      const aimedAt = new Set(all.flatMap(({ targets }) => targets))
      return {
        machine: machine.id,
        transitions: all.length,
        taken: all.length - missed.length,
        missed,
        missedStates: [...aimedAt].filter((state) => !reached.has(state)),
      }
    })
  }

  /** Draws a machine as a Mermaid diagram, on which the label of what was never taken starts with `✗`. */
  toMermaid(machine: AnyStateMachine): string {
    return toMermaid(machine, { taken: this })
  }

  /**
   * Draws a machine as SVG: how often each transition was taken stands at its label, and those never taken are dashed and
   * start with `✗`.
   *
   * @param layout - Where everything is, when that is known. Default: laid out now, which takes up to a second.
   */
  async toSvg(machine: AnyStateMachine, layout?: ChartLayout): Promise<string> {
    return chartSvg(layout ?? (await layOut(machine)), {
      taken: this.#taken,
      title: `The coverage of ${machine.id}`,
    })
  }

  #take(id: string, times: number): void {
    this.#taken.set(id, (this.#taken.get(id) ?? 0) + times)
  }

  #idOf(definition: AnyTransitionDefinition): string {
    let id = this.#ids.get(definition)
    if (id === undefined) {
      id = transitionId(definition)
      this.#ids.set(definition, id)
    }
    return id
  }
}

/** What lays out is loaded by those only who draw a machine that nobody has laid out. */
async function layOut(machine: AnyStateMachine): Promise<ChartLayout> {
  const { layOutChart } = await import('../../diagram/layout.ts')
  return (await layOutChart(machine)).right
}
